"""Laws of diameters that diameter_synthesis fits to reconstructions, and draws from them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from region_grower_flow.engine.kernels.jit import inlined, kernel

Law: TypeAlias = tuple[float, float, float, float, float, float, float]
"""A row of the laws, in the order of their columns."""

Laws: TypeAlias = tuple[Law, Law, Law, Law, Law]
"""The laws of a neurite type, in the order of their rows."""

TRUNK, TERMINAL, TAPER, SIBLING, POWER = range(5)
"""Rows of the laws: trunk and terminal diameter (um), taper, sibling ratio, power relation."""

FORM, SHAPE, LOC, SCALE, LOW, HIGH, VALUE = range(7)
"""Columns of the laws: the form, its parameters, the bounds, the value of a constant."""

CONSTANT, EXPON_REV, EXPONNORM, GAMMA = range(4)
"""Forms of a law (diameter_synthesis's names)."""

MAX_TRUNCATE_TRIES = 100
"""A law is drawn from again so many times when a value is out of bounds."""


@kernel
def law_of(laws: np.ndarray, row: int) -> Law:
    """A row of the laws as a tuple: passing arrays around costs several times more than a draw."""
    return (
        laws[row, FORM],
        laws[row, SHAPE],
        laws[row, LOC],
        laws[row, SCALE],
        laws[row, LOW],
        laws[row, HIGH],
        laws[row, VALUE],
    )


@kernel
def scaled(law: Law, factor: float) -> Law:
    """The law with its scale multiplied."""
    form, shape, loc, scale, low, high, constant = law
    return (form, shape, loc, scale * factor, low, high, constant)


@inlined
def draw(rng: np.random.Generator, law: Law) -> float:
    """A value of a law (a tuple) within its bounds, NaN when there is none.

    Mirrors diameter_synthesis.distribution_fitting.sample_distribution.
    """
    form, shape, loc, scale, low, high, constant = law
    if form == CONSTANT:
        return constant
    if form == GAMMA:
        return _draw_gamma(rng, law)
    value = _draw_once(rng, form, shape, loc, scale)
    if low == high:
        return low
    tries = 0
    while value > high or value < low:
        value = _draw_once(rng, form, shape, loc, scale)
        tries += 1
        if tries >= MAX_TRUNCATE_TRIES:
            return np.nan
    return value


@inlined
def _draw_once(
    rng: np.random.Generator, form: float, shape: float, loc: float, scale: float
) -> float:
    if form == EXPON_REV:
        return -(loc + scale * rng.standard_exponential())
    tail = rng.standard_exponential() * shape
    return loc + scale * (tail + rng.standard_normal())


@kernel
def _draw_gamma(rng: np.random.Generator, law: Law) -> float:
    """As :func:`draw`, apart: its long code in each draw would slow all others by a fifth."""
    _, shape, loc, scale, low, high, _ = law
    value = loc + scale * rng.standard_gamma(shape)
    if low == high:
        return low
    tries = 0
    while value > high or value < low:
        value = loc + scale * rng.standard_gamma(shape)
        tries += 1
        if tries >= MAX_TRUNCATE_TRIES:
            return np.nan
    return value
