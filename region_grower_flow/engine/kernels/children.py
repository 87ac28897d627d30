"""Bifurcation of a section (mirrors ``bifurcate`` of TMDAlgo, TMDApicalAlgo, TMDGradientAlgo)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.engine.kernels.bifurcation import children_directions, directional
from region_grower_flow.engine.kernels.criteria import children_criteria, expected_maximum_length
from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.measured import (
    ahead_of,
    along_trunk,
    course,
    measured,
    stretch,
    swerve,
    turned,
)
from region_grower_flow.engine.kernels.owners import owned_criteria
from region_grower_flow.engine.kernels.section import child_section, first_point
from region_grower_flow.engine.kernels.state import (
    APICAL_METHODS,
    DONE,
    MEASURED,
    RANDOM,
    RANDOM_BRANCHING,
    TMD_GRADIENT,
    ZERO_DIRECTION,
    Forest,
)
from region_grower_flow.engine.kernels.step import history, remember

if TYPE_CHECKING:
    from region_grower_flow.engine.kernels.acceptance import SpaceConstraints

NO_DIRECTION = 1e-8
"""A child's direction that is not longer than this is none (``np.isclose`` with 0)."""


@kernel
def bifurcate(
    index: int,
    tree: np.record,
    forest: Forest,
    space: SpaceConstraints | None,
    rng: np.random.Generator,
) -> int:
    """Create the two children of a section, each with its first point.

    Returns:
        A status.
    """
    section = forest.sections[index]
    rules = forest.rules[tree.rules]
    bar = forest.bars[section.bif_id]
    bar.has_bif = 0
    along_apical = rules.method in APICAL_METHODS and section.major == 1
    if rules.branching == MEASURED:
        wanted = (ahead_of(forest.bars[section.term_id], bar, tree), turned(bar.way, tree))
        directions = measured(
            course(section, rules), bar.angles, rules.angle_scale, wanted, rules.heading, rng
        )
        if along_apical:
            directions = (along_trunk(section, bar, tree, rules), directions[1])
    elif along_apical:
        heading = (section.direction[0], section.direction[1], section.direction[2])
        directions = directional(heading, bar.angles, forest.axes)
    elif rules.branching == RANDOM:
        return RANDOM_BRANCHING
    else:
        directions = children_directions(rules.branching, history(section), bar.angles, forest.axes)
    first = child_section(index, directions[0], tree, forest)
    second = child_section(index, directions[1], tree, forest)
    major_first, major_second = children_processes(index, section, tree, rules)
    forest.sections[first].major = major_first
    forest.sections[second].major = major_second
    if rules.owned == 1:
        owned_criteria(section, forest.sections[first], forest.sections[second], forest.bars)
        forest.sections[first].bend = bar.bend_ahead if bar.kept == 1 else section.bend
        forest.sections[second].bend = bar.bend
        status = DONE
    else:
        status = children_criteria(
            section, forest.sections[first], forest.sections[second], tree, forest.bars
        )
    if status != DONE:
        return status
    for child in (first, second):
        if rules.method == TMD_GRADIENT:
            majorize(forest.sections[child], section, tree, rules)
    for child in (first, second):
        if rules.stretched == 1:
            stretch(forest.sections[child].direction, rules.stretch)
        if not normalize(forest.sections[child].direction):
            return ZERO_DIRECTION
        ahead = forest.sections[child].direction
        for j in range(3):
            forest.sections[child].aim[j] = ahead[j]
        if rules.steer > 0.0:
            swerve(forest.sections[child], rules, rng)
        if rules.fresh_start == 1:
            remember(forest.sections[child], ahead[0], ahead[1], ahead[2])
        status = first_point(child, tree, forest, space, rng)
        if status != DONE:
            return status
    return DONE


@kernel
def children_processes(
    index: int, section: np.record, tree: np.record, rules: np.record
) -> tuple[int, int]:
    """Processes of both children, 1 for a major one; finds the tree's apical section on the way.

    Mirrors TMDApicalAlgo.bifurcate: along an apical trunk the first child stays major up to the
    apical point; the apical section is the last one that bifurcates before the first bifurcation
    beyond that point, or there.
    """
    if rules.method not in APICAL_METHODS:
        return section.major, section.major
    beyond = 1 if section.pathlength > tree.apical_distance else 0
    if tree.found_last_bif == 0:
        tree.apical_section = index
        tree.found_last_bif = beyond
    return section.major * (1 - beyond), 0


@kernel
def majorize(child: np.record, parent: np.record, tree: np.record, rules: np.record) -> None:
    """Make a child major and bias its direction to the parent's, if it will be long.

    Mirrors TMDGradientAlgo._majorize_process.
    """
    if child.major == 1:
        return
    if expected_maximum_length(child) > rules.bias_length * tree.persistence_length:
        child.major = 1
        x = (1.0 - rules.bias) * child.direction[0] + rules.bias * parent.direction[0]
        y = (1.0 - rules.bias) * child.direction[1] + rules.bias * parent.direction[1]
        z = (1.0 - rules.bias) * child.direction[2] + rules.bias * parent.direction[2]
        length = np.sqrt(x * x + y * y + z * z)
        child.direction[0] = x / length
        child.direction[1] = y / length
        child.direction[2] = z / length


@kernel
def normalize(direction: np.ndarray) -> bool:
    """Scale a direction to unit length in place; False when it is none."""
    length = np.sqrt(direction[0] ** 2 + direction[1] ** 2 + direction[2] ** 2)
    if length <= NO_DIRECTION:
        return False
    for j in range(3):
        direction[j] /= length
    return True
