"""The cells that a synthesis has written, by mtype."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class WrittenCell:
    """The files of one synthesized cell.

    Attributes:
        name: path below the folder of the morphologies, without extension.
        digests: {extension: (size in bytes, CRC-32)} as recorded when they were written; None: no
            record has been kept.
    """

    name: str
    digests: Mapping[str, Sequence[int]] | None = None


@dataclass
class MtypeCells:
    """Cells of one mtype according to the synthesis.

    Attributes:
        asked: number of cells asked for.
        names: path of each cell that was made, below the folder of morphologies, in the order of
            the nodes.
        rows: rows of the cell table of these cells (-1: there is none).
        dropped: {reason: number of cells}; cells without a reason are under "".
        lost: ids of cells that are neither made nor dropped.
        moved: names of cells whose position is not the one asked for.
        recorded: what the summary says: {"asked", "made", "dropped"} numbers; None: nothing.
    """

    asked: int = 0
    names: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    recorded: dict[str, int] | None = None

    def in_summary(self) -> dict[str, int]:
        """Expected entries of the summary."""
        dropped = sum(self.dropped.values())
        return {"asked": self.asked, "made": len(self.names), "dropped": dropped}


@dataclass
class Synthesized:
    """The cells that a synthesis has made.

    Attributes:
        folder: of the morphologies.
        extensions: their formats.
        mtypes: {mtype: MtypeCells}, sorted.
        digests: {file below the folder: (size in bytes, CRC-32, ...)} as recorded, see
            :class:`~region_grower_flow.record.file_table.FileTable`; empty: no record.
        stray: files of the listing that belong to no row.
    """

    folder: Path
    extensions: Sequence[str]
    mtypes: dict[str, MtypeCells]
    digests: Mapping[str, Sequence[int]] = field(default_factory=dict)
    stray: Sequence[str] = field(default_factory=list)

    def written(self, names: Iterable[str]) -> list[WrittenCell]:
        """The WrittenCells of some names."""
        return [WrittenCell(name, self._recorded(name)) for name in names]

    def _recorded(self, name: str) -> dict[str, Sequence[int]] | None:
        """{extension: (size, CRC-32)} of the files of a name; None without any record."""
        if not self.digests:
            return None
        files = {extension: f"{name}.{extension}" for extension in self.extensions}
        return {e: self.digests[file][:2] for e, file in files.items() if file in self.digests}
