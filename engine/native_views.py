"""Native rows of tables: `view(address, count, dtype)[n]` is a pointer to record n, and nothing else.

An array of numba's would carry shape, strides and an owner through every function, and wrap negative indices around at
every look. A view is its address, so that looking at a row costs one multiplication that the compiler folds away.
`count` says to the reader how many rows there are; nothing checks it.
"""

from __future__ import annotations

import operator
from typing import Any

from numba import from_dtype, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, lower_getattr, models, register_model
from numba.np.arrayobj import record_getattr


class View(types.Type):
    """Rows of `dtype`, a record type, from an address on."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"View({dtype})")


@register_model(View)
class ViewModel(models.PrimitiveModel):
    """An address."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, manager[types.int64].get_value_type())


@intrinsic
def view(_context: Any, _address: Any, _count: Any, dtype: Any) -> Any:
    """`count` records of `dtype` at `address`."""

    def generate(_ctx: Any, _builder: Any, _sig: Any, args: Any) -> Any:
        return args[0]

    return View(dtype.dtype)(types.int64, types.int64, dtype), generate


@infer_global(operator.getitem)
class GetRow(AbstractTemplate):
    """Row of a view by an integer."""

    def generic(self, args: Any, _keywords: Any) -> Any:
        """Type of view[index]."""
        rows, index = args
        if isinstance(rows, View) and isinstance(index, types.Integer):
            return signature(rows.dtype, rows, types.int64)
        return None


@lower_builtin(operator.getitem, View, types.int64)
def get_row(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Address of the row, as the pointer that a record is."""
    kind = sig.args[0].dtype
    size = context.get_constant(types.int64, kind.size)
    address = builder.add(args[0], builder.mul(args[1], size))
    return builder.inttoptr(address, context.get_value_type(kind))


_fixed: dict[str, set[types.Record]] = {}


def fix_fields(dtype: Any, names: tuple[str, ...]) -> None:
    """Fields of a record that nobody writes while compiled code runs: addresses and sizes of tables.

    Without this every store to any table makes the compiler read them all again, because it could have changed them.
    """
    kind = from_dtype(dtype)
    for name in names:
        if name not in _fixed:
            _fixed[name] = set()
            lower_getattr(types.Record, name)(_reader(name))
        _fixed[name].add(kind)


def _reader(name: str) -> Any:
    def read(context: Any, builder: Any, kind: Any, pointer: Any) -> Any:
        value = record_getattr(context, builder, kind, pointer, name)
        if kind in _fixed[name]:
            value.set_metadata("invariant.load", builder.module.add_metadata([]))
        return value

    return read
