"""Prices and money are integers in 1/10,000 of the currency; decimals exist only at the edges, and only here they
convert."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation, Overflow

PRICE_SCALE = 10_000
BEYOND = 1 << 62
FOREVER_NS = (1 << 63) - 1  # the end of an order that has none
LARGEST_PROTECTION = 1_000  # basis points from the touch to the limit of a market order
_EXPONENT = Decimal(1).scaleb(-4)


def to_decimal(value: int) -> Decimal:
    """Integer price or money to a decimal with four places."""
    return (Decimal(int(value)) / PRICE_SCALE).quantize(_EXPONENT)


def from_decimal(value: Decimal | str) -> int:
    """Decimal or its text to an integer price. ValueError when it is not a number, finer than 1/10,000, or larger than
    any record holds."""
    try:
        scaled = Decimal(value) * PRICE_SCALE
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a decimal number") from None
    except Overflow:
        raise ValueError(f"{value} is too large") from None
    if scaled.is_finite() and abs(scaled) >= BEYOND:
        raise ValueError(f"{value} is too large")  # and would take minutes to become an integer
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{value} is finer than 1/{PRICE_SCALE}")
    return int(scaled)


def fixed_text(value: int, decimals: int) -> str:
    """An integer in units of 10^-decimals as exact decimal text with that many places."""
    if not decimals:
        return str(value)
    digits = str(abs(value)).rjust(decimals + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"
