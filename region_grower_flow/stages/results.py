"""Results of all cells: the records of the chunks as columns, some 90 bytes a cell.

Records are read in batches and forgotten; outputs are written from the columns, in batches again.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow import layout
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.record.file_table import ABSENT, FileTable, batches
from region_grower_flow.record.tables import read_records, without_collection

if TYPE_CHECKING:
    from region_grower_flow.io.shards import Place


WITHOUT_AXON = "the axon table gives it no morphology"
"""Reason of a cell without a record: only such rows are left out of the cell table."""

NO_REASON, _NO_RECORD = -1, 0
"""Codes of a cell that was made, and of one without a record."""

_RECORDS = 2_000
"""Records that are in memory at a time, 2 kB each."""

_NO_POINT, _NO_FILE = (np.nan,) * 3, (ABSENT, 0)


class CellResults:
    """The results of all cells, in the order of the input.

    Args:
        chunks: the chunks' tables of results.
        count: N, the number of cells of the input.
        folders: the folder below the users' of each cell's files; empty: as in the work folder.

    Attributes:
        names: (N,) bytes, the path of each morphology below the users' folder, without extension;
            empty for a cell that was dropped.
        reasons: (N,) int32, the place in ``sentences`` of why a cell was dropped, or NO_REASON.
        sentences: all reasons of drops.
        apical_points: (N, 3) float64, the first apical point (um), NaN where there is none.
        nrn_sections: (N,) bytes, NEURON's index of each apical section (or null) as JSON; empty
            where it is not computed.
        attempts: of all cells together.
        fallbacks: {why NeuroTS grew cells: how many}.
    """

    def __init__(self, chunks: Iterable[PathLike], count: int, folders: Sequence[str] = ()) -> None:
        self.names = np.zeros(count, dtype="S1")
        self.nrn_sections = np.zeros(count, dtype="S1")
        self.reasons = np.full(count, _NO_RECORD, dtype=np.int32)
        self.sentences = [WITHOUT_AXON]
        self.apical_points = np.full((count, 3), np.nan)
        self.attempts = 0
        self.fallbacks: dict[str, int] = {}
        self._folders = folders
        self._codes: dict[str, int] = {}
        self._files: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._shards: dict[str, int] = {}
        self._places: np.ndarray | None = None
        with without_collection():
            for chunk in chunks:
                records = iter(read_records(chunk))
                while batch := list(itertools.islice(records, _RECORDS)):
                    self._add(batch)

    def __len__(self) -> int:
        return len(self.reasons)

    @property
    def made(self) -> np.ndarray:
        """(N,) bool, the cells that have a morphology."""
        return self.reasons == NO_REASON

    def files(self) -> FileTable:
        """The FileTable of all morphologies, by their paths below the users' folder."""
        names, sizes, crcs = [], [], []
        for extension, (size, crc32) in self._files.items():
            written = self._by_name[size[self._by_name] != ABSENT]
            names.append(np.char.add(self.names[written], f".{extension}".encode()))
            sizes.append(size[written])
            crcs.append(crc32[written])
        if not sizes:
            return FileTable.of({})
        # Not concatenated where there is one extension: these are the merge's largest columns.
        if len(sizes) == 1:
            return FileTable(names[0], sizes[0], crcs[0], None)
        return FileTable(np.concatenate(names), np.concatenate(sizes), np.concatenate(crcs), None)

    def images(self) -> Iterator[tuple[str, Place]]:
        """(name, Place in a shard) of each cell made, in the order of the input."""
        if self._places is None:
            return
        shards = list(self._shards)
        made = np.flatnonzero(self.made)
        for batch in batches(len(made)):
            rows = made[batch]
            names, places = self.names[rows].tolist(), self._places[rows].tolist()
            for name, (code, first, size, crc32) in zip(names, places, strict=True):
                yield name.decode(), (shards[code], first, size, crc32)

    def points_by_name(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(names, first apical points) of the cells made, sorted by name, in batches.

        Names are (M,) bytes, points (M, 3) float64 (um), NaN where there is none.
        """
        for rows in self._rows_by_name():
            yield self.names[rows], self.apical_points[rows]

    def sections_by_name(self) -> Iterator[tuple[str, list[int | None] | None]]:
        """(name, NEURON's sections or None) of each cell made, sorted by name."""
        for rows in self._rows_by_name():
            columns = self.names[rows].tolist(), self.nrn_sections[rows].tolist()
            for name, sections in zip(*columns, strict=True):
                yield name.decode(), json.loads(sections) if sections else None

    def _rows_by_name(self) -> Iterator[np.ndarray]:
        for batch in batches(len(self._by_name)):
            yield self._by_name[batch]

    @functools.cached_property
    def _by_name(self) -> np.ndarray:
        """The cells that were made, sorted by name: (M,) of the smallest integers that do."""
        made = np.flatnonzero(self.made).astype(np.min_scalar_type(len(self)))
        return made[np.argsort(self.names[made], kind="stable")]

    # Filled.

    def _add(self, records: list[dict[str, Any]]) -> None:
        made = [record for record in records if record["status"] == layout.MADE]
        for record in records if len(made) < len(records) else ():
            if record["status"] != layout.MADE:
                self.reasons[record["cell"]] = self._code(record["reason"])
        if not made:
            return
        cells = np.array([record["cell"] for record in made])
        self.names = _filled(self.names, cells, self._names(made))
        self.reasons[cells] = NO_REASON
        points = [r["apical_points"][0] if r["apical_points"] else _NO_POINT for r in made]
        self.apical_points[cells] = points
        sections = [record["apical_NRN_sections"] for record in made]
        if any(each is not None for each in sections):
            texts = ["" if each is None else json.dumps(each) for each in sections]
            self.nrn_sections = _filled(self.nrn_sections, cells, texts)
        self._add_files(cells, [record["files"] for record in made])
        if made[0].get("shard"):
            self._add_places(cells, [record["shard"] for record in made])
        self.attempts += sum(record["attempts"] for record in made)
        for reason in filter(None, (record.get("fallback") for record in made)):
            self.fallbacks[reason] = self.fallbacks.get(reason, 0) + 1

    def _code(self, reason: str) -> int:
        if reason not in self._codes:
            self._codes[reason] = len(self.sentences)
            self.sentences.append(reason)
        return self._codes[reason]

    def _names(self, made: list[dict[str, Any]]) -> list[str]:
        names = [record["name"] for record in made]
        if not self._folders:
            return names
        folders = (self._folders[record["cell"]] for record in made)
        return [f"{folder}/{name}" for folder, name in zip(folders, names, strict=True)]

    def _add_places(self, cells: np.ndarray, places: list[Any]) -> None:
        if self._places is None:
            self._places = np.zeros((len(self), 4), dtype=np.int64)
        codes = [self._shards.setdefault(name, len(self._shards)) for name, *_ in places]
        self._places[cells, 0] = codes
        self._places[cells, 1:] = [numbers for _, *numbers in places]

    def _add_files(self, cells: np.ndarray, files: list[dict[str, Any]]) -> None:
        for extension in dict.fromkeys(name for each in files for name in each):
            if extension not in self._files:
                sizes = np.full(len(self), ABSENT, dtype=np.int64)
                self._files[extension] = sizes, np.zeros(len(self), dtype=np.uint32)
            sizes, crcs = self._files[extension]
            known = np.array([each.get(extension, _NO_FILE) for each in files], dtype=np.int64)
            sizes[cells], crcs[cells] = known.T


def _filled(column: np.ndarray, rows: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """A column of bytes with the texts of some rows, wider where these need it."""
    # One call for all, which takes a third of the time of one for each.
    values = np.array("\n".join(texts).encode().split(b"\n"))
    if len(values) != len(texts):  # a text of several lines
        values = np.array([text.encode() for text in texts])
    if values.dtype.itemsize > column.dtype.itemsize:
        column = column.astype(values.dtype)
    column[rows] = values
    return column
