"""The growth of one cell in compiled code, drawing what NeuroTS draws in the same order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.engine import trunks
from region_grower_flow.engine.kernels import state
from region_grower_flow.engine.kernels.state import Forest, as_records
from region_grower_flow.engine.levers import CellLevers
from region_grower_flow.engine.measured_growth import draw_radius, ring
from region_grower_flow.engine.model import Grown, GrowthSite, ScalingLog
from region_grower_flow.engine.soma import Soma, contour, unit, vector_of
from region_grower_flow.engine.tree_starts import FAILURES, TreeStart, draw_trees, pia, space_of
from region_grower_flow.errors import DropCell, GrowthFailed
from region_grower_flow.morphology import FlatMorphology

if TYPE_CHECKING:
    from region_grower_flow.engine.kernels.acceptance import SpaceConstraints
    from region_grower_flow.engine.prepared import PreparedMtype, PreparedType

FIRST_LOG = 1 << 14
"""Points for which there is room at first; twice as many each time that they do not suffice."""

KEPT_LOG = 1 << 20
"""Points for which the room stays when the next cell begins: 16 MB, more than cells have."""

MAX_POINTS = 1 << 24
"""A cell with more points than this is given up (its steps are too small for its bars)."""


class Workspace(threading.local):
    """Arrays that the cells grown by a thread use one after the other."""

    bars: np.ndarray
    sections: np.ndarray
    active: np.ndarray
    order: np.ndarray

    def __init__(self) -> None:
        self.log = _records(FIRST_LOG, state.LOGGED)
        self.progress = _records(1, state.PROGRESS)
        self._reserve(256)

    def begin(self, n_bars: int) -> None:
        """Make room for a cell whose trees have this many bars (a tree of n bars has 2n - 1)."""
        if len(self.log) > KEPT_LOG:
            self.log = _records(FIRST_LOG, state.LOGGED)
        if n_bars > len(self.bars):
            self._reserve(2 * n_bars)

    def enlarge_log(self) -> None:
        """Double the room for points, keeping those that are there."""
        used = int(self.progress["n_points"][0])
        longer = _records(2 * len(self.log), state.LOGGED)
        longer[:used] = self.log[:used]  # memory that nothing is written to is not taken
        self.log = longer

    def _reserve(self, n_bars: int) -> None:
        self.bars = _records(n_bars, state.BAR)
        self.sections = _records(2 * n_bars, state.SECTION)
        self.active = np.empty(n_bars, np.int64)
        self.order = np.empty(n_bars, np.int64)


def _records(count: int, dtype: np.dtype) -> np.ndarray:
    return as_records(np.zeros(count, dtype))


_workspace = Workspace()


def grow_compiled(prepared: PreparedMtype, site: GrowthSite, rng: np.random.Generator) -> Grown:
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
    log: ScalingLog = {
        site.scaling[t.kind].kind: [] for t in prepared.types if t.kind in site.scaling
    }
    try:
        y_direction, y_rotation = pia(site, prepared.pia_matters)
        center, levers = vector_of(site.position), prepared.levers
        kin_cell: int | None = None
        if levers is not None:
            kin_cell = prepared.kin.draw_cell(rng)
            soma = Soma(center, draw_radius(prepared, levers, kin_cell, rng))
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
        kinds = [neurite.kind for neurite in prepared.types]
        forest = forest._replace(
            rules=levers.cell_rules(prepared.rules, kinds, site.orientation, rng)
        )
    morphology, apical_sections = grow_trees(prepared, forest, space, rng)
    morphology.soma_points = soma_points
    morphology.soma_diameters = np.zeros(len(soma_points), np.float32)
    if levers is None or not all(brings_diameters(levers, neurite) for neurite in prepared.types):
        prepared.diameters.apply(morphology, apical_sections, rng)
    if levers is not None and levers.some_bring_diameters:
        bring_diameters(prepared, forest, morphology)
    return Grown(morphology, apical_sections, engine="compiled", scaling_log=log)


def bifurcation_axes(y_rotation: np.ndarray | None) -> np.ndarray:
    """(2, 3) float64: the x and z axes around which children are turned, unit vectors."""
    if y_rotation is None:
        return np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    return np.array([unit(y_rotation[:, 0]), unit(y_rotation[:, 2])])


def brings_diameters(levers: CellLevers, neurite: PreparedType) -> bool:
    """True if the bars of a PreparedType bring their diameters along."""
    return neurite.kind in levers.types and levers.types[neurite.kind].diameters


def bring_diameters(prepared: PreparedMtype, forest: Forest, morphology: FlatMorphology) -> None:
    """Give sections the diameters that their bars bring along, in place."""
    from region_grower_flow.engine.kernels.bar_diameters import diametrize_by_bars

    arrays = morphology.points, morphology.offsets, morphology.parents, morphology.diameters
    rules = diameter_rules(prepared)
    diametrize_by_bars(forest, prepared.first_bars, prepared.profiles, rules, arrays)


def diameter_rules(prepared: PreparedMtype) -> np.ndarray:
    """(K, 2) float64: the factor of diameters of each type (0: not from bars), the thinnest."""
    levers, rules = prepared.levers, np.zeros((len(prepared.types), 2))
    for i, neurite in enumerate(prepared.types):
        if levers is not None and brings_diameters(levers, neurite):
            rules[i] = levers.types[neurite.kind].diameter_scale, neurite.trees.thinnest
    return rules


def plant(prepared: PreparedMtype, starts: Sequence[TreeStart], axes: np.ndarray) -> Forest:
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


def tree_records(prepared: PreparedMtype, starts: Sequence[TreeStart]) -> tuple[np.ndarray, int]:
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
            prepared.types[start.type_index].first_barcode + start.barcode,
        )
        tree[2:14] = (
            1.0 if start.ratio is None else start.ratio, start.apical_distance,
            *start.direction, *start.point, *start.first_direction, start.first_length,
        )  # fmt: skip
        counts[14:17] = first_bar, last_bar, first_bar
    return as_records(words.view(state.TREE).reshape(len(starts))), last_bar


def grow_trees(
    prepared: PreparedMtype,
    forest: Forest,
    space: SpaceConstraints | None,
    rng: np.random.Generator,
) -> tuple[FlatMorphology, list[int | None]]:
    """Grow all trees of a forest under the cell's constraints (None for none).

    Returns:
        (FlatMorphology without soma, apical sections in the order of the ends of the trees).
    """
    from region_grower_flow.engine.kernels import forest as kernels
    from region_grower_flow.engine.kernels.assembly import NOT_FOUND

    grow_forest = kernels.grow_forest if space is None else kernels.grow_forest_in_space
    barcodes = prepared.barcodes, prepared.first_bars
    status, grown = grow_forest(forest, *barcodes, space, rng)
    while status == state.NEEDS_SPACE:
        if len(forest.log) >= MAX_POINTS:
            raise DropCell(f"the cell has more than {MAX_POINTS} points")
        _workspace.enlarge_log()
        forest = forest._replace(log=_workspace.log)
        status, grown = grow_forest(forest, *barcodes, space, rng)
    if status != state.DONE:
        error, message = FAILURES[status]
        raise error(message)
    points, diameters, offsets, types, parents, found = grown
    nothing = np.empty((0, 3), np.float32)
    morphology = FlatMorphology(points, diameters, offsets, types, parents, nothing, nothing[:, 0])
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
