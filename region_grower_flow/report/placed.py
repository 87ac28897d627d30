"""Synthesized cells with their places: what pictures and profiles in the atlas are made of."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import FlowError
from region_grower_flow.io.morphologies import load_morphology
from region_grower_flow.io.table import CellTable, read_table
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.report.lineup import UprightCell
from region_grower_flow.report.profiles import Layers
from region_grower_flow.report.style import shorten
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.populations import read_synthesized, sample, upright
from region_grower_flow.validation.statistics import named_seed

if TYPE_CHECKING:
    from region_grower_flow.io.table import CellTable
    from region_grower_flow.validation.populations import MtypeCells, SynthesisOutputs, Synthesized

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
        layers: [(name, top, bottom)] at the cell (um of depth), from the top down.
        row: of the cell table; -1 when it is not known.
    """

    name: str
    mtype: str
    path: Path
    position: np.ndarray
    orientation: np.ndarray
    depth: float | None = None
    layers: Layers = ()
    row: int = -1

    @functools.cached_property
    def morphology(self) -> FlatMorphology:
        """FlatMorphology (um), upright: the soma at the origin, the pia along +y.

        What validation would call unsound is read all the same: pictures show it.

        Raises:
            InvalidInput: the file cannot be read.
        """
        return upright(load_morphology(self.path), self.orientation)

    @classmethod
    def of(
        cls, morphology: FlatMorphology, name: str, mtype: str, position: np.ndarray
    ) -> PlacedCell:
        """A cell whose morphology (um, upright) is there already, as it stands in the atlas."""
        cell = cls(name, mtype, Path(name), position, np.eye(3))
        vars(cell)["morphology"] = morphology
        return cell

    def measurable(self) -> ValidationCell:
        """The cell as the statistics of the validation want it."""
        return ValidationCell(self.name, self.morphology)

    def upright(self, label: str | None = None) -> UprightCell:
        """The cell as a lineup draws it."""
        words = shorten(self.name.rsplit("/", 1)[-1], 13)
        if self.depth is not None:
            words = f"soma at {self.depth:.0f} µm"
        return UprightCell(label or words, self.morphology, self.depth or 0.0, self.layers)


def readable(cells: Iterable[PlacedCell]) -> tuple[list[PlacedCell], list[str]]:
    """The cells whose files can be read: ([PlacedCell], [sentence on the others])."""
    found, lost = [], []
    for cell in cells:
        try:
            cell.morphology  # noqa: B018  (reads the file)
            found.append(cell)
        except FlowError as error:
            lost.append(str(error))
    return found, lost


class SynthesizedCells:
    """The cells of a synthesis.

    Args:
        synthesized: the cells that were made, by mtype.
        table: their rows of the cell table.
        structure: the region structure, for the names of layers; None in vacuum.
    """

    def __init__(
        self,
        synthesized: Synthesized,
        table: CellTable,
        structure: Mapping[str, Any] | None = None,
    ) -> None:
        self._synthesized, self._table, self._structure = synthesized, table, structure

    @classmethod
    def read(
        cls, outputs: SynthesisOutputs, structure: Mapping[str, Any] | None = None
    ) -> SynthesizedCells:
        """The cells of the outputs of a synthesis.

        Raises:
            InvalidInput: a table of the synthesis cannot be read.
        """
        return cls(read_synthesized(outputs), read_table(outputs.cell_table), structure)

    @property
    def mtypes(self) -> dict[str, MtypeCells]:
        """{mtype: MtypeCells}."""
        return self._synthesized.mtypes

    @property
    def table(self) -> CellTable:
        """The CellTable."""
        return self._table

    def rows(self) -> dict[str, np.ndarray]:
        """{mtype: (N,) rows of the cell table} of all cells that were made."""
        return {
            mtype: np.array([row for _, row in _in_table(cells)], dtype=np.int64)
            for mtype, cells in self.mtypes.items()
        }

    def sample(self, mtype: str, wanted: int = 0, seed: int = 0) -> list[PlacedCell]:
        """Some cells of an mtype; none when the mtype is not there.

        Which cells depends on the mtype, their number and the seed alone.

        Args:
            mtype: the mtype.
            wanted: how many at most (0: all).
            seed: of the choice.
        """
        if mtype not in self.mtypes:
            return []
        known = _in_table(self.mtypes[mtype])
        chosen = [known[i] for i in sample(len(known), wanted, _rng(mtype, seed))]
        return [self._cell(name, row, mtype) for name, row in chosen]

    def within(
        self, holds: Callable[[np.ndarray], np.ndarray], most: int = 0, seed: int = 0
    ) -> dict[str, list[PlacedCell]]:
        """The cells of all mtypes whose somata a region of space holds.

        Args:
            holds: a function of (N, 3) positions (um) that gives (N,) bool.
            most: cells of each mtype at most (0: all).
            seed: of the choice.

        Returns:
            {mtype: [PlacedCell]}, mtypes without such a cell too.
        """
        found = {}
        for mtype, rows in self.rows().items():
            inside = np.flatnonzero(holds(self._table.positions[rows])) if len(rows) else rows
            known = _in_table(self.mtypes[mtype])
            chosen = [known[inside[i]] for i in sample(len(inside), most, _rng(mtype, seed))]
            found[mtype] = [self._cell(name, row, mtype) for name, row in chosen]
        return found

    def region(self, mtype: str) -> tuple[str, str] | None:
        """(synthesis region, region) of the first cell of an mtype that was made; None."""
        known = _in_table(self.mtypes[mtype]) if mtype in self.mtypes else []
        if not known:
            return None
        _, row = known[0]
        return self._table.synthesis_regions[row], self._table.regions[row]

    def pia(self) -> np.ndarray:
        """(3,) the mean direction towards the pia at the cells, in the atlas."""
        directions = self._table.orientations[self._all_rows()][:, :, 1]
        directions = directions[np.isfinite(directions).all(axis=1)]
        mean = directions.mean(axis=0) if len(directions) else np.zeros(3)
        return mean if np.linalg.norm(mean) > _NO_DIRECTION else np.array([0.0, 1.0, 0.0])

    def positions(self) -> np.ndarray:
        """(N, 3) um, of the somata of all cells that were made."""
        return self._table.positions[self._all_rows()]

    def _all_rows(self) -> np.ndarray:
        return np.concatenate([np.empty(0, dtype=np.int64), *self.rows().values()])

    def _cell(self, name: str, row: int, mtype: str) -> PlacedCell:
        table = self._table
        orientation = table.orientations[row]
        if not np.isfinite(orientation).all():
            orientation = np.eye(3)
        boundaries, depth = table.layers_of(row), float(table.depths[row])
        if not np.isfinite(depth):
            boundaries = None
        extension = self._synthesized.extensions[0]
        return PlacedCell(
            name=name,
            mtype=mtype,
            path=Path(self._synthesized.folder, f"{name}.{extension}"),
            position=table.positions[row],
            orientation=orientation,
            depth=None if boundaries is None else depth,
            layers=() if boundaries is None else self._layers(row, boundaries),
            row=row,
        )

    def _layers(self, row: int, boundaries: Sequence[float]) -> Layers:
        entry = (self._structure or {}).get(self._table.synthesis_regions[row]) or {}
        names = layer_names(entry, len(boundaries) - 1)
        edges = zip(names, boundaries[:-1], boundaries[1:], strict=True)
        return tuple((name, float(top), float(bottom)) for name, top, bottom in edges)


def _in_table(cells: MtypeCells) -> list[tuple[str, int]]:
    """(name, row) of the cells of an mtype that have a row in the cell table."""
    return [(name, int(row)) for name, row in zip(cells.names, cells.rows, strict=True) if row >= 0]


def _rng(mtype: str, seed: int) -> np.random.Generator:
    return np.random.default_rng(named_seed(seed, mtype))


def in_turn(cells: Mapping[str, Sequence[PlacedCell]], most: int, seed: int) -> list[PlacedCell]:
    """Some cells: of each mtype one after the other until there are enough."""
    rng = np.random.default_rng(named_seed(seed, "turn"))
    queues = [[own[i] for i in rng.permutation(len(own))] for own in cells.values() if own]
    found: list[PlacedCell] = []
    while queues and len(found) < most:
        found += [queue.pop() for queue in queues][: most - len(found)]
        queues = [queue for queue in queues if queue]
    return found


def layer_names(entry: Mapping[str, Any], count: int) -> list[Any]:
    """Names of the layers of an entry of the region structure, from the top down."""
    layers = list(entry.get("layers") or ())
    return layers if len(layers) == count else list(range(1, count + 1))


def common_layers(cells: Iterable[PlacedCell]) -> Layers:
    """[(name, top, bottom)] as medians over cells; () when their layers differ."""
    stacks = [cell.layers for cell in cells if cell.layers]
    if not stacks or len({tuple(name for name, _, _ in stack) for stack in stacks}) != 1:
        return ()
    edges = np.median([[(top, bottom) for _, top, bottom in stack] for stack in stacks], axis=0)
    names = [name for name, _, _ in stacks[0]]
    return tuple(
        (name, float(top), float(bottom)) for name, (top, bottom) in zip(names, edges, strict=True)
    )
