"""The life of a section: its creation, its points, its steps."""

from region_grower_flow.engine.kernels.jit import kernel
from region_grower_flow.engine.kernels.state import MEMORY, NO_BAR
from region_grower_flow.engine.kernels.step import advance, propose, remember, step_length
from region_grower_flow.engine.kernels.stop import section_state

NOTHING_RANDOM = -1.0
"""Weight of the random direction that says to draw none."""


@kernel
def log_point(index, section, log, progress):
    """Write the section's last point, rounded to float32 as MorphIO does."""
    point = log[progress.n_points]
    point.section = index
    for j in range(3):
        point.xyz[j] = section.last[j]
    progress.n_points += 1


@kernel
def new_section(tree_index, tree, forest, progress):
    """Take the next free section and make it active (mirrors TreeGrower.add_section)."""
    index = progress.n_sections
    progress.n_sections += 1
    section = forest.sections[index]
    section.tree = tree_index
    section.children = 0
    section.n_latest = 0
    section.n_points = 1
    section.rank = -1
    section.bif_id = NO_BAR
    section.term_id = NO_BAR
    forest.active[tree.first_active + tree.n_active] = index
    tree.n_active += 1
    return index


@kernel
def child_section(parent, direction, tree, forest, progress):
    """A section that goes on from the end of ``parent``, with its latest direction."""
    mother = forest.sections[parent]
    latest = (mother.n_latest - 1) % MEMORY
    index = new_section(mother.tree, tree, forest, progress)
    section = forest.sections[index]
    section.parent = parent
    section.pathlength = mother.pathlength
    for j in range(3):
        section.direction[j] = direction[j]
        section.last[j] = mother.last[j]
    remember(section, mother.latest[latest, 0], mother.latest[latest, 1], mother.latest[latest, 2])
    return index


@kernel
def first_point(index, tree, forest, log, progress, rng):
    """The first step, without a random direction (mirrors SectionGrower.first_point)."""
    section = forest.sections[index]
    rules = forest.rules[tree.rules]
    log_point(index, section, log, progress)
    direction = propose(section, rules, NOTHING_RANDOM, rng)
    advance(section, direction, step_length(rules, forest.steps, rng))
    log_point(index, section, log, progress)


@kernel
def grow_section(index, tree, forest, log, progress, rng):
    """One step, then the section's state (mirrors SectionGrower.next)."""
    section = forest.sections[index]
    rules = forest.rules[tree.rules]
    direction = propose(section, rules, rules.randomness, rng)
    advance(section, direction, step_length(rules, forest.steps, rng))
    log_point(index, section, log, progress)
    return section_state(section, rules, rng)
