"""Numbers, codes and times as people read them; static/js/format.js gives the same texts to live cells."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import IntEnum
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from desk.blotter.models import time_of
from desk.blotter.parents import average_price
from desk.live.state_words import STATE_WORDS, words
from desk.risk.labels import LABELS
from desk.risk.models import MONEY_LIMITS
from engine.messages import codes

register = template.Library()

UNKNOWN = "—"
MINUS = "\u2212"


def _text(value: Decimal, places: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{MINUS if rounded < 0 else ''}{abs(rounded):,.{places}f}"


@register.filter
def money(value: Any) -> str:
    """Money with two places and thousands separators."""
    return UNKNOWN if value in (None, "") else _text(Decimal(value), 2)


@register.filter
def pnl(value: Any) -> SafeString | str:
    """Money with its sign, an arrow and a colour."""
    if value in (None, ""):
        return UNKNOWN
    amount = Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    text = ("+" if amount > 0 else "") + _text(amount, 2)
    style = "gain arrow" if amount > 0 else "loss arrow" if amount < 0 else ""
    return format_html('<span class="{}">{}</span>', style, text)


@register.filter
def price(value: Any) -> str:
    """A price with at least two places and never rounded."""
    if value in (None, ""):
        return UNKNOWN
    whole, _, fraction = format(Decimal(value), "f").partition(".")
    kept = fraction.rstrip("0").ljust(2, "0")
    return f"{int(whole):,}.{kept}".replace("-", MINUS)


@register.filter
def quantity(value: Any) -> str:
    """A whole number of shares."""
    return UNKNOWN if value in (None, "") else f"{int(value):,}".replace("-", MINUS)


@register.filter
def decimals(value: Any, places: int = 2) -> str:
    """A plain number with that many places."""
    # The z option of the format drops the sign of a zero.
    return UNKNOWN if value in (None, "") else f"{float(value):z,.{places}f}".replace("-", MINUS)


@register.filter
def whole(value: Any) -> str:
    """A number rounded to a whole one."""
    return UNKNOWN if value in (None, "") else f"{round(float(value)):,}".replace("-", MINUS)


@register.filter
def plain(value: Any) -> str:
    """A number without trailing zeros, or the text itself."""
    if value in (None, ""):
        return UNKNOWN
    if isinstance(value, float | Decimal) and value == int(value):
        value = int(value)
    return f"{value:,}".replace("-", MINUS) if isinstance(value, int | float | Decimal) else str(value)


@register.filter
def time_ns(value: Any) -> SafeString | str:
    """Time of day of nanoseconds since the epoch, UTC; microseconds on hover."""
    if not value:
        return UNKNOWN
    moment = time_of(int(value))
    shown = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
    return format_html('<time datetime="{0}" title="{0}">{1}</time>', moment.isoformat(), shown)


@register.filter
def clock_ns(value: Any) -> str:
    """Time of day of nanoseconds since the epoch, UTC, to the nanosecond."""
    return UNKNOWN if not value else f"{time_of(int(value)):%H:%M:%S}.{int(value) % 1_000_000_000:09d}"


@register.filter
def duration(value: Any) -> str:
    """Nanoseconds in the unit that people read them in."""
    if value in (None, ""):
        return UNKNOWN
    ns = int(value)
    for bound, divisor, places, unit in (
        (10_000, 1_000, 2, "µs"),
        (1_000_000, 1_000, 1, "µs"),
        (1_000_000_000, 1_000_000, 1, "ms"),
    ):
        if ns < bound:
            return f"{ns / divisor:.{places}f} {unit}"
    return f"{ns / 1_000_000_000:.1f} s"


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """Date and time of a UTC moment."""
    if value is None:
        return UNKNOWN
    shown = f"{value:%H:%M:%S}" if value.date() == timezone.now().date() else f"{value:%Y-%m-%d %H:%M:%S}"
    return format_html('<time datetime="{0}" title="{0}">{1}</time>', value.isoformat(), shown)


@register.filter
def until(value: datetime) -> str:
    """How long until a moment, in minutes."""
    left = value - timezone.now()
    return "now" if left <= timedelta() else f"{max(1, int(left.total_seconds() // 60))} min"


@register.filter
def state_badge(code: Any, enumeration: str) -> SafeString:
    """A state of the named enumeration as a badge: a word, a shape and a colour."""
    name = getattr(codes, enumeration)(int(code)).name
    text, style = STATE_WORDS.get(name, (words(name), ""))
    return format_html('<span class="badge {}">{}</span>', style, text)


@register.filter
def side(code: int) -> SafeString:
    """Buy or Sell."""
    name = codes.Side(int(code)).name
    return format_html('<span class="{}">{}</span>', name.lower(), words(name))


@register.filter
def algorithm(labels: dict[int, str], number: int) -> str:
    """What people call an algorithm, by its number."""
    return labels.get(int(number), f"algorithm {number}")


@register.filter
def average(parent: Any) -> Decimal | None:
    """Average price of what is filled of a parent order."""
    return average_price(parent)


@register.filter
def code_words(value: Any, enumeration: str) -> str:
    """A code of the named enumeration in words."""
    kind: type[IntEnum] = getattr(codes, enumeration)
    try:
        return words(kind(int(value)).name)
    except ValueError:
        return UNKNOWN


@register.filter
def code_name(value: Any, enumeration: str) -> str:
    """The name of a code, for scripts."""
    return str(getattr(codes, enumeration)(int(value)).name)


@register.filter
def sentence(value: Any) -> str:
    """SOME_CODE or some_name as words."""
    return words(str(value)) if value not in (None, "") else UNKNOWN


@register.filter
def grouped(value: Any) -> str:
    """A number's text with thousands separators and nothing rounded; empty for no value."""
    return "" if value in (None, "") else f"{Decimal(value):,f}".replace("-", MINUS)


@register.filter
def plain_limit(value: Any, name: str) -> str:
    """The bound of the named limit with its unit."""
    units = {"order_value": " USD", "daily_loss": " USD", "collar_basis_points": " bp", "orders_per_second": " /s"}
    number = money(value) if name in MONEY_LIMITS else quantity(value)
    return f"{number}{units.get(name, ' shares')}"


@register.filter
def limit_label(name: str) -> str:
    """What people call the limit."""
    return LABELS[name]


@register.filter
def rounded(value: Any) -> SafeString | str:
    """A number with six significant digits; all of them on hover."""
    short = plain(float(f"{value:.6g}")) if isinstance(value, float) else plain(value)
    return short if short == plain(value) else format_html('<span title="{}">{}</span>', plain(value), short)


@register.filter
def times(first: Any, second: Any) -> Decimal:
    """The product of two numbers."""
    return Decimal(first) * Decimal(second)


@register.filter
def item(mapping: dict[Any, Any], key: Any) -> Any:
    """The value under a key, or None."""
    return mapping.get(key)
