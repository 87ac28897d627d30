"""The compiled kernels on disk: one explicit folder per code version and CPU.

Numba's own caches notice a change of the file of the function that is called, not of the functions
that it calls in turn, and many processes that write one cache at once have crashed in practice. So
the folder's name holds a hash of all kernel sources; it is filled once, by a process of its own
under a file lock, in a folder beside that is renamed when complete; from then on it is only read.

``REGION_GROWER_FLOW_CACHE`` names another base folder than ``~/.cache/region_grower_flow``.
"""

import glob
import hashlib
import logging
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib.metadata import distribution, version
from pathlib import Path

import region_grower_flow
from region_grower_flow.errors import WorkerFailed

L = logging.getLogger(__name__)

BASE_VARIABLE = "REGION_GROWER_FLOW_CACHE"
FILL_VARIABLE = "REGION_GROWER_FLOW_CACHE_FILL"
"""Set in the process that fills the cache: the folder that it fills."""

COMPLETE = "complete"
"""The empty file that is written last into a filled folder."""

KERNELS = Path(__file__).parent / "kernels"


def base_folder():
    """The folder of all caches of the package."""
    named = os.environ.get(BASE_VARIABLE)
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "region_grower_flow"


def folder():
    """The folder of today's kernels on this machine (it may not exist yet)."""
    from llvmlite.binding import get_host_cpu_name

    name = "-".join(
        [
            region_grower_flow.__version__,
            sources_digest(),
            *(f"{package}{version(package)}" for package in ("numba", "numpy")),
            f"python{platform.python_version()}",
            get_host_cpu_name(),
        ]
    )
    return base_folder() / re.sub(r"[^\w.+-]", "_", name)


def sources_digest():
    """A hash of all kernel sources, their place and, for Numba that looks at them, their times.

    Numba keeps kernels by the place of their sources: an installation elsewhere would find a
    filled folder and nothing of its own in it.
    """
    # Read, not imported: a process that grows nothing would import Numba for this only (0.4 s).
    caching = distribution("numba").locate_file("numba/core/caching.py")
    by_time = "_hash_source_file" not in caching.read_text(encoding="utf-8")
    digest = hashlib.sha256(str(KERNELS).encode() + b"\0")
    for path in sorted(KERNELS.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
        if by_time:
            digest.update(str(path.stat().st_mtime_ns).encode())
    return digest.hexdigest()[:16]


def usable_folder():
    """The folder that Numba may use in this process: the one to fill, a filled one, or None."""
    filling = os.environ.get(FILL_VARIABLE)
    if filling:
        return Path(filling)
    ready = folder()
    # Numba passes a folder over that it cannot write to, and would write into the package.
    return ready if (ready / COMPLETE).is_file() and os.access(ready, os.W_OK) else None


def provide():
    """Fill today's folder if need be, before several processes would compile; tell what it takes.

    Raises:
        WorkerFailed: the kernels do not compile.
    """
    if not _compiles():
        return
    try:
        if not (folder() / COMPLETE).is_file():
            L.warning("Compiling the growth engine, once on this machine: a minute or two.")
        fill()
        problem = None if usable_folder() else "it cannot be written to, as Numba wants"
    except OSError as error:
        problem = str(error)
    if problem:
        L.warning(
            "Compiled kernels cannot be kept in %s (%s): each process compiles its own, for a "
            "minute or two. Set %s to a folder to avoid it.",
            folder(),
            problem,
            BASE_VARIABLE,
        )


def _compiles():
    """Whether kernels are compiled at all (asked without importing Numba)."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


def fill():
    """Fill today's folder unless it is filled; several processes may call this at once.

    Without compilation there is nothing to keep; a folder filled then would be believed later.
    """
    target = folder()
    if not _compiles() or (target / COMPLETE).is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_name(target.name + ".lock")):
        if (target / COMPLETE).is_file():
            return
        for left in target.parent.glob(f"{glob.escape(target.name)}.?*"):
            if left.is_dir():  # of a process that was killed: nobody else fills, we hold the lock
                shutil.rmtree(left, ignore_errors=True)
        beside = Path(tempfile.mkdtemp(prefix=target.name + ".", dir=target.parent))
        try:
            _compile_into(beside)
            (beside / COMPLETE).touch()
            shutil.rmtree(target, ignore_errors=True)
            beside.rename(target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _compile_into(target):
    """Compile in a new process, where no kernel has been imported from elsewhere."""
    environment = {**os.environ, FILL_VARIABLE: str(target)}
    call = f"from region_grower_flow.engine.warm import fill_for; fill_for({os.getpid()})"
    command = [sys.executable, "-c", call]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WorkerFailed(f"the kernels cannot be compiled: {last}")


@contextmanager
def _locked(path):
    """Hold the lock file; the operating system frees it when its holder dies."""
    import fcntl

    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
