"""Parameters as people read them."""

from __future__ import annotations

import pytest

from engine.messages.catalogue import YES_OR_NO, Parameter

NUMBER = Parameter("patience", "Patience", "seconds", 0.0, 60.0, 2.0)
CHOICE = Parameter("complete", "Complete", YES_OR_NO, 0, 1, 1, step=1)


@pytest.mark.parametrize(
    ("parameter", "value", "told"),
    [
        (NUMBER, 2.5, ("seconds", 2.5)),
        (CHOICE, 1.0, ("", "yes")),
        (CHOICE, 0, ("", "no")),
        (CHOICE, 7.0, ("", "7")),
    ],
)
def test_a_number_has_its_unit_and_a_choice_is_its_word(
    parameter: Parameter, value: float, told: tuple[str, float | str]
) -> None:
    assert parameter.told(value) == told
