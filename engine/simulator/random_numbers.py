"""The simulator's own random numbers: L'Ecuyer's combined congruential generator (1988), period above 2 * 10**18.

No product comes near 2**63: compiled signed arithmetic may not overflow, not even under a mask.
"""

from __future__ import annotations

import hashlib
from statistics import NormalDist

import numpy as np

from engine.native import hot, load_i64, store_i64

FIRST_MODULUS, FIRST_MULTIPLIER = 2147483563, 40014
SECOND_MODULUS, SECOND_MULTIPLIER = 2147483399, 40692
TABLE_SIZE = 1 << 12
UNIT = 1 << 20  # tables hold fixed-point values in this unit


@hot
def draw(state, bound):
    """A number from 0 to `bound` - 1 (at most 2**31); `state` is the address of the generator's two 64-bit words."""
    first = load_i64(state) * FIRST_MULTIPLIER % FIRST_MODULUS
    second = load_i64(state + 8) * SECOND_MULTIPLIER % SECOND_MODULUS
    store_i64(state, first)
    store_i64(state + 8, second)
    mixed = first - second
    if mixed < 1:
        mixed += FIRST_MODULUS - 1
    return (mixed - 1) * bound // (FIRST_MODULUS - 1)


@hot
def draw_from(state, table):
    """The next value of a distribution, in 1/UNIT; `table` is the address of TABLE_SIZE quantiles."""
    return load_i64(table + 8 * draw(state, TABLE_SIZE))


def normal_table() -> np.ndarray:
    """Quantiles of the standard normal distribution, int64 in 1/UNIT."""
    quantile = NormalDist().inv_cdf
    return np.array([round(quantile((i + 0.5) / TABLE_SIZE) * UNIT) for i in range(TABLE_SIZE)], np.int64)


def gap_table() -> np.ndarray:
    """Quantiles of the exponential distribution with mean 1, int64 in 1/UNIT."""
    shares = (np.arange(TABLE_SIZE) + 0.5) / TABLE_SIZE
    return np.round(-np.log1p(-shares) * UNIT).astype(np.int64)


def seeded_state(seed: int, stream: int) -> tuple[int, int]:
    """The two starting words of one stream of a seed."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    first, second = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")
    return 1 + first % (FIRST_MODULUS - 1), 1 + second % (SECOND_MODULUS - 1)
