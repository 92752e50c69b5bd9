"""Hypothesis strategies for the values of any layout."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engine.protocols.layouts import Kind, Layout

TEXT = st.characters(min_codepoint=33, max_codepoint=126)


def value_of(kind: Kind) -> st.SearchStrategy[Any]:
    """Any value that the wire type can hold."""
    if kind.name.startswith("alpha"):
        return st.text(TEXT, max_size=kind.length)
    if kind.name.startswith("numeric"):
        return st.integers(0, 10 ** min(kind.length, 18) - 1)
    if kind.code == "i":
        return st.integers(-(2**31), 2**31 - 1)
    return st.integers(0, 256**kind.length - 1)


def values_of(layout: Layout) -> st.SearchStrategy[dict[str, Any]]:
    """Values in wire order for every field but type and packet length."""
    fields = {name: value_of(kind) for name, kind, _ in layout.rows if name not in ("type", "packet_length")}
    return st.fixed_dictionaries(fields).map(lambda values: {name: values[name] for name in fields})
