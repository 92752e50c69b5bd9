"""The latency budget: what we allow an order to take, and the alarms when it takes longer.

Two bounds on packet received to send called, each with an alarm of its own; 0 sets none:
    latency_budget_us        p99 of the last minute
    order_latency_budget_us  any one order of the last minute
An alarm is raised at once and cleared after the budget was kept for CLEAR_AFTER_S, so that it does not flicker.
"""

from __future__ import annotations

from dataclasses import dataclass

P99_ALARM, ORDER_ALARM = "latency_p99", "latency_order"
CLEAR_AFTER_S = 10


@dataclass(frozen=True)
class Transition:
    """An alarm goes on or off. `sentence` is for people."""

    name: str
    raised: bool
    sentence: str
    measured_ns: int
    budget_ns: int


class Budget:
    """Remembers which alarms are on; `raised` are those of before a restart."""

    def __init__(self, p99_us: int, order_us: int, raised: frozenset[str] = frozenset()) -> None:
        self._bounds = {P99_ALARM: ("p99_ns", p99_us * 1000), ORDER_ALARM: ("max_ns", order_us * 1000)}
        self._raised = {name for name in raised if name in self._bounds}
        self._broken_at: dict[str, int] = {}

    def check(self, minute: dict[str, int | None], second: int) -> list[Transition]:
        """What changes, given the last minute's quantiles (`p99_ns`, `max_ns`, None without orders) at `second`."""
        changed = []
        for name, (quantile, budget_ns) in self._bounds.items():
            measured_ns = minute[quantile] or 0
            if budget_ns and measured_ns > budget_ns:
                self._broken_at[name] = second
                if name not in self._raised:
                    self._raised.add(name)
                    changed.append(
                        Transition(name, True, _sentence(name, measured_ns, budget_ns), measured_ns, budget_ns)
                    )
            elif name in self._raised and second - self._broken_at.get(name, 0) >= CLEAR_AFTER_S:
                self._raised.discard(name)
                sentence = _sentence(name, measured_ns, budget_ns) if budget_ns else "there is no such budget any more"
                changed.append(Transition(name, False, sentence, measured_ns, budget_ns))
        return changed


def _sentence(name: str, measured_ns: int, budget_ns: int) -> str:
    if not measured_ns:
        return f"no order in the last minute; the budget is {budget_ns / 1000:g} µs"
    what = "99 % of the last minute's orders took at most" if name == P99_ALARM else "an order of the last minute took"
    return f"{what} {measured_ns / 1000:g} µs from packet to send; the budget is {budget_ns / 1000:g} µs"
