"""Native backend of `engine.native`: LLVM loads and stores, libc calls found by symbol name, so all of it can be
cached."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

I8, I16, I32, I64 = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)

STRATEGY_SIGNATURE = types.int64(types.int64, types.int64, types.int64)
ENTRY_SIGNATURE = types.int64(*[types.int64] * 11)


def hot(function: Any) -> Any:
    """Compile for the loop: no interpreter, no bounds check, divisions never raise, cached by build."""
    return njit(nogil=True, cache=True, error_model="numpy", no_cfunc_wrapper=True)(function)


def hot_inlined(function: Any) -> Any:
    """As `hot`, and always part of its caller: for small steps on the usual way, where a call costs 2 ns."""
    return njit(nogil=True, cache=True, error_model="numpy", forceinline=True, no_cfunc_wrapper=True)(function)


def hot_entry(function: Any) -> Any:
    """As `hot`, for one of ENTRY_SIGNATURE that other compiled code calls at an address, without a copy of its own."""
    return njit(nogil=True, cache=True, error_model="numpy")(function)


def address_of_entry(compiled: Any) -> int:
    """Entry point of what `hot_entry` made, for `call_entry`; compiled or loaded first if need be."""
    compiled.compile(ENTRY_SIGNATURE.args)
    made = compiled.overloads[ENTRY_SIGNATURE.args]
    return int(made.library.get_pointer_to_function(made.fndesc.llvm_cfunc_wrapper_name))


@intrinsic
def call_entry(_context: Any, entry: Any, what: Any, engine: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """Call what `hot_entry` made, at address `entry`; the last four of its arguments are 0."""

    def generate(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(I64, [I64] * len(ENTRY_SIGNATURE.args))
        padding = [I64(0)] * (len(ENTRY_SIGNATURE.args) - len(args) + 1)
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [*args[1:], *padding])

    return types.int64(*[types.int64] * 8), generate


def compile_strategy(function: Any) -> Any:
    """Compile a strategy hook to a plain native function (context, row, event) -> requests made."""
    return cfunc(STRATEGY_SIGNATURE, nopython=True, cache=True, error_model="numpy")(function)


def address_of_function(compiled: Any) -> int:
    """Entry point of what `compile_strategy` made, for the loop's table."""
    return int(compiled.address)


@intrinsic
def call_strategy(_context: Any, entry: Any, context: Any, row: Any, event: Any) -> Any:
    """Call the native function at address `entry`."""

    def generate(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(I64, [I64, I64, I64])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    return types.int64(types.int64, types.int64, types.int64, types.int64), generate


def _loader(bits: int, swap: bool, pick: int = 0) -> Any:
    def generate(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        value = builder.load(builder.inttoptr(args[0], ir.IntType(bits).as_pointer()))
        value.align = 1
        if swap and bits > 8:
            value = builder.bswap(value)
        return builder.zext(value, I64) if bits < 64 else value

    @intrinsic
    def load(_context: Any, _address: Any) -> Any:
        return types.int64(types.int64), generate

    return load


def _storer(bits: int, swap: bool) -> Any:
    def generate(ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        value = builder.trunc(args[1], ir.IntType(bits)) if bits < 64 else args[1]
        if swap and bits > 8:
            value = builder.bswap(value)
        stored = builder.store(value, builder.inttoptr(args[0], ir.IntType(bits).as_pointer()))
        stored.align = 1
        return ctx.get_dummy_value()

    @intrinsic
    def store(_context: Any, _address: Any, _value: Any) -> Any:
        return types.void(types.int64, types.int64), generate

    return store


load_u8, load_be16, load_be32, load_be64 = _loader(8, False), _loader(16, True), _loader(32, True), _loader(64, True)
load_le16, load_le32, load_i64 = _loader(16, False), _loader(32, False), _loader(64, False)
store_u8, store_be16, store_be32, store_be64 = (
    _storer(8, False),
    _storer(16, True),
    _storer(32, True),
    _storer(64, True),
)
store_le16, store_le32, store_i64 = _storer(16, False), _storer(32, False), _storer(64, False)


@njit(inline="always")
def load_be48(address):
    """Six bytes, big endian (ITCH Timestamp). Reads no byte outside them."""
    return (load_be16(address) << 32) | load_be32(address + 2)


@njit(inline="always")
def store_be48(address, value):
    """Six bytes, big endian."""
    store_be16(address, value >> 32)
    store_be32(address + 2, value & 0xFFFFFFFF)


@intrinsic
def load_f64(_context: Any, _address: Any) -> Any:
    """A double at an aligned address."""

    def generate(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], ir.DoubleType().as_pointer()))

    return types.float64(types.int64), generate


@intrinsic
def store_f64(_context: Any, _address: Any, _value: Any) -> Any:
    """Store a double at an aligned address."""

    def generate(ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], ir.DoubleType().as_pointer()))
        return ctx.get_dummy_value()

    return types.void(types.int64, types.float64), generate


@intrinsic
def load_acquire(_context: Any, _address: Any) -> Any:
    """64 bits that another process published with `store_release`."""

    def generate(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(args[0], I64.as_pointer()), "acquire", 8)

    return types.int64(types.int64), generate


@intrinsic
def store_release(_context: Any, _address: Any, _value: Any) -> Any:
    """Publish 64 bits: everything written before is seen by whoever reads this with `load_acquire`."""

    def generate(ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        builder.store_atomic(args[1], builder.inttoptr(args[0], I64.as_pointer()), "release", 8)
        return ctx.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def cycle_counter(_context: Any) -> Any:
    """The processor's time stamp counter."""

    def generate(_ctx: Any, builder: Any, _sig: Any, _args: Any) -> Any:
        kind = ir.FunctionType(I64, [])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.readcyclecounter"), [])

    return types.int64(), generate


@intrinsic
def pause(_context: Any) -> Any:
    """Tell the processor that this is a spin."""

    def generate(ctx: Any, builder: Any, _sig: Any, _args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [])
        if llvm.get_process_triple().startswith("x86_64"):
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return ctx.get_dummy_value()

    return types.void(), generate


@intrinsic
def prefetch(_context: Any, _address: Any) -> Any:
    """Bring the cache line at `address` near; never faults."""

    def generate(ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [I8.as_pointer(), I32, I32, I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [builder.inttoptr(args[0], I8.as_pointer()), I32(1), I32(3), I32(1)])
        return ctx.get_dummy_value()

    return types.void(types.int64), generate


def _count_zeros(name: str) -> Any:
    @intrinsic
    def count(_context: Any, _value: Any) -> Any:
        def generate(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
            kind = ir.FunctionType(I64, [I64, ir.IntType(1)])
            function = cgutils.get_or_insert_function(builder.module, kind, name)
            return builder.call(function, [args[0], ir.IntType(1)(0)])

        return types.int64(types.int64), generate

    return count


count_trailing_zeros = _count_zeros("llvm.cttz.i64")
count_leading_zeros = _count_zeros("llvm.ctlz.i64")


@njit(inline="always")
def wrap(value):
    """The value as a signed 64-bit integer. For shifts only: + - * must not overflow, numba promises LLVM so."""
    return value


recv = types.ExternalFunction("recv", types.int64(types.int32, types.int64, types.int64, types.int32))
send = types.ExternalFunction("send", types.int64(types.int32, types.int64, types.int64, types.int32))
sendto = types.ExternalFunction(
    "sendto", types.int64(types.int32, types.int64, types.int64, types.int32, types.int64, types.int32)
)
poll = types.ExternalFunction("poll", types.int32(types.int64, types.int64, types.int32))
_clock_gettime = types.ExternalFunction("clock_gettime", types.int32(types.int32, types.int64))
_errno_location = types.ExternalFunction("__errno_location", types.int64())
_memcpy = types.ExternalFunction("memcpy", types.int64(types.int64, types.int64, types.int64))
_memset = types.ExternalFunction("memset", types.int64(types.int64, types.int32, types.int64))


@njit(inline="always")
def copy_bytes(target, source, length):
    """Copy `length` bytes between addresses that do not overlap."""
    _memcpy(target, source, length)


@njit(inline="always")
def zero_bytes(target, length):
    """Set `length` bytes to zero."""
    _memset(target, 0, length)


@njit(inline="always")
def clock_gettime(clock, timespec):
    """Nanoseconds of `clock` (0 realtime, 1 monotonic); `timespec` is the address of 16 spare bytes."""
    _clock_gettime(clock, timespec)
    return load_i64(timespec) * 1_000_000_000 + load_i64(timespec + 8)


@njit(inline="always")
def errno():
    """The error number of this thread's last libc call."""
    return load_le32(_errno_location())
