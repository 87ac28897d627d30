"""Synthesized cells with their places: what pictures and profiles in the atlas are made of."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from region_grower_flow.errors import FlowError
from region_grower_flow.io.morphologies import load_morphology
from region_grower_flow.report.lineup import UprightCell
from region_grower_flow.report.style import shorten
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.populations import read_synthesized, sample, upright
from region_grower_flow.validation.statistics import named_seed

_NO_DIRECTION = 1e-3
"""Length of a mean of unit vectors below which they point everywhere."""


@dataclass(frozen=True)
class PlacedCell:
    """A synthesized cell; its file is read when its morphology is asked for.

    Attributes:
        name: of its morphology.
        mtype: the mtype.
        path: of its file.
        position: (3,) um, of the soma in the atlas.
        orientation: (3, 3), from upright to the atlas.
        depth: of the soma below the top of the region (um); None without layers and in vacuum.
        boundaries: depths (um) of the layers' boundaries at the cell, from the top down; None.
        layers: [(name, top, bottom)] of the same.
        row: of the cell table; -1 when it is not known.
    """

    name: str
    mtype: str
    path: Path
    position: np.ndarray
    orientation: np.ndarray
    depth: float | None = None
    boundaries: tuple | None = None
    layers: tuple = ()
    row: int = -1

    @functools.cached_property
    def morphology(self):
        """FlatMorphology (um), upright: the soma at the origin, the pia along +y.

        What validation would call unsound is read all the same: pictures show it.

        Raises:
            InvalidInput: the file cannot be read.
        """
        return upright(load_morphology(self.path), self.orientation)

    def measurable(self):
        """The cell as the statistics of the validation want it."""
        return ValidationCell(self.name, self.morphology)

    def upright(self, label=None):
        """The cell as a lineup draws it."""
        words = shorten(self.name.rsplit("/", 1)[-1], 13)
        if self.depth is not None:
            words = f"soma at {self.depth:.0f} µm"
        return UprightCell(label or words, self.morphology, self.depth or 0.0, self.layers)


def readable(cells):
    """The cells whose files can be read: ([PlacedCell], [sentence on the others])."""
    found, lost = [], []
    for cell in cells:
        try:
            cell.morphology  # noqa: B018  (reads the file)
            found.append(cell)
        except FlowError as error:
            lost.append(str(error))
    return found, lost


class PlacedCells:
    """The cells of a synthesis.

    Args:
        outputs: :class:`~region_grower_flow.validation.populations.SynthesisOutputs`.
        structure: the region structure (dict), for the names of layers; None in vacuum.

    Raises:
        InvalidInput: a table of the synthesis cannot be read.
    """

    def __init__(self, outputs, structure=None):
        from region_grower_flow.io.table import read_table

        self._synthesized = read_synthesized(outputs)
        self._table = read_table(outputs.cell_table)
        self._structure = structure

    @property
    def mtypes(self):
        """{mtype: MtypeCells}."""
        return self._synthesized.mtypes

    @property
    def table(self):
        """The CellTable."""
        return self._table

    def rows(self):
        """{mtype: (N,) rows of the cell table} of all cells that were made."""
        return {
            mtype: np.array([row for row in cells.rows if row >= 0], dtype=np.int64)
            for mtype, cells in self.mtypes.items()
        }

    def sample(self, mtype, wanted=0, seed=0):
        """Some cells of an mtype, as a list of PlacedCell; none when the mtype is not there.

        Which cells depends on the mtype, their number and the seed alone.

        Args:
            mtype: the mtype.
            wanted: how many at most (0: all).
            seed: of the choice.
        """
        population = self.mtypes.get(mtype)
        if population is None:
            return []
        known = [place for place, row in enumerate(population.rows) if row >= 0]
        chosen = [known[i] for i in sample(len(known), wanted, _rng(mtype, seed))]
        return [self._cell(population.names[i], population.rows[i], mtype) for i in chosen]

    def within(self, holds, most=0, seed=0):
        """The cells of all mtypes whose somata a region of space holds.

        Args:
            holds: a function of (N, 3) positions (um) that gives (N,) bool.
            most: cells of each mtype at most (0: all).
            seed: of the choice.

        Returns:
            {mtype: [PlacedCell]}, mtypes without such a cell too.
        """
        found = {}
        for mtype, population in self.mtypes.items():
            rows = np.array([row for row in population.rows if row >= 0], dtype=np.int64)
            names = [
                n for n, row in zip(population.names, population.rows, strict=True) if row >= 0
            ]
            inside = np.flatnonzero(holds(self._table.positions[rows])) if len(rows) else []
            chosen = [inside[i] for i in sample(len(inside), most, _rng(mtype, seed))]
            found[mtype] = [self._cell(names[i], rows[i], mtype) for i in chosen]
        return found

    def region(self, mtype):
        """(synthesis region, region) of the first cell of an mtype that was made; None."""
        population = self.mtypes.get(mtype)
        rows = [row for row in population.rows if row >= 0] if population else []
        if not rows:
            return None
        return self._table.synthesis_regions[rows[0]], self._table.regions[rows[0]]

    def pia(self):
        """(3,) the mean direction towards the pia at the cells, in the atlas."""
        rows = [row for cells in self.mtypes.values() for row in cells.rows if row >= 0]
        directions = self._table.orientations[rows][:, :, 1]
        directions = directions[np.isfinite(directions).all(axis=1)]
        mean = directions.mean(axis=0) if len(directions) else np.zeros(3)
        return mean if np.linalg.norm(mean) > _NO_DIRECTION else np.array([0.0, 1.0, 0.0])

    def positions(self):
        """(N, 3) um, of the somata of all cells that were made."""
        rows = [row for cells in self.mtypes.values() for row in cells.rows if row >= 0]
        return self._table.positions[rows]

    def _cell(self, name, row, mtype):
        table = self._table
        orientation = table.orientations[row]
        if not np.isfinite(orientation).all():
            orientation = np.eye(3)
        boundaries, depth = table.layers_of(row), float(table.depths[row])
        known = boundaries is not None and np.isfinite(depth)
        extension = self._synthesized.extensions[0]
        return PlacedCell(
            name=name,
            mtype=mtype,
            path=Path(self._synthesized.folder, f"{name}.{extension}"),
            position=table.positions[row],
            orientation=orientation,
            depth=depth if known else None,
            boundaries=tuple(boundaries) if known else None,
            layers=self._layers(row, boundaries) if known else (),
            row=int(row),
        )

    def _layers(self, row, boundaries):
        entry = (self._structure or {}).get(self._table.synthesis_regions[row]) or {}
        names = layer_names(entry, len(boundaries) - 1)
        edges = zip(names, boundaries[:-1], boundaries[1:], strict=True)
        return tuple((name, float(top), float(bottom)) for name, top, bottom in edges)


def _rng(mtype, seed):
    return np.random.default_rng(named_seed(seed, mtype))


def layer_names(entry, count):
    """Names of the layers of an entry of the region structure, from the top down."""
    layers = list(entry.get("layers") or ())
    return layers if len(layers) == count else list(range(1, count + 1))


def common_layers(cells):
    """[(name, top, bottom)] as medians over cells; () when their layers differ."""
    stacks = [cell.layers for cell in cells if cell.layers]
    if not stacks or len({tuple(name for name, _, _ in stack) for stack in stacks}) != 1:
        return ()
    edges = np.median([[(top, bottom) for _, top, bottom in stack] for stack in stacks], axis=0)
    names = [name for name, _, _ in stacks[0]]
    return tuple(
        (name, float(top), float(bottom)) for name, (top, bottom) in zip(names, edges, strict=True)
    )
