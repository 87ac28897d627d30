"""Plans of chunks, their outcomes, and the blocks into which their rows are cut."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from region_grower_flow.options.execution import Execution
from region_grower_flow.runtime.commands import MPIEXEC
from region_grower_flow.runtime.job import Block

BLOCK_CELLS = 50
"""Most cells of a block: what a killed rank loses at most."""

LAST_CELLS = 4
"""Cells of the last blocks, for which workers wait at the end: fewer cost more than the waiting,
since each block is a message and a file."""

BLOCKS_PER_WORKER = 4
"""Least number of blocks a worker, where there are few cells."""

SHARES_PER_WORKER = 2
"""Shares of the work left for each worker, of which a block is one: with one share a worker, a
block whose cells take longer than expected would be waited for."""

STALL_SECONDS = 900.0
START_SECONDS = 300.0
HANG_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class ChunkRun:
    """The rows of a chunk that are to be grown, and how.

    Attributes:
        settings: of the synthesizer, as a dict that JSON can hold.
        rows: rows of the cell table to grow: those without a finished record.
        blocks_folder: where the records of blocks go (and the job files, below it).
        logs_folder: where the ranks' logs go.
        launcher: "mpiexec", "srun", "inprocess" or a template, see
            :func:`region_grower_flow.runtime.commands.launch_command`.
        workers: processes that grow cells (under MPI one more hands out the blocks).
        digests: {row: fingerprint of the cell}; None asks the synthesizer.
        costs: {row: relative work}; None asks the synthesizer.
        execution: the options of how the work is done, whole; ``launcher`` and ``workers`` are
            what has been settled of them.
        hang_grace: seconds beyond ``execution.cell_timeout`` after which a cell that does not let
            itself be interrupted ends its job.
        stall_seconds: a job in which nothing happens for so long is ended and started anew.
        start_seconds: for all ranks to be at work once the first has started.
        max_launches: launches in a row that neither finish a cell nor tell which cell ended them,
            before giving up.
        max_crashed_cells: cells that may bring their process down, before giving up: more point
            at the installation or the memory, not at cells.
        srun_options: further options of srun; None for the ``--mpi`` of this Python's MPI.
        log_level: of the ranks' logs.
    """

    settings: dict
    rows: Sequence[int]
    blocks_folder: str
    logs_folder: str
    launcher: str | Sequence[str] = MPIEXEC
    workers: int = 1
    digests: Mapping[int, str] | None = None
    costs: Mapping[int, float] | None = None
    execution: Execution = Execution()
    hang_grace: float = HANG_GRACE_SECONDS
    stall_seconds: float = STALL_SECONDS
    start_seconds: float = START_SECONDS
    max_launches: int = 5
    max_crashed_cells: int = 20
    srun_options: Sequence[str] | None = None
    log_level: str = "INFO"


@dataclass(frozen=True)
class ChunkProgress:
    """Progress of a chunk: cells ``done`` (``dropped`` of them given up) of ``total``."""

    done: int
    dropped: int
    total: int
    cells_per_second: float


@dataclass
class ChunkOutcome:
    """Outcome of a chunk.

    Attributes:
        records: {row: record} of all rows asked for.
        launches: how many there were.
        incidents: a sentence for each launch that did not end well, oldest first.
        seconds: wall time.
    """

    records: dict[int, dict[str, Any]] = field(default_factory=dict)
    launches: int = 0
    incidents: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def dropped(self) -> int:
        """Number of the cells that were dropped."""
        return sum(record["status"] == "dropped" for record in self.records.values())


def cut_blocks(
    rows: Iterable[int],
    costs: Mapping[int, float],
    workers: int,
    block_cells: int | None = None,
) -> list[Block]:
    """Cut rows into blocks that get smaller towards the end, dearest block first.

    Guided self-scheduling (Polychronopoulos and Kuck, IEEE Trans. Comput. 1987): a block is a share
    of the work that is left, so that workers end at nearly the same time.

    Args:
        rows: the rows; neighbors stay together.
        costs: {row: relative work}; odd values count as the mean of the others.
        workers: how many will share the blocks.
        block_cells: most cells of a block.

    Returns:
        A list of :class:`Block`.
    """
    rows = list(rows)
    if not rows:
        return []
    weights = _weights([costs[row] for row in rows])
    limit = block_cells or BLOCK_CELLS
    left = sum(weights)
    last_cells = min(LAST_CELLS, len(rows) / (workers * BLOCKS_PER_WORKER))
    least = left / len(rows) * last_cells
    blocks: list[tuple[float, list[int]]] = []
    current: list[int] = []
    weight = 0.0
    for row, cost in zip(rows, weights, strict=True):
        share = max(left / (workers * SHARES_PER_WORKER), least)
        # A cell joins when that brings the block nearer to its share than leaving it out does.
        if current and (len(current) >= limit or weight + cost / 2 > share):
            blocks.append((weight, current))
            left -= weight
            current, weight = [], 0.0
        current.append(row)
        weight += cost
    blocks.append((weight, current))
    blocks.sort(key=lambda block: -block[0])
    return [Block(tuple(cells)) for _, cells in blocks]


def _weights(costs: Sequence[float]) -> list[float]:
    usable = [cost for cost in costs if math.isfinite(cost) and cost > 0]
    mean = sum(usable) / len(usable) if usable else 1.0
    return [cost if math.isfinite(cost) and cost > 0 else mean for cost in costs]
