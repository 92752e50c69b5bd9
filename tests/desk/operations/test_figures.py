from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from desk.operations.templatetags import figures


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, "—"),
        ("0", "0.00"),
        ("1234567.895", "1,234,567.90"),
        ("-0.004", "0.00"),
        ("-1234.5", "\u22121,234.50"),
    ],
)
def test_money_has_two_places_thousands_and_a_real_minus(text: str | None, shown: str) -> None:
    assert figures.money(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("12.5", '<span class="gain arrow">+12.50</span>'),
        ("-12.5", '<span class="loss arrow">\u221212.50</span>'),
        ("0.001", '<span class="">0.00</span>'),
    ],
)
def test_profit_and_loss_differ_by_sign_and_arrow_not_by_colour_alone(text: str, shown: str) -> None:
    assert figures.pnl(Decimal(text)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("100.0000", "100.00"), ("100.1250", "100.125"), ("0.0001", "0.0001"), ("12345.6000", "12,345.60"), (None, "—")],
)
def test_a_price_is_never_rounded(text: str | None, shown: str) -> None:
    assert figures.price(text and Decimal(text)) == shown


def test_a_time_is_utc_with_microseconds_on_hover() -> None:
    assert figures.time_ns(1_700_000_000_123_456_789) == (
        '<time datetime="2023-11-14T22:13:20.123456+00:00" title="2023-11-14T22:13:20.123456+00:00">22:13:20.123</time>'
    )


@pytest.mark.parametrize(
    ("ns", "shown"),
    [(None, "—"), (0, "0.00 µs"), (9_999, "10.00 µs"), (10_000, "10.0 µs"), (2_500_000, "2.5 ms"), (10**9, "1.0 s")],
)
def test_a_duration_has_the_unit_that_people_read_it_in(ns: int | None, shown: str) -> None:
    assert figures.duration(ns) == shown


def test_a_clock_goes_to_the_nanosecond() -> None:
    assert figures.clock_ns(1_700_000_000_123_456_789) == "22:13:20.123456789"
    assert figures.clock_ns(0) == "—"


def test_a_state_has_a_word() -> None:
    assert figures.state_badge(10, "OrderState") == '<span class="badge warn">UNKNOWN</span>'


def test_what_expires_tells_the_minutes_left() -> None:
    soon = timezone.now() + timedelta(minutes=12, seconds=30)
    assert (figures.until(soon), figures.until(timezone.now())) == ("12 min", "now")
