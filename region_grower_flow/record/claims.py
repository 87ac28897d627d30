"""The container that a work folder writes, noted before the first byte.

A run that is killed after it has put the container in its place, and before its manifest is there,
knows it for its own by this.
"""

import os
from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.io.atomic import PathLike, make_folder, write_text_atomic


def claim(work_dir: PathLike, container: PathLike) -> None:
    """Note that the container at a path is this work folder's; raises OutputFailed."""
    note = _note(work_dir)
    if not is_claimed(work_dir, container):
        make_folder(note.parent)
        write_text_atomic(note, _place(work_dir, container) + "\n")


def is_claimed(work_dir: PathLike, container: PathLike) -> bool:
    """True if the latest container that the work folder began to write is at this path."""
    try:
        return _note(work_dir).read_text(encoding="utf-8") == _place(work_dir, container) + "\n"
    except (OSError, ValueError):
        return False


def _note(work_dir: PathLike) -> Path:
    return Path(work_dir, layout.MANIFESTS, layout.CLAIM)


def _place(work_dir: PathLike, container: PathLike) -> str:
    # From the work folder on: both may be moved or copied together.
    return os.path.relpath(os.path.realpath(container), os.path.realpath(work_dir))
