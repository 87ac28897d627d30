"""The job file: the only thing that the launcher and the worker share.

It is versioned JSON, so that a worker of another installation refuses a job it does not understand
instead of doing something else.
"""

import json
import os
import secrets
import socket
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike, write_json_atomic
from region_grower_flow.layout import JOBS, LAUNCHER_LOG, rank_log
from region_grower_flow.options.execution import Execution

JOB_VERSION = 2


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
    write_json_atomic(job.path, content, indent=None, default=os.fspath)
    return job.path


def load_job(path: PathLike) -> Job:
    """Read a job file.

    Raises:
        InvalidInput: it is missing, not JSON, of another version, or not a job.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"the job file cannot be read ({error.strerror})"
        raise InvalidInput(problem, path) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the job file is not JSON ({error})", path) from error
    wrong = _problem(content)
    if wrong:
        raise InvalidInput(wrong, path, "run again: job files are written anew for each launch")
    blocks = tuple(Block(tuple(block["rows"]), block["reason"]) for block in content.pop("blocks"))
    del content["version"]
    try:
        execution = Execution.from_json(content.pop("execution"))
    except InvalidInput as error:
        raise InvalidInput(f"the job file has an odd option ({error})", path) from error
    return Job(blocks=blocks, execution=execution, **content)


_IN_JSON = {"blocks": list, "execution": dict}
"""Types of values in the file that are others in the Job."""


def _types() -> dict[str, type]:
    """{key: type} of a job file, from the Job's own annotations."""
    return {**get_type_hints(Job), **_IN_JSON}


def _problem(content: Any) -> str | None:
    """The problem of a job file's content, as a sentence; None without any."""
    if not isinstance(content, dict):
        return "the job file does not hold a JSON object"
    if content.get("version") != JOB_VERSION:
        return f"the job file has version {content.get('version')!r}, expected {JOB_VERSION}"
    types = _types()
    if set(content) != {"version", *types}:
        odd = sorted(set(content) ^ {"version", *types})
        return f"the job file lacks, or should not have, {', '.join(odd)}"
    wrong = [key for key, kind in types.items() if not _is(content[key], kind)]
    if wrong:
        return f"the job file has a value of the wrong type in {', '.join(wrong)}"
    if content["ranks"] < 1:
        return "the job file has a number of ranks that is not positive"
    if not all(map(_is_block, content["blocks"])):
        return "the job file has a block that is not a list of rows with a reason or null"
    return None


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _is_block(block: Any) -> bool:
    return (
        isinstance(block, dict)
        and set(block) == {"rows", "reason"}
        and isinstance(block["reason"], str | None)
        and isinstance(block["rows"], list)
        and bool(block["rows"])
        and all(_is(row, int) and row >= 0 for row in block["rows"])
    )
