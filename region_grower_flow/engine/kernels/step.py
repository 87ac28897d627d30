"""One step of a section (mirrors neurots.generate.section.SectionGrower)."""

from __future__ import annotations

import numpy as np

from region_grower_flow.engine.kernels.jit import inlined, kernel
from region_grower_flow.engine.kernels.state import CONSTANT, DATA, EXPON, MEMORY, NORM, Vector

WEIGHTS = np.exp(np.arange(1, MEMORY + 1) - MEMORY)
"""Weights of the latest directions, the latest last (NeuroTS's ``WEIGHTS``)."""

LEAST_WAY = 8.0
"""Least way (um) to its end on which a section comes back to its line (the lever ``steer``)."""

MIN_HISTORY = 1e-8
"""A history shorter than this is left as it is (NeuroTS's ``DISTANCE_MIN``)."""


@inlined
def random_direction(rng: np.random.Generator) -> Vector:
    """A direction drawn uniformly on the sphere (mirrors neurots.morphmath.get_random_point)."""
    phi = rng.uniform(0.0, 2.0 * np.pi)
    # NeuroTS draws theta = arccos(z): the same to 1e-16, without three functions a step.
    z = rng.uniform(-1.0, 1.0)
    sin_theta = np.sqrt((1.0 - z) * (1.0 + z))
    return np.cos(phi) * sin_theta, np.sin(phi) * sin_theta, z


@inlined
def remember(section: np.record, x: float, y: float, z: float) -> None:
    """Put a direction into the ring of the latest ones."""
    slot = section.n_latest % MEMORY
    section.latest[slot, 0] = x
    section.latest[slot, 1] = y
    section.latest[slot, 2] = z
    section.n_latest += 1


@inlined
def history(section: np.record) -> Vector:
    """The weighted mean of the latest directions, as a unit vector (SectionGrower.history)."""
    count = min(section.n_latest, MEMORY)
    x = y = z = 0.0
    slot = (section.n_latest - count) % MEMORY
    for i in range(MEMORY - count, MEMORY):
        weight = WEIGHTS[i]
        x += weight * section.latest[slot, 0]
        y += weight * section.latest[slot, 1]
        z += weight * section.latest[slot, 2]
        slot += 1
        if slot == MEMORY:  # a modulo at each would cost more than all else here
            slot = 0
    length = np.sqrt(x * x + y * y + z * z)
    if length > MIN_HISTORY:
        x /= length
        y /= length
        z /= length
    return x, y, z


@inlined
def heading(section: np.record, rules: np.record) -> Vector:
    """The direction in which the section's target and its history lead it, not normalized.

    Args:
        section: SECTION record.
        rules: RULES record of its neurite type.
    """
    x, y, z = history(section)
    return (
        rules.targeting * section.direction[0] + rules.history * x,
        rules.targeting * section.direction[1] + rules.history * y,
        rules.targeting * section.direction[2] + rules.history * z,
    )


@inlined
def unit(x: float, y: float, z: float) -> Vector:
    """The vector scaled to length 1, NaN for none."""
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@inlined
def drift(section: np.record, rules: np.record, x: float, y: float, z: float) -> None:
    """Turn the section's target towards a random direction, and back (the lever ``wander``).

    An Ornstein-Uhlenbeck process around the section's aim; with the lever ``steer``, around the
    direction that leads from where the section is to its line, so that it ends on it.
    """
    amount, back = rules.wander * section.bend, rules.wander_return
    along = slant = 0.0
    off_x = section.last[0] - section.begin[0]
    off_y = section.last[1] - section.begin[1]
    off_z = section.last[2] - section.begin[2]
    if rules.steer > 0.0:
        along = off_x * section.aim[0] + off_y * section.aim[1] + off_z * section.aim[2]
        left = min(section.bif, section.term) - section.pathlength
        slant = rules.steer / max(left, LEAST_WAY)
    x = section.direction[0] + amount * x
    y = section.direction[1] + amount * y
    z = section.direction[2] + amount * z
    straight = 1.0 + slant * along
    x += back * (straight * section.aim[0] - slant * off_x - section.direction[0])
    y += back * (straight * section.aim[1] - slant * off_y - section.direction[1])
    z += back * (straight * section.aim[2] - slant * off_z - section.direction[2])
    length = np.sqrt(x * x + y * y + z * z)
    section.direction[0] = x / length
    section.direction[1] = y / length
    section.direction[2] = z / length


@inlined
def propose(
    section: np.record, rules: np.record, randomness: float, rng: np.random.Generator
) -> Vector:
    """The direction of the next step, partly random (mirrors SectionGrower._propose).

    Args:
        section: SECTION record.
        rules: RULES record of its neurite type.
        randomness: weight of the random direction.
        rng: the cell's generator.
    """
    x, y, z = heading(section, rules)
    random_x, random_y, random_z = random_direction(rng)
    randomness *= section.bend
    if rules.wander > 0.0:
        drift(section, rules, random_x, random_y, random_z)
    return unit(x + randomness * random_x, y + randomness * random_y, z + randomness * random_z)


@inlined
def step_length(rules: np.record, steps: np.ndarray, rng: np.random.Generator) -> float:
    """A positive length (um) of a step (mirrors neurots.morphmath.sample.Distr.draw_positive).

    Args:
        rules: RULES record.
        steps: (n, 2) table of lengths and their cumulated probabilities, for ``data``.
        rng: the cell's generator.
    """
    if rules.step_kind == CONSTANT:
        return rules.step_loc
    if rules.step_kind == DATA:
        return chosen_length(rules, steps, rng.random())
    length = 0.0
    while length <= 0.0:
        if rules.step_kind == NORM:
            draw = rng.standard_normal()
        elif rules.step_kind == EXPON:
            draw = rng.standard_exponential()
        else:
            draw = rng.random()
        length = rules.step_loc + rules.step_scale * draw
    return length


@kernel
def chosen_length(rules: np.record, steps: np.ndarray, draw: float) -> float:
    """One of the lengths of ``data``, as Generator.choice chooses by a uniform draw."""
    i = rules.first_step
    while i < rules.last_step - 1 and steps[i, 1] <= draw:
        i += 1
    return steps[i, 0]


@inlined
def advance(section: np.record, direction: Vector, length: float) -> None:
    """Move the section's end by a step and remember its direction."""
    x, y, z = direction
    section.pathlength += length
    section.last[0] += length * x
    section.last[1] += length * y
    section.last[2] += length * z
    section.n_points += 1
    remember(section, x, y, z)
