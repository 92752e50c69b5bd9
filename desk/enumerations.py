"""The engine's enumerations as choices of a database column: the same number and the same word on both sides."""

from enum import IntEnum


def choices_of(enumeration: type[IntEnum]) -> list[tuple[int, str]]:
    """Return (value, words) for every member, in order of value."""
    return [(member.value, words(member)) for member in sorted(enumeration)]


def words(member: IntEnum) -> str:
    """Return the member's name as it is written on screens."""
    return member.name.replace("_", " ").lower()
