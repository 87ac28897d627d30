"""Wall time, CPU and memory of a command with all of its processes."""

import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

POLL_SECONDS = 0.1
"""Between two looks at the memory of the processes."""

MEGABYTE = 1 << 20

LOG_LENGTH = 2000
"""Characters of the log of a failed command that are told."""


@dataclass(frozen=True)
class Cost:
    """Cost of a command.

    Attributes:
        wall: seconds from start to end.
        cpu: seconds of user and system time of all processes that were waited for.
        memory: MB, the largest resident size of a process of the command.
        rank_memory: MB, the same of the processes that run ``runtime.worker``; None without.
        code: the exit code.
    """

    wall: float
    cpu: float
    memory: float
    rank_memory: float | None
    code: int

    def as_dict(self):
        """The cost as JSON values."""
        return asdict(self)


def own_command(*words):
    """The command line of this package with the interpreter that runs the benchmarks."""
    return [sys.executable, "-m", "region_grower_flow.cli", *map(str, words)]


def own_environment():
    """The environment in which that interpreter finds this checkout."""
    checkout = str(Path(__file__).resolve().parents[1])
    paths = [os.environ.get("PYTHONPATH", ""), checkout]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def run(command, log, environment=None, timeout=None, folder=None):
    """Run a command to its end.

    Args:
        command: list of words.
        log: file for what it says.
        environment: of the process.
        timeout: seconds after which it is ended.
        folder: to run it in.

    Raises:
        RuntimeError: it fails.
        subprocess.TimeoutExpired: it takes too long.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        watch = _Memory(process.pid)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 15)
            process.wait()
            raise
        finally:
            watch.stop()
    wall = time.perf_counter() - start
    if code:
        said = Path(log).read_text(encoding="utf-8", errors="replace")[-LOG_LENGTH:]
        raise RuntimeError(f"{' '.join(map(str, command[:4]))} ... ended with {code}: {said}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, watch.most, watch.most_of_ranks or None, code)


class _Memory(threading.Thread):
    """Looks at the resident sizes of a process and its descendants."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.most = self.most_of_ranks = 0.0
        self.start()

    def run(self):
        import psutil

        while not self._ended.wait(POLL_SECONDS):
            try:
                root = psutil.Process(self._pid)
                for process in [root, *root.children(recursive=True)]:
                    self._look(process)
            except psutil.Error:
                continue

    def _look(self, process):
        size = process.memory_info().rss / MEGABYTE
        self.most = max(self.most, size)
        if size > self.most_of_ranks and any("runtime.worker" in w for w in process.cmdline()):
            self.most_of_ranks = size

    def stop(self):
        """End the looking."""
        self._ended.set()
        self.join()
