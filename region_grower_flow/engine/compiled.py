"""The growth of one cell in compiled code, drawing what NeuroTS draws in the same order."""

import math
import threading
from typing import NamedTuple

import numpy as np

from region_grower_flow.engine import trunks
from region_grower_flow.engine.kernels import state
from region_grower_flow.engine.kernels.state import as_records
from region_grower_flow.engine.levers import stretch_matrix
from region_grower_flow.engine.measured_growth import draw_radius, draw_trees_of, ring
from region_grower_flow.engine.model import Grown
from region_grower_flow.engine.soma import Soma, contour, unit
from region_grower_flow.errors import DropCell, GrowthFailed
from region_grower_flow.morphology import Y_DIRECTION, FlatMorphology

FIRST_LOG = 1 << 14
"""Points for which there is room at first; twice as many each time that they do not suffice."""

KEPT_LOG = 1 << 20
"""Points for which the room stays when the next cell begins: 16 MB, more than cells have."""

MAX_POINTS = 1 << 24
"""A cell with more points than this is given up (its steps are too small for its bars)."""

FAILURES = {
    state.BROKEN_PIPELINE: (GrowthFailed, "a branch would outgrow its parent (broken pipeline)"),
    state.ZERO_DIRECTION: (DropCell, "a branch has no direction, since its parent's cancel out"),
    state.INVALID_PROBABILITY: (GrowthFailed, "a space constraint gives no probability"),
    state.RANDOM_BRANCHING: (DropCell, "branching method 'random' cannot follow a bar code"),
}


class TreeStart(NamedTuple):
    """Draws of the construction of a tree.

    Attributes:
        type_index: its neurite type among those of the mtype.
        point, direction: start on the soma (um) and unit vector.
        diagram: its persistence diagram among those of its type.
        ratio: factor of its bar code, None for none.
        apical_distance: path distance (um) of the apical point.
        n_bars: number of its bars.
        first_direction, first_length: the first step, a unit vector and um.
        frame: (3, 3), turns the headings of measured bars, None for trees without.
    """

    type_index: int
    point: tuple
    direction: tuple
    diagram: int
    ratio: float | None
    apical_distance: float
    n_bars: int
    first_direction: tuple
    first_length: float
    frame: np.ndarray | None = None


class Workspace(threading.local):
    """Arrays that the cells grown by a thread use one after the other."""

    def __init__(self):
        self.log = _records(FIRST_LOG, state.LOGGED)
        self.progress = _records(1, state.PROGRESS)
        self.bars = self.sections = self.active = self.order = None
        self._reserve(256)

    def begin(self, n_bars):
        """Make room for a cell whose trees have this many bars (a tree of n bars has 2n - 1)."""
        if len(self.log) > KEPT_LOG:
            self.log = _records(FIRST_LOG, state.LOGGED)
        if n_bars > len(self.bars):
            self._reserve(2 * n_bars)

    def enlarge_log(self):
        """Double the room for points, keeping those that are there."""
        longer = _records(2 * len(self.log), state.LOGGED)
        longer[: len(self.log)] = self.log
        self.log = longer

    def _reserve(self, n_bars):
        self.bars = _records(n_bars, state.BAR)
        self.sections = _records(2 * n_bars, state.SECTION)
        self.active = np.empty(n_bars, np.int64)
        self.order = np.empty(n_bars, np.int64)


def _records(count, dtype):
    return as_records(np.zeros(count, dtype))


_workspace = Workspace()


def grow_compiled(prepared, site, rng):
    """Grow and diametrize one cell.

    Args:
        prepared: PreparedMtype without ``unsupported``.
        site: GrowthSite.
        rng: the cell's :class:`numpy.random.Generator`.

    Returns:
        Grown, in the atlas's coordinates.

    Raises:
        GrowthFailed: where NeuroTS raises NeuroTSError or ValueError, with the generator in the
            same state.
        DropCell: where NeuroTS raises anything else.
    """
    log = {site.scaling[t.kind].kind: [] for t in prepared.types if t.kind in site.scaling}
    try:
        y_direction, y_rotation = pia(site, prepared.pia_matters)
        center = tuple(site.position.tolist())
        levers, kin_cell = prepared.levers, None
        if levers is not None:
            kin_cell = prepared.kin.draw_cell(rng)
            soma = Soma(center, draw_radius(prepared, kin_cell, rng))
        else:
            soma = Soma(center, prepared.soma_size.draw_positive(rng))
        space = space_of(prepared, site.constraints) if site.constraints else None
        where = trunks.TrunkSite(soma, site.orientation, y_direction, y_rotation, space, rng)
        starts = draw_trees(prepared, site.scaling, where, log, kin_cell)
        drawn = levers is not None and levers.drawn_soma
        soma_points = ring(soma, rng) if drawn else contour(soma, rng)
    except ValueError as error:  # of NumPy or SciPy; ours are FlowErrors
        raise GrowthFailed(str(error)) from error
    forest = plant(prepared, starts, bifurcation_axes(y_rotation))
    if levers is not None:
        forest = forest._replace(rules=levers.cell_rules(prepared, site.orientation, rng))
    morphology, apical_sections = grow_trees(prepared, forest, space, rng)
    morphology.soma_points = soma_points
    morphology.soma_diameters = np.zeros(len(soma_points), np.float32)
    if levers is None or not all(brings_diameters(levers, made) for made in prepared.types):
        prepared.diameters.apply(morphology, apical_sections, rng)
    if levers is not None and levers.some_bring_diameters:
        bring_diameters(prepared, forest, morphology)
    return Grown(morphology, apical_sections, engine="compiled", scaling_log=log)


def pia(site, matters):
    """The pia's direction at the cell and the rotation of the y axis to it.

    NeuroTS uses them only when some trunks are oriented by a mode; otherwise y and None.
    """
    if not matters:
        return Y_DIRECTION, None
    direction = tuple(site.y_direction.tolist())
    return direction, rotation_from_y(direction)


def rotation_from_y(direction):
    """The rotation of the y axis to ``direction`` (mirrors rotation_matrix_from_vectors)."""
    x, y, z = unit(direction)
    sine = math.sqrt(z * z + x * x)
    if sine == 0:
        return np.eye(3)
    skew = np.array([[0.0, x, 0.0], [-x, 0.0, -z], [0.0, z, 0.0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.float64(1.0 - y) / np.float64(sine * sine)
        return np.eye(3) + skew + skew.dot(skew) * factor


def bifurcation_axes(y_rotation):
    """(2, 3) float64: the x and z axes around which children are turned, unit vectors."""
    if y_rotation is None:
        return np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    return np.array([unit(y_rotation[:, 0]), unit(y_rotation[:, 2])])


def brings_diameters(levers, made):
    """True if the bars of a PreparedType bring their diameters along."""
    return made.kind in levers.types and levers.types[made.kind].diameters


def bring_diameters(prepared, forest, morphology):
    """Give sections the diameters that their bars bring along, in place."""
    from region_grower_flow.engine.kernels.bar_diameters import diametrize_by_bars

    arrays = morphology.points, morphology.offsets, morphology.parents, morphology.diameters
    rules = prepared.levers.diameter_rules(prepared)
    diametrize_by_bars(forest, prepared.first_bars, prepared.profiles, rules, arrays)


def draw_trees(prepared, scaling, where, log, kin_cell=None):
    """Draw all trunks, each tree with what its construction draws.

    Mirrors NeuronGrower._grow_trunks.

    Args:
        prepared: PreparedMtype.
        scaling: {neurite type: BarcodeScaling}.
        where: TrunkSite; trunks are attached to its soma.
        log: {kind of scaling: list} that receives what is scaled.
        kin_cell: with levers, the reconstructed cells that the measured trees come from.

    Returns:
        List of TreeStart.
    """
    soma = where.soma
    by_angles = trunks.check_angle_modes([made.trunks for made in prepared.types])
    starts = []
    for i, made in enumerate(prepared.types):
        levers = None if prepared.levers is None else prepared.levers.types.get(made.kind)
        drawn = None
        if levers is not None:
            drawn = draw_trees_of(prepared, made, kin_cell, where)
            vectors = drawn.vectors
        else:
            vectors = trunks.orientations(made.trunks, prepared.by_mode, where)
        if drawn is None and prepared.by_mode and not by_angles:
            trunks.check_basals(made.kind, len(vectors))
        targeting = float(prepared.rules["targeting"][i])
        randomness = float(prepared.rules["randomness"][i])
        for n, point in enumerate([soma.attach(vector) for vector in vectors]):
            direction = None if drawn is None else drawn.targets[n]
            if direction is None:
                direction = soma.direction(point)
            if levers is not None and levers.is_stretched:
                direction = unit(stretch_matrix(levers.stretch, where.turn).dot(direction))
            place = None if drawn is None else drawn.places[n]
            frame = None if drawn is None else drawn.frames[n]
            factor = 1.0 if levers is None else levers.draw_size(where.rng)
            chosen = draw_barcode(made, scaling.get(made.kind), where.rng, log, place, factor)
            ahead = tuple(targeting * x for x in direction)
            first = first_step_direction(i, ahead, randomness, point, where)
            length = made.step.draw_positive(where.rng)
            starts.append(TreeStart(i, point, direction, *chosen, first, length, frame))
    return starts


def draw_barcode(made, scaling, rng, log, place=None, factor=1.0):
    """A tree's persistence diagram: (diagram, ratio, apical distance, number of bars).

    Mirrors TMDAlgo.select_persistence and initialize; trunks have one bar for their section. With
    ``place`` the diagram is chosen already. The factor of its size is for trees that no layers
    scale: those end where they should.
    """
    if made.method == state.TRUNK:
        return 0, None, 0.0, 1
    diagram = int(rng.integers(0, len(made.diagrams))) if place is None else place
    ratio, distance = None, 0.0
    if scaling is not None:
        longest = made.longest[diagram]
        ratio = float(scaling.ratio(longest))
        log[scaling.kind].append({"max_ph": longest, "scaling_ratio": ratio})
    elif factor != 1.0:
        ratio = factor
    if made.method != state.TMD:
        distance = apical_distance(made, diagram, ratio)
    return diagram, ratio, distance, len(made.diagrams[diagram])


def first_step_direction(type_index, ahead, randomness, point, where):
    """The direction of a tree's first step, which is random only under constraints."""
    slot = 2 * type_index
    if where.space is None or where.space.first_active[slot] == where.space.first_active[slot + 1]:
        return unit(ahead)
    from region_grower_flow.engine.kernels.acceptance import first_direction

    status, direction = first_direction(ahead, randomness, where.space, slot, point, where.rng)
    if status != state.DONE:
        error, message = FAILURES[status]
        raise error(message)
    return direction


def space_of(prepared, constraints):
    """The acceptance.Space of a cell's constraints."""
    from region_grower_flow.engine.kernels.acceptance import Space
    from region_grower_flow.engine.kernels.constraints_table import (
        compile_constraints,
        section_rules,
    )

    slots = [
        section_rules(constraints, made.kind, process)
        for made in prepared.types
        for process in ("major", "secondary")
    ]
    return Space(
        table=compile_constraints(constraints),
        active=np.concatenate([slot.active for slot in slots]),
        first_active=np.cumsum([0] + [len(slot.active) for slot in slots], dtype=np.int64),
        max_tries=np.array([slot.max_tries for slot in slots], dtype=np.int64),
        randomness_increase=np.array([slot.randomness_increase for slot in slots]),
    )


def apical_distance(made, diagram, ratio):
    """The path distance (um) of the apical point (mirrors TMDApicalAlgo.initialize).

    A measured tree of one bar is trunk to its tip; NeuroTS cannot grow it.
    """
    bars = made.diagrams[diagram]
    if made.measured is not None and len(bars) < 2:
        return float(bars[0, 0]) * (1.0 if ratio is None else ratio)
    if made.apical_points is not None:
        return made.apical_points[diagram].distance(bars, ratio)
    if len(bars) < 2:
        raise DropCell(f"a bar code of {made.kind} without bifurcation has no apical point")
    last_bif = float(bars[:, 1].max()) * (1.0 if ratio is None else ratio)
    return float(np.round(last_bif, 4)) - made.tuftless_offset


def plant(prepared, starts, axes):
    """The Forest of a cell, in the workspace of this thread."""
    trees, n_bars = tree_records(prepared, starts)
    for tree, start in zip(trees, starts, strict=True):
        if start.frame is not None:
            tree["frame"] = start.frame
    _workspace.begin(n_bars)
    _workspace.progress.view(np.int64)[:] = 0
    while 2 * len(starts) > len(_workspace.log):
        _workspace.enlarge_log()
    return state.Forest(
        trees=trees,
        bars=_workspace.bars,
        sections=_workspace.sections,
        active=_workspace.active,
        order=_workspace.order,
        log=_workspace.log,
        progress=_workspace.progress,
        rules=prepared.rules,
        steps=prepared.steps,
        axes=axes,
    )


def tree_records(prepared, starts):
    """(the TREE records of the starts, the number of all their bars).

    Filled as words of 8 bytes, in the order of TREE: to set its fields one by one takes twice as
    long.
    """
    words = np.zeros((len(starts), state.TREE.itemsize // 8))
    last_bar = 0
    for start, tree, counts in zip(starts, words, words.view(np.int64), strict=True):
        first_bar, last_bar = last_bar, last_bar + start.n_bars
        counts[:2] = (
            start.type_index,
            prepared.types[start.type_index].first_diagram + start.diagram,
        )
        tree[2:14] = (
            1.0 if start.ratio is None else start.ratio, start.apical_distance,
            *start.direction, *start.point, *start.first_direction, start.first_length,
        )  # fmt: skip
        counts[14:17] = first_bar, last_bar, first_bar
    return as_records(words.view(state.TREE).reshape(len(starts))), last_bar


def grow_trees(prepared, forest, space, rng):
    """Grow all trees of a forest under the cell's constraints (None for none).

    Returns:
        (FlatMorphology without soma, apical sections in the order of the ends of the trees).
    """
    from region_grower_flow.engine.kernels import forest as kernels
    from region_grower_flow.engine.kernels.assembly import NOT_FOUND

    grow_forest = kernels.grow_forest if space is None else kernels.grow_forest_in_space
    diagrams = prepared.diagrams, prepared.first_bars
    status, (*arrays, found) = grow_forest(forest, *diagrams, space, rng)
    while status == state.NEEDS_SPACE:
        if len(forest.log) >= MAX_POINTS:
            raise DropCell(f"the cell has more than {MAX_POINTS} points")
        _workspace.enlarge_log()
        forest = forest._replace(log=_workspace.log)
        status, (*arrays, found) = grow_forest(forest, *diagrams, space, rng)
    if status != state.DONE:
        error, message = FAILURES[status]
        raise error(message)
    morphology = FlatMorphology(*arrays, None, None)
    if prepared.apical_type is None:
        return morphology, []
    apical_sections, places = [], found.tolist()
    kinds, ends = forest.trees["rules"].tolist(), forest.trees["end"].tolist()
    for end, kind in sorted(zip(ends, kinds, strict=True)):
        if prepared.types[kind].section_type == prepared.apical_type:
            if places[end] == NOT_FOUND:
                raise GrowthFailed("the apical point is no point of the morphology")
            apical_sections.append(places[end] if places[end] >= 0 else None)
    return morphology, apical_sections
