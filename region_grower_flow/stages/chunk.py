"""Synthesis of a chunk: a range of the cell table, from finished cells to a table of results.

What an earlier run has finished is taken over cell by cell: a record counts when the digest of all
that determines its cell is today's and its files are intact. So a killed run goes on where it was,
and a change of one mtype's parameters grows only the cells of that mtype.
"""

from __future__ import annotations

import functools
import itertools
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import layout
from region_grower_flow.cell.synthesis import open_synthesizer
from region_grower_flow.io.atomic import PathLike, make_own_folder, remove_unfinished
from region_grower_flow.io.shards import ShardReader, ends, holds, trim
from region_grower_flow.options.execution import Execution
from region_grower_flow.record.blocks import finished_records
from region_grower_flow.record.tables import whole_records, write_records
from region_grower_flow.runtime.timeout import limit_of_reason

if TYPE_CHECKING:
    from region_grower_flow.cell.settings import SynthesisSettings
    from region_grower_flow.cell.synthesis import Synthesizer
    from region_grower_flow.io.shards import Shard
    from region_grower_flow.runtime.plans import ChunkOutcome, ChunkProgress


L = logging.getLogger(__name__)

H5 = "h5"
ONLY_H5 = (H5,)
"""Formats of which a shard holds what a file would."""

NOT_WRITTEN: dict[str, Any] = {"files": {}, "shard": None, "apical_NRN_sections": None}
"""The part of a cell's record on its morphology where none is written."""

START_SECONDS = 1.5
"""Seconds that ranks need to start: launcher, imports, kernels."""

FEW_CELLS = 2000
"""More are never grown in this process of their own accord: nobody need ask how long they take."""

CELL_SECONDS, MICROMETER_SECONDS, SPACE_FACTOR = 0.8e-3, 0.5e-6, 12
"""Time of a cell without length, of a micrometer of barcode, and how much more it is where meshes
or directions act (measured: docs/explanation/performance.rst)."""


@dataclass(frozen=True)
class ChunkPlan:
    """Run of a chunk; nothing here changes a result.

    Attributes:
        settings: what all cells share.
        first, last: the range of cells that names the chunk.
        work_dir: the work folder.
        launcher: "mpiexec", "srun", "inprocess" or a command.
        workers: number of MPI workers.
        execution: the options of how the work is done.
        log_level: of the workers' logs.
    """

    settings: SynthesisSettings
    first: int
    last: int
    work_dir: Path
    launcher: str
    workers: int
    execution: Execution = Execution()
    log_level: str = "info"

    @property
    def name(self) -> str:
        """The chunk's name in files."""
        return layout.chunk_name(self.first, self.last)

    @property
    def blocks(self) -> Path:
        """The folder of the chunk's finished blocks."""
        return Path(self.work_dir) / layout.BLOCKS / self.name

    @property
    def shards(self) -> Path:
        """The folder of all chunks' shards."""
        return Path(self.work_dir) / layout.SHARDS

    @property
    def results(self) -> Path:
        """The table of the chunk's results."""
        return Path(self.work_dir) / layout.CHUNKS / f"{self.name}{layout.RECORDS}"


def synthesize_chunk(
    plan: ChunkPlan, on_progress: Callable[[ChunkProgress], object]
) -> dict[str, Any]:
    """Grow what is not finished of a chunk and write its table of results.

    Args:
        plan: the ChunkPlan.
        on_progress: called with the runtime's ChunkProgress, and at the end.

    Returns:
        facts (dict): how many cells were made, dropped, grown now, taken over; seconds.

    Raises:
        WorkerFailed, OutputFailed: finished blocks stay for the next run.
    """
    start = time.monotonic()
    own = [(layout.BLOCKS, plan.name), (layout.CHUNKS,), (layout.LOGS, plan.name)]
    if plan.settings.shards:
        own.append((layout.SHARDS, plan.name))
    elif not plan.settings.skip_write:
        own.append((layout.MORPHOLOGIES,))
    for parts in own:
        make_own_folder(plan.work_dir, *parts)
    synthesizer = open_synthesizer(plan.settings)
    rows = range(*plan.settings.rows)
    wanted = {row: synthesizer.digest(row) for row in rows}
    _trim_shards(plan, _earlier_records(plan, silent=True))  # what a killed run has left
    with ShardReader(plan.shards) as shards:
        records = _taken_over(plan, wanted, _Keeper(plan, shards, synthesizer.inputs.shard).keep)
    taken, incidents = len(records), []
    remaining = [row for row in rows if row not in records]
    if remaining:
        if plan.settings.growth.engine == "compiled":
            from region_grower_flow.engine import filling

            filling.provide(synthesizer.kernel_groups())  # before many ranks would compile
        outcome = _grow(plan, synthesizer, remaining, wanted, on_progress)
        records.update(outcome.records)
        incidents = outcome.incidents
    remove_unfinished(plan.results)  # of a run that was killed in the next line
    write_records(plan.results, (records[row] for row in rows))
    _remove_blocks(plan.blocks)
    others = _earlier_records(plan, others=True, silent=True)
    _trim_shards(plan, itertools.chain(records.values(), others))
    made = sum(record["status"] == layout.MADE for record in records.values())
    return {
        "cells": len(rows),
        "made": made,
        "dropped": len(rows) - made,
        "grown": len(remaining),
        "taken_over": taken,
        "given_up_at": given_up_at(records.values()),
        "fallbacks": sum(bool(record.get("fallback")) for record in records.values()),
        "incidents": incidents,
        "seconds": round(time.monotonic() - start, 3),
    }


def given_up_at(records: Iterable[dict[str, Any]]) -> float | None:
    """The least time limit (s) at which a cell was dropped; None when none was.

    With more time such a cell may grow. Cells that were dropped for anything else stay dropped
    until something that determines them changes: they would fail again.
    """
    limits = [limit_of_reason(record["reason"]) for record in records]
    return min((limit for limit in limits if limit is not None), default=None)


def finished_cells(plan: ChunkPlan) -> tuple[int, int]:
    """Number of a chunk's cells that a run would take over, of how many; nothing is written.

    Of the morphologies only the sizes are looked at: a run reads them.
    """
    synthesizer = open_synthesizer(plan.settings)
    rows = range(*plan.settings.rows)
    wanted = {row: synthesizer.digest(row) for row in rows}
    return len(_taken_over(plan, wanted, functools.partial(_seems_whole, plan))), len(rows)


def _seems_whole(plan: ChunkPlan, record: dict[str, Any]) -> dict[str, Any] | None:
    """The record, if the files or the shard of its cell are there in their sizes; else None."""
    if record.get("shard"):
        return record if holds(plan.shards, record["shard"]) else None
    stem = Path(plan.settings.morphologies) / str(record["name"])
    files = record["files"].items()
    return record if all(_has_size(f"{stem}.{ext}", known[0]) for ext, known in files) else None


def _has_size(path: PathLike, size: int) -> bool:
    try:
        return os.stat(path).st_size == size
    except OSError:
        return False


class _Keeper:
    """Takes over the morphologies of finished cells; those that are elsewhere are brought here.

    A run may want files where an earlier one has appended cells to shards, or the other way round:
    the bytes are the same.

    Args:
        plan: the ChunkPlan.
        shards: the ShardReader of all shards.
        shard: the Shard of this process, None where files are wanted.
    """

    def __init__(self, plan: ChunkPlan, shards: ShardReader, shard: Shard | None) -> None:
        self._folder, self._formats = plan.settings.morphologies, plan.settings.growth.out_morph_ext
        self._shards, self._shard = shards, shard

    def keep(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """The record, with the place where its morphology is now; None when it is not whole."""
        from region_grower_flow.io.morphologies import check_file, write_contents

        place, files = record.get("shard"), record["files"]
        if not (place or files):
            return record
        if place and (self._shard is not None or self._formats == ONLY_H5):
            image = self._shards.read(place)
            if image is None or self._shard is not None:
                return None if image is None else record
            files = write_contents(self._folder, record["name"], {H5: image})
            return {**record, "files": files, "shard": None}
        stem = f"{self._folder}/{record['name']}"
        if not files or not all(
            check_file(f"{stem}.{ext}", *known) for ext, known in files.items()
        ):
            return None
        if self._shard is None:
            return record
        image = Path(f"{stem}.{H5}").read_bytes()
        return {**record, "files": {}, "shard": self._shard.append(image)}


def chosen_launcher(
    plan: ChunkPlan, synthesizer: Synthesizer, rows: Sequence[int]
) -> tuple[str, int]:
    """The launcher and the number of workers for some rows of a chunk.

    With "auto" and no number of workers, what takes no longer than ranks need to start is grown in
    this process; else see :func:`region_grower_flow.runtime.choice.choose_launcher`.
    """
    from region_grower_flow.runtime.choice import AUTO, choose_launcher
    from region_grower_flow.runtime.commands import INPROCESS

    unsaid = plan.launcher == AUTO and plan.execution.nb_processes is None
    if unsaid and len(rows) <= FEW_CELLS and expected_seconds(synthesizer, rows) < START_SECONDS:
        return INPROCESS, 1
    return choose_launcher(plan.launcher, plan.workers)


def expected_seconds(synthesizer: Synthesizer, rows: Sequence[int]) -> float:
    """About how long one process takes to grow some rows; infinite where nobody knows.

    Args:
        synthesizer: the Synthesizer.
        rows: the rows.
    """
    groups = synthesizer.kernel_groups()
    if not groups:  # NeuroTS grows them
        return math.inf
    length = sum(synthesizer.cost(row) for row in rows)
    seconds = len(rows) * CELL_SECONDS + length * MICROMETER_SECONDS
    seconds *= SPACE_FACTOR if "space" in groups else 1
    return seconds if math.isfinite(seconds) else math.inf


def _grow(
    plan: ChunkPlan,
    synthesizer: Synthesizer,
    rows: Sequence[int],
    wanted: Mapping[int, str],
    on_progress: Callable[[ChunkProgress], object],
) -> ChunkOutcome:
    from region_grower_flow.runtime.launcher import run_chunk
    from region_grower_flow.runtime.plans import ChunkRun

    launcher, workers = chosen_launcher(plan, synthesizer, rows)
    run = ChunkRun(
        settings=plan.settings.to_json(),
        rows=rows,
        blocks_folder=str(plan.blocks),
        logs_folder=str(Path(plan.work_dir) / layout.LOGS / plan.name),
        launcher=launcher,
        workers=workers,
        digests={row: wanted[row] for row in rows},
        execution=plan.execution,
        log_level=plan.log_level.upper(),
    )
    return run_chunk(run, on_progress, synthesizer)


def _taken_over(
    plan: ChunkPlan,
    wanted: Mapping[int, str],
    keep: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> dict[int, dict[str, Any]]:
    """{row: record} of the cells that an earlier run has finished as today's would be.

    Args:
        plan: the ChunkPlan.
        wanted: {row: digest}.
        keep: gives the record to keep of a cell's, None when its morphology is not whole.
    """
    by_digest = {digest: row for row, digest in wanted.items()}
    written = _digests_where_written(plan, wanted)
    records: dict[int, dict[str, Any]] = {}
    for record in _earlier_records(plan):
        digest = record.get("digest", "")
        row = by_digest.get(digest)
        # Some cells are dropped since they cannot be written: one that is not written may grow.
        if row is None and record["status"] == layout.MADE and digest in written:
            row = written[digest]
            record = {**record, "digest": wanted[row], **NOT_WRITTEN}
        if row is None or row in records:
            continue
        limit = given_up_at([record])
        if limit is not None and limit < plan.execution.cell_timeout:
            continue
        kept = keep(record)
        if kept is not None:
            records[row] = {**kept, "row": row}
    return records


def _digests_where_written(plan: ChunkPlan, rows: Iterable[int]) -> dict[str, int]:
    """{digest: row} of the same cells in a run that writes them, for one that does not."""
    if not plan.settings.skip_write:
        return {}
    synthesizer = open_synthesizer(replace(plan.settings, skip_write=False))
    return {synthesizer.digest(row): row for row in rows}


def _trim_shards(plan: ChunkPlan, records: Iterable[dict[str, Any]]) -> None:
    """Shorten the chunk's shards to what these records, all that name them, need of them."""
    folder = Path(plan.shards) / plan.name
    if folder.is_dir():
        # Where there are none, tables of many more cells need not be read.
        named = records if os.listdir(folder) else ()
        trim(plan.shards, plan.name, ends(r["shard"] for r in named if r.get("shard")))


def _earlier_records(
    plan: ChunkPlan, others: bool = False, silent: bool = False
) -> Iterator[dict[str, Any]]:
    """The records of earlier runs for these cells, whatever their chunks were.

    Args:
        plan: the ChunkPlan.
        others: without those of a chunk of the plan's own name.
        silent: without a word on damaged tables.
    """
    left_out = {plan.name, plan.results.name} if others else ()
    for folder in _overlapping(plan, layout.BLOCKS):
        if folder.name not in left_out:
            yield from finished_records(folder).values()
    for path in _overlapping(plan, layout.CHUNKS):
        if path.name in left_out:
            continue
        records, whole = whole_records(path)
        if not (whole or silent):
            L.warning("%s is damaged: the cells of its damaged lines are grown again.", path)
        yield from records


def _overlapping(plan: ChunkPlan, folder: str) -> list[Path]:
    place = Path(plan.work_dir) / folder
    if not place.is_dir():
        return []
    paths = []
    for path in sorted(place.iterdir()):
        cells = layout.chunk_range(path.name)
        if cells and cells[0] < plan.last and plan.first < cells[1]:
            paths.append(path)
    return paths


def _remove_blocks(folder: Path) -> None:
    """Remove the blocks of a finished chunk: its table holds all that they held."""
    shutil.rmtree(folder, ignore_errors=True)
