"""Hot functions that call each other become one library of machine code: the one that Python calls, with everything
below it.

numba would optimise and emit every function together with all that it calls, so what lies at the bottom would be done
once for each of the dozen levels above it, and the loop's code would lie scattered in a library for each. Here a
function that is compiled for a caller stays what it is, intermediate code of its own; the outermost takes the pieces of
everything below it, makes them internal, so that they can be inlined, specialised and dropped, and is optimised,
emitted and cached once. A function that Python calls later although it was only a piece is then compiled as an
outermost one.
`docs/decisions/cold-compile.md` has the figures.

This reaches into numba: its library class, its dispatcher, its C callbacks. The version is pinned by the lock file, and
`tests/engine/test_quick_compile.py` fails when another one no longer has what is replaced.
"""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from numba.core import sigutils, types
from numba.core.caching import NullCache
from numba.core.ccallback import CFunc
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher
from numba.core.environment import lookup_environment
from numba.np import linalg

ENVIRONMENT_PREFIX = "_ZN08NumbaEnv"
Told = Callable[[], None]

_depth = 0
_compiled: list[Told] = []  # who wants to hear of each function that was compiled or loaded


class OneLibrary(JITCodeLibrary):
    """Machine code of an outermost function and of all that it calls; or, `deferred`, a piece for others."""

    deferred = False
    _piece: Any = None

    def _optimize_functions(self, module: Any) -> None:
        if _depth <= 1:  # pieces are optimised as parts of the whole
            super()._optimize_functions(module)
        else:
            module.data_layout = self._codegen._data_layout  # noqa: SLF001

    def finalize(self) -> None:
        """Become a piece when a caller is being compiled, else gather the pieces and emit."""
        self._raise_if_finalized()
        self._piece = self._final_module.clone()
        if _depth > 1:
            self.deferred = self._finalized = True
            return
        self._link(self._below())
        self._optimize_final_module()
        self._final_module.verify()
        self._finalize_final_module()
        self._share_environments()

    def _below(self) -> list[Any]:
        """Libraries of everything that is called from here, each once."""
        found: dict[int, Any] = {}
        waiting = list(self._linking_libraries)
        while waiting:
            library = waiting.pop()
            if id(library) in found or library is self:
                continue
            found[id(library)] = library
            self._reload_init.update(library._reload_init)  # noqa: SLF001
            if _is_piece(library):
                waiting += library._linking_libraries  # noqa: SLF001
        return list(found.values())

    def _link(self, libraries: list[Any]) -> None:
        own = set()
        for library in libraries:
            if not _is_piece(library):
                self._final_module.link_in(library._get_module_for_linking(), preserve=True)  # noqa: SLF001
                continue
            piece = library._piece.clone()  # noqa: SLF001
            for function in piece.functions:
                if not function.is_declaration and function.linkage == llvm.Linkage.external:
                    own.add(function.name)
            self._final_module.link_in(piece)
        for function in self._final_module.functions:
            if function.name in own and not function.is_declaration:
                function.linkage = llvm.Linkage.internal

    def _share_environments(self) -> None:
        for variable in self._final_module.global_variables:
            if variable.name.startswith(ENVIRONMENT_PREFIX):
                environment = lookup_environment(variable.name)
                if environment is not None:
                    self._codegen.set_env(variable.name, environment)


def _is_piece(library: Any) -> bool:
    return getattr(library, "_piece", None) is not None


@contextmanager
def _one_deeper() -> Iterator[int]:
    global _depth
    with global_compiler_lock:  # the depth is that of the one thread that compiles
        _depth += 1
        try:
            yield _depth
        finally:
            _depth -= 1
            for told in _compiled:
                told()


_compile, _add_overload, _compile_callback = Dispatcher.compile, Dispatcher.add_overload, CFunc.compile
_call_template = Dispatcher.get_call_template
_set_environment = JITCPUCodegen.set_env


def say_waiting() -> None:
    """For people who wonder."""
    print("another process is compiling this; waiting for it", file=sys.stderr, flush=True)


@contextmanager
def _one_process(cache: Any) -> Iterator[None]:
    """What a process is compiling for the cache others wait for: several that start together would each compile it."""
    index = getattr(getattr(cache, "_cache_file", None), "_index_path", None)
    if index is None or Path(index).exists():
        yield
        return
    with Path(f"{index}.lock").open("w") as lock:  # ends with the file, and so with a process that was killed
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say_waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compile_piece(dispatcher: Any, signature: Any) -> Any:
    options, cache = dispatcher.targetoptions, dispatcher._cache  # noqa: SLF001
    dispatcher._cache = NullCache()  # noqa: SLF001
    options["no_cpython_wrapper"] = True
    try:
        return _compile(dispatcher, signature)
    finally:
        dispatcher._cache = cache  # noqa: SLF001
        del options["no_cpython_wrapper"]


def _compile_dispatcher(self: Any, signature: Any) -> Any:
    with _one_deeper() as depth:
        arguments, _ = sigutils.normalize_signature(signature)
        known = self.overloads.get(tuple(arguments))
        if depth > 1:
            # What was loaded is a whole without pieces: linked into others it would be a second copy of what is below.
            if known is not None and not _is_piece(known.library):
                del self.overloads[tuple(arguments)]
            return _compile_piece(self, signature)
        if known is not None and getattr(known.library, "deferred", False):
            del self.overloads[tuple(arguments)]
        with _one_process(self._cache):
            return _compile(self, signature)


def _add_compiled(self: Any, compiled: Any) -> None:
    if getattr(compiled.library, "deferred", False):
        self.overloads[tuple(compiled.signature.args)] = compiled  # nothing that Python could call yet
    else:
        _add_overload(self, compiled)


def _as_passed(kind: Any) -> Any:
    """Integers are passed as signed 64-bit ones, those of narrow fields and those that the caller's source tells too:
    numba would compile the function once for each width and once for each such number. LLVM still specialises what it
    inlines."""
    kind = types.misc.unliteral(kind)
    return types.int64 if isinstance(kind, types.Integer) and int(kind.bitwidth) < 64 else kind  # type: ignore[attr-defined]


def _call_with_wide_integers(self: Any, arguments: Any, keywords: Any) -> Any:
    if not self.targetoptions.get("nogil"):  # numba's own
        return _call_template(self, arguments, keywords)
    named = {name: _as_passed(kind) for name, kind in keywords.items()}
    return _call_template(self, tuple(map(_as_passed, arguments)), named)


def _compile_cfunc(self: Any) -> Any:
    with _one_deeper():
        return _compile_callback(self)


def _set_known_environment(self: Any, name: str, environment: Any) -> None:
    if self._engine.is_symbol_defined(name):
        _set_environment(self, name, environment)


def listen(told: Told) -> Callable[[], None]:
    """`told` is called after each function that was compiled or loaded; what is returned ends that."""
    _compiled.append(told)
    return lambda: _compiled.remove(told)


def _no_blas() -> None:
    raise ImportError("hot code has no matrices")


def install() -> None:
    """Make numba compile so, in this process, from now on. It is also kept from looking for BLAS, which no hot function
    needs: it would import half of scipy at every start."""
    linalg.ensure_blas = _no_blas
    for owner, name, replacement in (
        (JITCPUCodegen, "_library_class", OneLibrary),
        (JITCPUCodegen, "set_env", _set_known_environment),
        (Dispatcher, "compile", _compile_dispatcher),
        (Dispatcher, "add_overload", _add_compiled),
        (Dispatcher, "get_call_template", _call_with_wide_integers),
        (CFunc, "compile", _compile_cfunc),
    ):
        setattr(owner, name, replacement)
