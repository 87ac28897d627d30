"""The cells under test: those that a synthesis has written, and the reconstructions.

A synthesis in an atlas and one in vacuum leave the same files (SONATA nodes, the table of ids, the
summary, a folder of morphologies), so one reader serves both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.calibration.dataset import ReferenceCell
from region_grower_flow.calibration.mending import open_as_used, soma_radius
from region_grower_flow.calibration.morphologies import examine_cell
from region_grower_flow.errors import FlowError, InvalidInput
from region_grower_flow.io.csv_files import read_csv
from region_grower_flow.io.morphologies import load_morphology
from region_grower_flow.layout import DROPPED, MADE
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.record.file_table import FileTable, packed
from region_grower_flow.record.listing import read_listing
from region_grower_flow.validation.body import SOMA
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.written import MtypeCells, Synthesized

if TYPE_CHECKING:
    from region_grower_flow.io.cells import Cells
    from region_grower_flow.io.table import CellTable


@dataclass(frozen=True)
class SynthesisOutputs:
    """Outputs of a synthesis.

    Attributes:
        cells: SONATA nodes or MVD3 file of the cells that were made.
        ids: the table (CSV) from the cells asked for to those made.
        summary: JSON file of the run's summary.
        morphologies: the folder.
        extensions: formats of the morphologies.
        cell_table: the rows that were grown, see ``io.table``.
        asked: nodes with the cells asked for; None in vacuum, where the cell table has them all.
        rows: of the cells asked for among these nodes, None for all.
        population: the one of ``asked``, where it holds several.
        listing: what remembers size and CRC-32 of each morphology; None: not known.
        container: HDF5 file with all morphologies; None: there is none.
    """

    cells: Path
    ids: Path
    summary: Path
    morphologies: Path
    extensions: Sequence[str]
    cell_table: Path
    asked: Path | None = None
    rows: np.ndarray | None = None
    population: str | None = None
    listing: Path | None = None
    container: Path | None = None


ID_COLUMNS = ("input_id", "status", "reason", "morphology")
"""Columns of the table of ids."""

POSITION_TOLERANCE = 1e-2
"""Tolerance (um) of positions: nodes hold float32, whose step is 0.001 um at 10,000 um."""


def read_synthesized(outputs: SynthesisOutputs) -> Synthesized:
    """Outcome of a synthesis, as Synthesized.

    Raises:
        InvalidInput: a table is missing or not readable.
    """
    from region_grower_flow.io.cells import read_cells
    from region_grower_flow.io.table import read_table

    table = read_table(outputs.cell_table)
    asked = _asked(outputs, table)
    nodes = read_cells(outputs.cells, required=("mtype",))
    ids = _read_ids(outputs.ids)
    rows = np.arange(len(asked[0])) if outputs.rows is None else outputs.rows
    mtypes = {str(mtype): MtypeCells() for mtype in sorted(set(asked[0][rows].tolist()))}
    _count_asked(mtypes, rows, asked[0], ids)
    _add_nodes(mtypes, nodes, ids, asked, table)
    _add_summary(mtypes, outputs.summary)
    digests = _digests(outputs)
    return Synthesized(
        folder=Path(outputs.morphologies),
        extensions=tuple(outputs.extensions),
        mtypes=mtypes,
        digests=digests,
        stray=_stray(digests, mtypes, outputs.extensions),
    )


def _asked(outputs: SynthesisOutputs, table: CellTable) -> tuple[np.ndarray, np.ndarray]:
    """(mtypes, positions) of all cells asked for, by their id."""
    from region_grower_flow.io.cells import read_cells

    if outputs.asked is None:
        return table.mtypes.astype(str), table.positions
    cells = read_cells(outputs.asked, population=outputs.population)
    return cells.properties["mtype"].to_numpy(dtype=str), cells.positions


@dataclass
class _Ids:
    """The table of ids: the cells that were made, their ids by name, the reasons of the others."""

    made: set[int] = field(default_factory=set)
    by_name: dict[str, int] = field(default_factory=dict)
    dropped: dict[int, str] = field(default_factory=dict)

    def add(self, row: Mapping[str, str]) -> None:
        """Add a row of the table."""
        if not row["input_id"].isdecimal():
            return
        cell = int(row["input_id"])
        if row["status"] == MADE:
            self.made.add(cell)
            self.by_name[row["morphology"]] = cell
        elif row["status"] == DROPPED:
            self.dropped[cell] = row["reason"].strip()


def _read_ids(path: Path) -> _Ids:
    ids = _Ids()
    try:
        for row in read_csv(path, ID_COLUMNS):
            ids.add(row)
    except OSError as error:
        raise InvalidInput(f"the table of ids cannot be read ({error})", path) from error
    return ids


def _count_asked(
    mtypes: dict[str, MtypeCells], rows: np.ndarray, asked: np.ndarray, ids: _Ids
) -> None:
    for cell in rows.tolist():
        population = mtypes[asked[cell]]
        population.asked += 1
        if cell in ids.dropped:
            reason = ids.dropped[cell]
            population.dropped[reason] = population.dropped.get(reason, 0) + 1
        elif cell not in ids.made:
            population.lost.append(cell)


def _add_nodes(
    mtypes: dict[str, MtypeCells],
    nodes: Cells,
    ids: _Ids,
    asked: tuple[np.ndarray, np.ndarray],
    table: CellTable,
) -> None:
    """The rows of the nodes, with the rows of the cell table that they come from."""
    if "morphology" not in nodes.properties:
        return  # a population without any cell
    places = {int(cell): row for row, cell in enumerate(table.ids)}
    names = nodes.properties["morphology"].tolist()
    found = nodes.properties["mtype"].astype(str).tolist()
    for name, mtype, position in zip(names, found, nodes.positions, strict=True):
        population = mtypes.setdefault(mtype, MtypeCells())
        cell = ids.by_name.get(name, -1)
        population.names.append(name)
        population.rows.append(places.get(cell, -1))
        known = 0 <= cell < len(asked[1])
        wanted = asked[1][cell] if known else np.full(3, np.nan)
        if not (np.abs(position - wanted) <= POSITION_TOLERANCE + 1e-6 * np.abs(wanted)).all():
            population.moved.append(name)


def _add_summary(mtypes: dict[str, MtypeCells], path: Path) -> None:
    try:
        summary = json.loads(Path(path).read_text(encoding="utf-8"))["mtypes"]
        for mtype, counts in summary.items():
            recorded = {name: counts[name] for name in ("asked", "made", "dropped")}
            mtypes.setdefault(mtype, MtypeCells()).recorded = recorded
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"the summary cannot be read ({error})", path) from error


def _digests(outputs: SynthesisOutputs) -> FileTable:
    listed = None
    if outputs.listing is not None:
        listed = read_listing(outputs.listing, outputs.morphologies)
    return FileTable.of({}) if listed is None else listed


def _stray(
    listed: FileTable, mtypes: dict[str, MtypeCells], extensions: Sequence[str]
) -> list[str]:
    """The names of a FileTable that belong to none of the mtypes' cells, sorted."""
    stray = np.ones(len(listed), dtype=bool)
    for cells in mtypes.values():
        for extension in extensions:
            places = listed.find(packed(f"{name}.{extension}" for name in cells.names))
            stray[places[places >= 0]] = False
    return list(listed.rows(stray))


def sample(count: int, wanted: int, rng: np.random.Generator) -> list[int]:
    """Sorted indices of ``wanted`` of ``count`` cells, drawn at random (0: all of them)."""
    if not wanted or count <= wanted:
        return list(range(count))
    return sorted(rng.choice(count, wanted, replace=False).tolist())


def upright(morphology: FlatMorphology, orientation: np.ndarray) -> FlatMorphology:
    """A morphology turned back from its orientation in the atlas, so that the pia is along +y.

    Args:
        morphology: FlatMorphology, as it lies in the atlas.
        orientation: (3, 3), the rotation that synthesis has applied.
    """
    return replace(
        morphology,
        # Of a rotation the transpose is the inverse: p = R q, so q = R^T p, in rows q = p R.
        points=(morphology.points @ orientation).astype(np.float32),
        soma_points=(morphology.soma_points @ orientation).astype(np.float32),
    )


def read_references(
    cells: Iterable[ReferenceCell], mtype: str | None
) -> tuple[list[ValidationCell], list[str]]:
    """The reconstructions of an mtype that can be used: ([ValidationCell], [sentence]).

    The rule is that of the calibration, and small faults are mended as there: see
    ``calibration.morphologies.examine_cell``.

    Args:
        cells: the ReferenceCells.
        mtype: their mtype.
    """
    found, lost = [], []
    for cell in cells:
        examined = examine_cell(cell, mtype or "")
        if examined.problem is None:
            used = open_as_used(cell.path)
            morphology = FlatMorphology.from_morphio(used).centered()
            # Of cylinders, too, which the points of a FlatMorphology do not tell from a contour.
            found.append(ValidationCell(cell.name, morphology, {SOMA: soma_radius(used)}))
        else:
            lost.append(f"{cell.name}: {examined.reason}")
    return found, lost


def read_sample(
    synthesized: Synthesized, names: Iterable[str], orientations: Sequence[np.ndarray] | None = None
) -> tuple[list[ValidationCell], list[str]]:
    """Some synthesized cells, upright: ([ValidationCell], [sentence on what cannot be read]).

    Args:
        synthesized: Synthesized.
        names: of the cells.
        orientations: (N, 3, 3) of the cells; None: they are upright.
    """
    found, lost = [], []
    extension = synthesized.extensions[0]
    for place, name in enumerate(names):
        try:
            # Diameters that are not above 0 are a verdict of their own.
            morphology = load_morphology(Path(synthesized.folder, f"{name}.{extension}"))
        except FlowError as error:
            lost.append(str(error))
            continue
        if not np.isfinite(morphology.points).all():
            lost.append(f"{name}: it has points that are not finite")
            continue
        if orientations is not None:
            morphology = upright(morphology, orientations[place])
        found.append(ValidationCell(name, morphology))
    return found, lost
