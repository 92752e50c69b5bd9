from desk.fields import Field, filled, other_errors

NAME, PRICE = Field("name", "Name"), Field("price", "Price", value="1.00")


def test_what_was_typed_and_what_is_wrong_with_it_stand_in_the_field() -> None:
    name, price = filled([NAME, PRICE], {"name": "<b>"}, {"price": "Too high."})
    assert [(name.value, name.error), (price.value, price.error)] == [("<b>", ""), ("1.00", "Too high.")]


def test_errors_of_no_field_are_told_for_the_whole_form() -> None:
    assert other_errors([NAME, PRICE], {"name": "Taken.", "": "Closed.", "team": "Unknown."}) == ["Closed.", "Unknown."]
