"""Directions of children by what was measured: the levers ``angles``, ``heading`` and ``stretch``.

NeuroTS stores differences of spherical angles and applies them as rotations about z and x, which is
no inverse. Three angles between the parent and its children are independent of the axes, and leave
one thing open, the azimuth around the parent, which is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.step import unit

if TYPE_CHECKING:
    from region_grower_flow.engine.kernels.state import Vector

SHORT = 3.0
"""Lengths of the wander's memory below which a section wanders less, as a part of one does."""
NO_SINE = 1e-9
"""A product of sines below this: one child is in line with the parent, any azimuth will do."""


@kernel
def chord(section: np.record) -> Vector:
    """The direction from the section's first point to its last, its target when they coincide."""
    x = section.last[0] - section.begin[0]
    y = section.last[1] - section.begin[1]
    z = section.last[2] - section.begin[2]
    if x * x + y * y + z * z > 0.0:
        return unit(x, y, z)
    return unit(section.direction[0], section.direction[1], section.direction[2])


@kernel
def course(section: np.record, rules: np.record) -> Vector:
    """The direction that children leave: a section's line where it keeps to it, or its chord."""
    if rules.steer > 0.0:
        return section.aim[0], section.aim[1], section.aim[2]
    return chord(section)


@kernel
def across(x: float, y: float, z: float) -> tuple[Vector, Vector]:
    """Two unit vectors across a unit vector and across each other."""
    ex, ey = (1.0, 0.0) if abs(x) < 0.9 else (0.0, 1.0)
    along = ex * x + ey * y
    ex, ey, ez = unit(ex - along * x, ey - along * y, -along * z)
    return (ex, ey, ez), (y * ez - z * ey, z * ex - x * ez, x * ey - y * ex)


@kernel
def azimuth_between(first: float, second: float, between: float) -> float:
    """The azimuth (radians) between two children at these angles to the parent and each other.

    By the law of cosines on the sphere; angles that no two directions have give the nearest.
    """
    sines = np.sin(first) * np.sin(second)
    if sines < NO_SINE:
        return np.pi
    cosine = (np.cos(between) - np.cos(first) * np.cos(second)) / sines
    return np.arccos(min(1.0, max(-1.0, cosine)))


@kernel
def at_angle(along: Vector, one: Vector, other: Vector, angle: float, azimuth: float) -> Vector:
    """The direction at an angle to ``along`` and an azimuth in the plane of the other two."""
    sine, cosine = np.sin(angle), np.cos(angle)
    u, v = sine * np.cos(azimuth), sine * np.sin(azimuth)
    return (
        cosine * along[0] + u * one[0] + v * other[0],
        cosine * along[1] + u * one[1] + v * other[1],
        cosine * along[2] + u * one[2] + v * other[2],
    )


@kernel
def measured(
    parent: Vector,
    angles: np.ndarray,
    scale: float,
    wanted: tuple[Vector, Vector],
    amount: float,
    rng: np.random.Generator,
) -> tuple[Vector, Vector]:
    """The directions of two children by a bar's angles.

    The azimuth around the parent, which the angles leave open, is drawn at random, or nearer to the
    one at which the children point best where their bars did in the reconstruction.

    Args:
        parent: unit vector, three numbers.
        angles: parent to first child, parent to second, first to second (radians).
        scale: factor of the three.
        wanted: two unit vectors, the headings of the children's bars (three numbers each).
        amount: 0 takes any azimuth, 1 the best.
        rng: the cell's generator.
    """
    first = min(angles[0] * scale, np.pi)
    second = min(angles[1] * scale, np.pi)
    between = azimuth_between(first, second, min(angles[2] * scale, np.pi))
    turn = rng.uniform(-np.pi, np.pi)
    if rng.random() < 0.5:
        between = -between
    one, other = across(parent[0], parent[1], parent[2])
    azimuth = turn
    if amount > 0.0:
        best, value = best_azimuth(one, other, wanted, first, second, between)
        mirrored, mirrored_value = best_azimuth(one, other, wanted, first, second, -between)
        if mirrored_value > value and rng.random() < amount:
            best, between = mirrored, -between
        azimuth = best + (1.0 - amount) * turn
    return (
        at_angle(parent, one, other, first, azimuth),
        at_angle(parent, one, other, second, azimuth + between),
    )


@kernel
def best_azimuth(
    one: Vector,
    other: Vector,
    wanted: tuple[Vector, Vector],
    first: float,
    second: float,
    between: float,
) -> tuple[float, float]:
    """The azimuth of the first child with the greatest sum of cosines to both wanted directions.

    Returns:
        (radians, that sum without what does not depend on the azimuth).
    """
    u = v = 0.0
    sine = np.sin(first)
    u += sine * dot(wanted[0], one)
    v += sine * dot(wanted[0], other)
    sine = np.sin(second)
    along_one, along_other = dot(wanted[1], one), dot(wanted[1], other)
    u += sine * (along_one * np.cos(between) + along_other * np.sin(between))
    v += sine * (along_other * np.cos(between) - along_one * np.sin(between))
    return np.arctan2(v, u), np.sqrt(u * u + v * v)


@kernel
def dot(first: Vector, second: Vector) -> float:
    """The product of two vectors of three numbers."""
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


@kernel
def ahead_of(owner: np.record, bar: np.record, tree: np.record) -> Vector:
    """The direction in which a branch is to go on beyond the bifurcation where a bar begins.

    As it did in the reconstruction; where it had no such bifurcation, to where its bar led.
    """
    return turned(bar.ahead if bar.kept == 1 else owner.heading, tree)


@kernel
def along_trunk(section: np.record, bar: np.record, tree: np.record, rules: np.record) -> Vector:
    """The direction of an apical trunk: straight on, or by ``heading`` as in the reconstruction."""
    aim, amount = section.aim, rules.heading if bar.kept == 1 else 0.0
    ahead = turned(bar.ahead, tree)
    return (
        (1.0 - amount) * aim[0] + amount * ahead[0],
        (1.0 - amount) * aim[1] + amount * ahead[1],
        (1.0 - amount) * aim[2] + amount * ahead[2],
    )


@kernel
def swerve(section: np.record, rules: np.record, rng: np.random.Generator) -> None:
    """Let a section begin as far off its aim as it is later on, when it has wandered.

    What is shorter than the wander's memory is straighter than that.
    """
    length = max(min(section.bif, section.term) - section.pathlength, 0.0)
    memory = SHORT * rules.memory
    spread = rules.start_spread * section.bend * np.sqrt(length / (length + memory))
    x = section.aim[0] + spread * rng.standard_normal()
    y = section.aim[1] + spread * rng.standard_normal()
    z = section.aim[2] + spread * rng.standard_normal()
    x, y, z = unit(x, y, z)
    section.direction[0], section.direction[1], section.direction[2] = x, y, z


@kernel
def turned(own: np.ndarray, tree: np.record) -> Vector:
    """A direction in the frame of the reconstructed cell, turned into the tree's."""
    frame = tree.frame
    return (
        frame[0, 0] * own[0] + frame[0, 1] * own[1] + frame[0, 2] * own[2],
        frame[1, 0] * own[0] + frame[1, 1] * own[1] + frame[1, 2] * own[2],
        frame[2, 0] * own[0] + frame[2, 1] * own[1] + frame[2, 2] * own[2],
    )


@kernel
def stretch(direction: np.ndarray, matrix: np.ndarray) -> None:
    """Multiply a direction by a (3, 3) matrix, in place."""
    x, y, z = direction[0], direction[1], direction[2]
    for j in range(3):
        direction[j] = matrix[j, 0] * x + matrix[j, 1] * y + matrix[j, 2] * z
