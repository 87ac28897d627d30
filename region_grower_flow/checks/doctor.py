"""Examination of a machine and a folder for a run: one sentence each, and how to mend it."""

import contextlib
import fcntl
import importlib.metadata
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from region_grower_flow.errors import FlowError, InvalidInput

GOOD, NOTE, BAD = "good", "note", "BAD"

NEEDED = ("luigi", "numpy", "numba", "h5py", "neurots", "morphio", "voxcell")
"""Packages whose versions are told."""

FILES, FILE_BYTES = 50, 60_000
"""Files that are written to measure a folder, each as large as a usual cell's."""

SLOW_SECONDS = 0.01
"""Seconds for one file: growing a cell takes a tenth of it."""

LEAST_SHARED = 100_000_000
"""Bytes of /dev/shm that some ranks of MPICH need."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        state: GOOD, NOTE (worth knowing), or BAD (a run would fail or be very slow).
        what: a word for it.
        sentence: how it is.
        hint: what to do; empty for nothing.
    """

    state: str
    what: str
    sentence: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" To mend it: {self.hint}." if self.hint else ""
        return f"{self.state:4}  {self.what}: {self.sentence}.{hint}"


def examine(folder: str | os.PathLike[str]) -> Iterator[Finding]:
    """Look at versions, compiled kernels, MPI, Slurm and a folder, one after the other.

    Args:
        folder: where a run would work; made if it is not there. What is written is removed.

    Yields:
        the findings.
    """
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _packages,
        _kernels,
        _mpi,
        _slurm,
        lambda: look_at_folder(folder),
    )
    for look in looks:
        yield from look()


def _packages() -> Iterator[Finding]:
    from region_grower_flow.checks.machine import check_neurots

    versions, missing = [], []
    for name in NEEDED:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        hint = "install the package anew (pip install region-grower-flow)"
        yield Finding(BAD, "versions", f"{', '.join(missing)} missing", hint)
        return
    problems = check_neurots()
    for problem in problems:
        yield Finding(BAD, "versions", f"NeuroTS: {problem.problem}", problem.hint or "")
    if not problems:
        yield Finding(GOOD, "versions", ", ".join(versions))


def _kernels() -> Iterator[Finding]:
    from region_grower_flow.engine import cache
    from region_grower_flow.engine.groups import GROUPS
    from region_grower_flow.engine.target import target_name

    base = cache.base_folder()
    if not cache.compiles():
        hint = "unset NUMBA_DISABLE_JIT"
        yield Finding(BAD, "kernels", "nothing is compiled, growth takes 100 times as long", hint)
        return
    hint = f"set {cache.BASE_VARIABLE} to a folder that can be written, best on a local disk"
    try:
        base.mkdir(parents=True, exist_ok=True)
        _see_lock(base)
    except OSError as error:
        sentence = f"{base} cannot keep them ({error.strerror}), each process compiles its own"
        yield Finding(BAD, "kernels", sentence, hint)
        return
    filled = [words for group, words in GROUPS.items() if cache.is_filled(group)]
    there = f"compiled: {', '.join(filled)}" if filled else "none is compiled yet"
    yield Finding(GOOD, "kernels", f"kept in {base} for {target_name()}; {there}")


def _mpi() -> Iterator[Finding]:
    from region_grower_flow.runtime import commands, trial

    works, sentence = trial.try_launcher(commands.MPIEXEC)
    sentence = sentence.rstrip(".")
    if works:
        yield Finding(GOOD, "MPI", sentence)
    else:
        hint = f"{commands.INSTALL_MPI}; until then runs use one core (--launcher inprocess)"
        yield Finding(BAD, "MPI", sentence, hint)
    with contextlib.suppress(OSError):
        free = shutil.disk_usage("/dev/shm").free
        if free < LEAST_SHARED:
            sentence = f"/dev/shm has {free // 1_000_000} MB free, some ranks need more"
            yield Finding(BAD, "MPI", sentence, "enlarge it (of a container: --shm-size=1g)")


def _slurm() -> Iterator[Finding]:
    from region_grower_flow.runtime import commands, slurm

    try:
        slurm.check_commands()
    except InvalidInput:
        yield Finding(NOTE, "Slurm", "its commands are not here, so no srun and no sbatch")
        return
    wanted = commands.mpi_type().partition("=")[2]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            ["srun", "--mpi=list"], capture_output=True, text=True, timeout=20, check=False
        )
        if done.returncode != 0:
            # Its last line names the cause; those before it say what was tried.
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            said = lines[-1] if lines else "it said nothing"
            yield Finding(NOTE, "Slurm", f"installed, but no cluster is configured here ({said})")
            return
        if wanted not in done.stdout + done.stderr:
            sentence = f"srun has no --mpi={wanted}, which the MPI beside this Python needs"
            yield Finding(BAD, "Slurm", sentence, "use --launcher mpiexec within jobs")
            return
    try:
        slurm.states("0")
    except FlowError as error:
        yield Finding(BAD, "Slurm", str(error).rstrip("."), "ask who runs the cluster")
        return
    yield Finding(GOOD, "Slurm", f"sbatch answers, srun takes --mpi={wanted}")


def look_at_folder(folder: str | os.PathLike[str]) -> Iterator[Finding]:
    """Look at locks, hard links, speed and space of a folder's file system."""
    folder = Path(folder).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-doctor-", dir=folder) as scratch:
            yield from _look_at(Path(scratch), folder)
    except OSError as error:
        sentence = f"{folder} cannot be written ({error.strerror})"
        yield Finding(BAD, "folder", sentence, "choose another --work-dir")


def _look_at(scratch: Path, folder: Path) -> Iterator[Finding]:
    try:
        _see_lock(scratch)
        yield Finding(GOOD, "folder", f"{folder} keeps locks")
    except OSError as error:
        hint = "mount it with locks (Lustre: -o flock), or work elsewhere"
        yield Finding(BAD, "folder", f"{folder} keeps no locks ({error.strerror})", hint)
    seconds = _seconds_of_a_file(scratch)
    state, hint = GOOD, ""
    if seconds > SLOW_SECONDS:
        state, hint = BAD, "work on a faster file system, or give --container-only"
    yield Finding(state, "folder", f"writing a cell's file takes {1e3 * seconds:.2g} ms", hint)
    try:
        os.link(scratch / "0.h5", scratch / "linked.h5")
        yield Finding(GOOD, "folder", "hard links work: morphologies are placed without a copy")
    except OSError:
        yield Finding(NOTE, "folder", "no hard links: morphologies are copied to their place")
    usage = shutil.disk_usage(folder)
    yield Finding(
        GOOD if usage.free > usage.total // 100 else BAD,
        "folder",
        f"{usage.free / 1e9:.1f} GB free, room for some {usage.free // FILE_BYTES:,} cells",
    )


def _see_lock(folder: Path) -> None:
    """Take a lock in a folder, and see that nobody else gets it; raises OSError."""
    path = folder / ".tmp-doctor-lock"
    try:
        with open(path, "w") as first, open(path, "w") as second:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            raise OSError(0, "two processes got the same one")
    finally:
        path.unlink(missing_ok=True)


def _seconds_of_a_file(scratch: Path) -> float:
    from region_grower_flow.io.atomic import write_bytes_atomic

    content = bytes(FILE_BYTES)
    start = time.monotonic()
    for number in range(FILES):
        write_bytes_atomic(scratch / f"{number}.h5", content)
    return (time.monotonic() - start) / FILES
