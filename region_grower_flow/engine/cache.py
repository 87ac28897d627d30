"""The compiled kernels on disk: a folder for each group, code version and processor.

Numba's own caches notice a change of the file of the function that is called, not of the functions
that it calls in turn, and many processes that write one cache at once have crashed in practice. So
a folder's name holds a hash of all kernel sources of its group; it is filled once (``filling.py``),
by a process of its own under a file lock, in a folder beside that is renamed when complete; from
then on it is only read.

``REGION_GROWER_FLOW_CACHE`` names another base folder than ``~/.cache/region_grower_flow``.
"""

import contextlib
import hashlib
import os
import platform
import re
import time
from functools import cache
from importlib.metadata import distribution, version
from pathlib import Path

import region_grower_flow
from region_grower_flow.engine.groups import CORE
from region_grower_flow.engine.target import target_name

BASE_VARIABLE = "REGION_GROWER_FLOW_CACHE"
FILL_VARIABLE = "REGION_GROWER_FLOW_CACHE_FILL"
"""Variable of the process that fills the cache of a group: ``group:folder that it fills``."""

COMPLETE = "complete"
"""The empty file that is written last into a filled folder; its time is that of the latest use."""

KERNELS = Path(__file__).parent / "kernels"

USE_SECONDS = 86_400
"""A use that is not older than this is not noted again."""

_IMPORT = re.compile(r"^from region_grower_flow\.engine\.kernels\.(\w+) import", re.MULTILINE)


def base_folder() -> Path:
    """The folder of all caches of the package."""
    named = os.environ.get(BASE_VARIABLE)
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "region_grower_flow"


def folder(group: str = CORE) -> Path:
    """The folder of today's kernels of a group for this machine (it may not exist yet)."""
    name = "-".join(
        [
            group,
            region_grower_flow.__version__,
            _digest(group),
            *(f"{package}{_version(package)}" for package in ("numba", "numpy")),
            f"python{platform.python_version()}",
            target_name(),
        ]
    )
    return base_folder() / re.sub(r"[^\w.+-]", "_", name)


_version = cache(version)
"""The version of a package, read once: its metadata may be long."""


def sources_digest(group: str) -> str:
    """A hash of the sources of a group's kernels; for older Numba also of their place and times.

    That keeps kernels by the place of their sources: an installation elsewhere would find a filled
    folder and nothing of its own in it.
    """
    place = "" if places_are_free() else str(KERNELS)
    digest = hashlib.sha256(place.encode() + b"\0")
    for path in sources(group):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
        if not _numba_has("_hash_source_file"):
            digest.update(str(path.stat().st_mtime_ns).encode())
    return digest.hexdigest()[:16]


_digest = cache(sources_digest)
"""The hash of a group, made once: a process has the kernels that it has imported."""


def sources(group: str) -> list[Path]:
    """The modules that hold a group's entry kernels, and those that these import, sorted."""
    found, following = {KERNELS / "jit.py"}, set()
    for path in KERNELS.glob("*.py"):
        if f'entry("{group}")' in path.read_text(encoding="utf-8"):
            following.add(path)
    while following:
        found |= following
        names = {n for p in following for n in _IMPORT.findall(p.read_text(encoding="utf-8"))}
        following = {KERNELS / f"{name}.py" for name in names} - found
    return sorted(found)


def places_are_free() -> bool:
    """True if Numba can keep kernels without regard to the place of their sources."""
    return _numba_has("CACHE_LOCATOR_CLASSES")


@cache
def _numba_has(word: str) -> bool:
    """True if the module of Numba that caches has a word in its text.

    Read, not imported: a process that grows nothing would import Numba for this only (0.4 s).
    """
    caching = Path(str(distribution("numba").locate_file("numba/core/caching.py")))
    return word in caching.read_text(encoding="utf-8")


def is_filled(group: str) -> bool:
    """True if today's folder of a group holds all its kernels."""
    return (folder(group) / COMPLETE).is_file()


def group_to_fill() -> str:
    """The group whose cache this process fills; empty in all others."""
    return os.environ.get(FILL_VARIABLE, "").partition(":")[0]


def usable_folder(group: str = CORE) -> Path | None:
    """The folder that Numba may use in this process: the one to fill, a filled one, or None."""
    if group_to_fill() == group:
        return Path(os.environ[FILL_VARIABLE].partition(":")[2])
    ready = folder(group)
    # Numba passes a folder over that it cannot write to, and would write into the package.
    if not (ready / COMPLETE).is_file() or not os.access(ready, os.W_OK):
        return None
    _note_use(ready / COMPLETE)
    return ready


def _note_use(marker: Path) -> None:
    with contextlib.suppress(OSError):
        if time.time() - marker.stat().st_mtime > USE_SECONDS:
            os.utime(marker)


def compiles() -> bool:
    """True if kernels are compiled at all (asked without importing Numba)."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
