"""The job file: the only thing that the launcher and the worker share.

It is versioned JSON with a checksum, so that a worker of another installation refuses a job it does
not understand instead of doing something else.
"""

import os
import secrets
import socket
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike, write_json_atomic
from region_grower_flow.layout import JOBS, LAUNCHER_LOG, rank_log
from region_grower_flow.options.execution import Execution
from region_grower_flow.record.fingerprint import read_checked, with_check

JOB_VERSION = 3
AGAIN = "run again: they are written anew for each launch, and all its machines must see them"


@dataclass(frozen=True)
class Block:
    """The rows that a worker takes at a time.

    Attributes:
        rows: rows of the cell table.
        reason: None to grow the cells; or why they are given up without being tried.
    """

    rows: tuple[int, ...]
    reason: str | None = None


@dataclass(frozen=True)
class Job:
    """One launch.

    Attributes:
        settings: of the synthesizer, JSON values.
        blocks: list of :class:`Block`.
        blocks_folder, logs_folder: where records and logs go.
        ranks: number of processes: one that hands out blocks and the workers; 1 means one process
            that grows all by itself.
        execution: the options of how the work is done, whole.
        log_level: of the ranks' logs.
        name: unique, part of the names of all files of this launch.
        host, pid: the process that launched it, watched by rank 0.
    """

    settings: dict
    blocks: tuple
    blocks_folder: str
    logs_folder: str
    ranks: int
    execution: Execution = Execution()
    log_level: str = "INFO"
    name: str = field(default_factory=lambda: f"{int(time.time()):x}{secrets.token_hex(4)}")
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)

    @property
    def path(self) -> Path:
        """The job file."""
        return Path(self.blocks_folder) / JOBS / f"{self.name}.json"

    @property
    def notes(self) -> Path:
        """The notes file of the ranks."""
        return self.path.with_suffix(".notes")

    def failure(self, rank: int) -> Path:
        """The file in which a rank says why it failed."""
        return self.path.with_suffix(f".failed-{rank}")

    def log(self, rank: int) -> Path:
        """The log file of a rank; a chunk's launches share it."""
        return Path(self.logs_folder) / rank_log(rank)

    @property
    def launcher_log(self) -> Path:
        """The log file of the launch command's own words."""
        return Path(self.logs_folder) / LAUNCHER_LOG

    @property
    def rows(self) -> list[int]:
        """All rows of the job, in order of blocks."""
        return [row for block in self.blocks for row in block.rows]


def write_job(job: Job) -> Path:
    """Write the job file and return its path; raises OutputFailed."""
    content = {"version": JOB_VERSION, **asdict(job), "execution": job.execution.to_json()}
    write_json_atomic(job.path, with_check(content), indent=None, default=os.fspath)
    return job.path


def load_job(path: PathLike) -> Job:
    """Read a job file.

    Raises:
        InvalidInput: it is missing, damaged, of another version or with other options.
    """
    content = read_checked(path)
    if content is None:
        raise InvalidInput("the job file cannot be read, or is damaged", path, AGAIN)
    version = content.pop("version", None)
    if version != JOB_VERSION or content.keys() != {known.name for known in fields(Job)}:
        problem = f"the job file has version {version!r} and is not as version {JOB_VERSION}"
        raise InvalidInput(problem, path, AGAIN)
    blocks = tuple(Block(tuple(block["rows"]), block["reason"]) for block in content.pop("blocks"))
    try:
        execution = Execution.from_json(content.pop("execution"))
    except InvalidInput as error:  # of an installation with other options
        raise InvalidInput(f"the job file has an odd option ({error})", path, AGAIN) from error
    return Job(blocks=blocks, execution=execution, **content)
