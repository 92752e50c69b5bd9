"""What numba does for every function that it reads and that hot code has no use for, left out or done faster.

Most of a cold compile is numba's reading of the sources, and a good part of that was spent here: looking for closures
where there are none, for array arithmetic between plain numbers, writing a listing of types that nobody prints, going
through the same few kinds of values one `isinstance` after the other, listing after every pass which variables live
where, asking every rule anew what the sum of two integers is. The code that comes out is the same.
`docs/decisions/cold-compile.md` has the rest.
"""

from __future__ import annotations

from typing import Any

from numba.core import ir, transforms, types
from numba.core.postproc import PostProcessor, VariableLifetime
from numba.core.targetconfig import TargetConfig
from numba.core.typed_passes import AnnotateTypes
from numba.core.types import ArrayCompatible
from numba.core.types.functions import BaseFunction
from numba.core.typing.npydecl import NumpyRulesArrayOperator
from numba.core.untyped_passes import InlineClosureLikes

_rec_list_vars = ir.Inst._rec_list_vars  # noqa: SLF001
_operator = NumpyRulesArrayOperator.generic
_inline_closures = InlineClosureLikes.run_pass
_post_process = PostProcessor.run
_call_type = BaseFunction.get_call_type

_has_variables: dict[type, bool] = {ir.Var: True}
_defaults: dict[type, dict[str, Any]] = {}
_known_calls: dict[Any, Any] = {}


def _variables(self: Any, value: Any) -> list[Any]:
    """As numba's, with one look at the type: most of what statements hold is names, numbers and places."""
    kind = type(value)
    if kind is ir.Var:
        return [value]
    has = _has_variables.get(kind)
    if has is None:
        has = _has_variables[kind] = issubclass(kind, (ir.Inst, list, tuple, dict))
    return _of_parts(self, value) if has else []


def _of_parts(self: Any, value: Any) -> list[Any]:
    if isinstance(value, ir.Inst):
        return list(value.list_vars())
    parts = value.values() if isinstance(value, dict) else value
    return [variable for part in parts for variable in _variables(self, part)]


def _values(self: Any) -> dict[str, Any]:
    """Every option with its value: what was set over what it is otherwise."""
    kind = type(self)
    defaults = _defaults.get(kind)
    if defaults is None:
        defaults = _defaults[kind] = {name: option.default for name, option in kind.options.items()}
    return defaults | self._values


def _no_listing(_self: Any, state: Any) -> bool:
    """Nobody prints the types of hot code."""
    state.type_annotation = ""
    return False


def _operator_of_arrays(self: Any, arguments: Any, keywords: Any) -> Any:
    """numba finds the kernel of an array first and then that there is no array."""
    if any(isinstance(getattr(kind, "type", kind), ArrayCompatible) for kind in arguments):
        return _operator(self, arguments, keywords)
    return None


def _closures_if_any(self: Any, state: Any) -> bool:
    """Only a function that makes another has closures to inline."""
    for block in state.func_ir.blocks.values():
        if next(block.find_exprs("make_function"), None) is not None:
            return bool(_inline_closures(self, state))
    return False


def _live_when_asked(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
    """Only generators, of which hot code has none, need to be told which variables live at the start of a block;
    `VariableLifetime` finds out when it is asked, which is once and not after every pass."""
    if self.func_ir.is_generator:
        _post_process(self, emit_dels, extend_lifetimes)
        return
    self.func_ir.blocks = transforms.canonicalize_cfg(self.func_ir.blocks)
    self.func_ir.variable_lifetime = VariableLifetime(self.func_ir.blocks)
    self.func_ir.generator_info = None
    if emit_dels:
        self._insert_var_dels(extend_lifetimes=extend_lifetimes)


def _call_of_numbers(self: Any, context: Any, arguments: Any, keywords: Any) -> Any:
    """What an operator between plain numbers gives does not change: it is found once."""
    plain = tuple(map(types.misc.unliteral, arguments))
    operator = getattr(self.typing_key, "__module__", "") == "_operator"
    if keywords or not operator or not all(isinstance(kind, types.Number) for kind in plain):
        return _call_type(self, context, arguments, keywords)
    if any(template.prefer_literal for template in self.templates):
        return _call_type(self, context, arguments, keywords)
    known = _known_calls.get((self, plain))
    if known is None:
        known = _known_calls[self, plain] = _call_type(self, context, plain, keywords)
    return known


def install() -> None:
    """Let numba of this process read so from now on."""
    for owner, name, replacement in (
        (ir.Inst, "_rec_list_vars", _variables),
        (TargetConfig, "values", _values),
        (AnnotateTypes, "run_pass", _no_listing),
        (NumpyRulesArrayOperator, "generic", _operator_of_arrays),
        (InlineClosureLikes, "run_pass", _closures_if_any),
        (PostProcessor, "run", _live_when_asked),
        (BaseFunction, "get_call_type", _call_of_numbers),
    ):
        setattr(owner, name, replacement)
