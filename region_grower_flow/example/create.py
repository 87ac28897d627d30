"""Make the example dataset, whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from region_grower_flow.errors import InvalidInput, some
from region_grower_flow.example.celltypes import CELL_TYPES
from region_grower_flow.example.content import fill
from region_grower_flow.example.paths import ATLASES, BOTH, ExamplePaths
from region_grower_flow.io.atomic import PathLike, writing

VERSION = 4
"""Raised whenever the content for the same options changes."""
MARKER = "example.json"
"""File that is written last, with the options and the sizes of all files; it marks our folders."""
_KINDS = {"version": int, "seed": int, "atlas": str, "n_cells": int}
"""The options that it holds."""
DEFAULT_CELLS = 60


def create_example(
    folder: PathLike, seed: int = 0, atlas: str = BOTH, n_cells: int = DEFAULT_CELLS
) -> ExamplePaths:
    """Make the example in ``folder``; an example that is there with the same options stays.

    The content depends on the options only. It is written to a folder beside and renamed, so that
    ``folder`` holds all of it or nothing.

    Args:
        folder: where to put it. Must not exist, be empty, or hold an example made by this function
            (which is replaced when its options differ).
        seed: of everything drawn.
        atlas: "column", "curved" or "both" (then with the hippocampal field).
        n_cells: positions per atlas.

    Returns:
        :class:`ExamplePaths`

    Raises:
        InvalidInput: an option is out of range, or the folder holds something else.
        OutputFailed: the folder cannot be written.
    """
    folder = Path(folder)
    _check_options(seed, atlas, n_cells)
    options = {"version": VERSION, "seed": seed, "atlas": atlas, "n_cells": n_cells}
    with writing(folder):
        if not _is_made(folder, options):
            _require_replaceable(folder)
            _replace(folder, options)
    return ExamplePaths.of(folder, atlas)


def is_current(folder: PathLike) -> bool:
    """True if a folder holds an example of this version, with all its files.

    What its user has done to these since does not matter: they are the inputs of runs.
    """
    made = _marker(Path(folder))
    return (
        made is not None
        and made["options"].get("version") == VERSION
        and made["files"].keys() == _sizes(Path(folder), made["files"]).keys()
    )


def renew_example(folder: PathLike) -> ExamplePaths:
    """Make the example, or make it again with the options of the one that is there.

    Returns:
        :class:`ExamplePaths`

    Raises:
        InvalidInput: the folder holds something else, or an example that has been changed since.
        OutputFailed: the folder cannot be written.
    """
    folder = Path(folder)
    made = _marker(folder)
    if made is None:
        return create_example(folder)
    changed = [n for n, size in _sizes(folder, made["files"]).items() if size != made["files"][n]]
    if changed:
        raise InvalidInput(
            "it holds an example of another version of this package, or one that is not whole, and "
            f"files of it have been changed since ({some(changed, 3)})",
            where=folder,
            hint="Move it away to have it made again",
        )
    options = {name: value for name, value in made["options"].items() if name != "version"}
    return create_example(folder, **options)


def _replace(folder: Path, options: Mapping[str, Any]) -> None:
    """Fill a folder beside ``folder`` and put it in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as parent:
        # A folder made inside the temporary one has the permissions of the user's umask.
        fresh = Path(parent) / "new"
        fresh.mkdir()
        fill(ExamplePaths.of(fresh, options["atlas"]), options["seed"], options["n_cells"])
        marker = json.dumps({"options": options, "files": _sizes(fresh)}, indent=1)
        (fresh / MARKER).write_text(marker + "\n", encoding="utf-8")
        if folder.exists():
            os.replace(folder, Path(parent) / "old")
        try:
            os.replace(fresh, folder)
        except OSError as error:
            # Another process has just made the same example: theirs is as good as ours.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not _is_made(folder, options):
                raise


def _is_made(folder: Path, options: Mapping[str, Any]) -> bool:
    """True if ``folder`` holds the whole example with these options."""
    made = _marker(folder)
    return (
        made is not None
        and made["options"] == options
        and made["files"] == _sizes(folder, made["files"])
    )


def _require_replaceable(folder: Path) -> None:
    """Refuse to replace a folder that holds anything but an example."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise InvalidInput("it is not a folder", where=folder, hint="Name another folder")
    made = _marker(folder)
    ours = {MARKER, *made["files"]} if made is not None else set()
    others = sorted(set(_sizes(folder)) - ours)
    if others:
        raise InvalidInput(
            f"the folder holds files that are no part of an example ({some(others, 3)})",
            where=folder,
            hint="Name an empty folder or one that does not exist",
        )


def _marker(folder: Path) -> dict[str, Any] | None:
    """The content of the marker, None when it is absent or not one of ours."""
    try:
        path = folder / MARKER
        made = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(made, dict) or not isinstance(made.get("files"), dict):
        return None
    options = made.get("options")
    if not isinstance(options, dict):
        return None
    if {name: type(value) for name, value in options.items()} != _KINDS:
        return None
    return made if all(map(_is_below, made["files"])) else None


def _is_below(name: str) -> bool:
    """True if a name of a file stays below its folder."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def _sizes(folder: Path, names: Iterable[str] | None = None) -> dict[str, int]:
    """{path below ``folder``: bytes} of its files, or of those ``names`` that exist."""
    if names is None:
        paths = (path for path in folder.rglob("*") if path.is_file())
    else:
        paths = (folder / name for name in names if (folder / name).is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(paths)}


def _check_options(seed: int, atlas: str, n_cells: int) -> None:
    if seed < 0:
        raise InvalidInput(f"the seed {seed} is negative", hint="Give 0 or more")
    if atlas not in (*ATLASES, BOTH):
        raise InvalidInput(f"there is no atlas {atlas!r}", hint="Give column, curved or both")
    if n_cells < len(CELL_TYPES):
        raise InvalidInput(
            f"{n_cells} cells are too few", hint=f"Give {len(CELL_TYPES)} or more, one per mtype"
        )
