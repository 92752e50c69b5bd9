"""What an order goes through, in plain words: the oracle of the order table."""

from __future__ import annotations

from dataclasses import dataclass

from engine.messages.codes import OPEN_STATES, OrderState

S = OrderState


@dataclass
class OrderModel:
    """One buy order of ours, as the venue's answers and our sessions leave it."""

    order_id: int
    leaves: int
    state: OrderState = S.PENDING_NEW
    filled: int = 0
    canceling: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    def working(self) -> None:
        """The venue has it: what state that is depends on whether we want it back."""
        self.state = S.PENDING_CANCEL if self.canceling else S.PARTIALLY_FILLED if self.filled else S.ACCEPTED

    def end(self, state: OrderState) -> None:
        if self.is_open:
            self.state, self.leaves = state, 0

    def accepted(self) -> None:
        if self.state in (S.PENDING_NEW, S.UNKNOWN):
            self.working()

    def executed(self, quantity: int) -> None:
        """A fill always counts, even of an order that ended: the venue says that it happened."""
        self.filled += quantity
        if self.is_open:
            self.leaves = max(0, self.leaves - quantity)
            self.working() if self.leaves else self.end(S.FILLED)

    def canceled(self, quantity: int) -> None:
        if self.is_open and 0 < quantity < self.leaves:
            self.leaves -= quantity
        else:
            self.end(S.CANCELED)

    def cancel_rejected(self) -> None:
        if self.is_open:
            self.forget_cancel()

    def ask_cancel(self) -> None:
        if self.is_open and not self.canceling:
            self.canceling = True
            if self.state not in (S.PENDING_NEW, S.UNKNOWN):
                self.state = S.PENDING_CANCEL

    def forget_cancel(self) -> None:
        self.canceling = False
        if self.state == S.PENDING_CANCEL:
            self.working()

    def session_down(self) -> None:
        self.forget_cancel()
        if self.state == S.PENDING_NEW:
            self.state = S.UNKNOWN

    def session_up(self, next_reference: int) -> None:
        """The venue expects `next_reference`: an order of that number or above, never heard of, was not sent."""
        self.forget_cancel()
        if self.order_id >= next_reference and self.state in (S.PENDING_NEW, S.UNKNOWN) and not self.filled:
            self.end(S.DENIED)
