"""The life of a section: its creation, its points, its steps."""

from __future__ import annotations

import numpy as np

from region_grower_flow.engine.kernels.acceptance import (
    SpaceConstraints,
    is_free,
    slot_of,
    step_in_space,
)
from region_grower_flow.engine.kernels.jit import inlined, kernel
from region_grower_flow.engine.kernels.state import DONE, MEMORY, NO_BAR, NO_SECTION, Forest, Vector
from region_grower_flow.engine.kernels.step import (
    advance,
    heading,
    propose,
    remember,
    step_length,
    unit,
)
from region_grower_flow.engine.kernels.stop import section_state


@inlined
def write_point(section: np.record, point: np.record) -> None:
    """Write the section's last point into the log, rounded to float32 as MorphIO does."""
    point.xyz[0] = section.last[0]
    point.xyz[1] = section.last[1]
    point.xyz[2] = section.last[2]


@kernel
def log_point(index: int, forest: Forest) -> None:
    """Log the last point of a section."""
    progress = forest.progress[0]
    point = forest.log[progress.n_points]
    progress.n_points += 1
    point.section = index
    write_point(forest.sections[index], point)


@kernel
def new_section(tree_index: int, tree: np.record, forest: Forest) -> int:
    """Take the next free section and make it active (mirrors TreeGrower.add_section)."""
    progress = forest.progress[0]
    index = progress.n_sections
    progress.n_sections += 1
    section = forest.sections[index]
    section.tree = tree_index
    section.parent = NO_SECTION
    section.children = 0
    section.n_latest = 0
    section.n_points = 1
    section.rank = -1
    section.bif_id = NO_BAR
    section.term_id = NO_BAR
    section.bend = 1.0
    forest.active[tree.first_active + tree.n_active] = index
    tree.n_active += 1
    return index


@kernel
def child_section(parent: int, direction: Vector, tree: np.record, forest: Forest) -> int:
    """A section that goes on from the end of ``parent``, with its latest direction."""
    mother = forest.sections[parent]
    latest = (mother.n_latest - 1) % MEMORY
    index = new_section(mother.tree, tree, forest)
    section = forest.sections[index]
    section.parent = parent
    section.pathlength = mother.pathlength
    for j in range(3):
        section.direction[j] = direction[j]
        section.last[j] = mother.last[j]
        section.begin[j] = mother.last[j]
    if forest.rules[tree.rules].fresh_start == 0:
        remember(
            section, mother.latest[latest, 0], mother.latest[latest, 1], mother.latest[latest, 2]
        )
    return index


@kernel
def first_point(
    index: int,
    tree: np.record,
    forest: Forest,
    space: SpaceConstraints | None,
    rng: np.random.Generator,
) -> int:
    """The first step of a child, without a random part unless constraints act on it.

    Mirrors SectionGrower.first_point.

    Returns:
        A status.
    """
    section = forest.sections[index]
    rules = forest.rules[tree.rules]
    status = DONE
    log_point(index, forest)
    if space is None or is_free(space, slot_of(tree.rules, section.major)):
        x, y, z = heading(section, rules)
        advance(section, unit(x, y, z), step_length(rules, forest.steps, rng))
    else:
        status = step_in_space(section, tree.rules, forest, space, rng)
    log_point(index, forest)
    return status


@inlined
def grow_section(
    section: np.record,
    rules: np.record,
    steps: np.ndarray,
    point: np.record,
    rng: np.random.Generator,
) -> int:
    """One step, then the section's state (mirrors SectionGrower.next).

    Args:
        section: SECTION record.
        rules: RULES record.
        steps: see Forest.
        point: LOGGED record that receives the new point.
        rng: the cell's generator.
    """
    direction = propose(section, rules, rules.randomness, rng)
    advance(section, direction, step_length(rules, steps, rng))
    write_point(section, point)
    return section_state(section, rules, rng)
