"""Checks of the work folder: what the flow keeps there is nobody's input, and stays there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.checks.places import INPUT_FOLDERS, INPUTS
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options import Work

OWN = "choose a folder of its own"

_ALWAYS_MADE = (*layout.OF_ATLAS, layout.DISTRIBUTIONS, layout.PARAMETERS)
"""Files of the work folder that stages write anew, whatever is there."""

_MAY_BE_OURS = ("tmd_parameters", "tmd_distributions")
"""Options that may name such files: where these are given, no stage makes them."""


def check_work_folder(options: Work) -> list[InvalidInput]:
    """Problems of the work folder itself, as a list of InvalidInput; what is in it may be missing.

    Args:
        options: of the flow; those of other flows may be absent.
    """
    work_dir = options.work_dir
    try:
        os.path.abspath(work_dir).encode()
    except UnicodeEncodeError:  # it goes into tables and manifests, which are UTF-8
        return [InvalidInput("its path is no UTF-8 text", work_dir, "rename the folder")]
    return [*_links(work_dir), *_inputs_in_it(options)]


def check_mesh_folder(work_dir: PathLike, folder: PathLike) -> list[InvalidInput]:
    """A problem where the work folder is in a folder of meshes: all files there count as meshes."""
    if not _is_in(work_dir, folder):
        return []
    return [InvalidInput(f"is in the folder of meshes {folder}", _option(work_dir), OWN)]


def _links(work_dir: PathLike) -> Iterator[InvalidInput]:
    """Links in place of folders in the work folder, which may come from somebody else.

    What is written would leave it. The work folder itself may be a link; links in place of files
    are replaced.
    """
    hint = "remove it; all of the work folder may be elsewhere, see the option work_dir"
    for name in layout.WORK_NAMES:
        path = Path(work_dir, name)
        if path.is_symlink() and not path.suffix:
            yield InvalidInput("is a link, which the work folder must not have", path, hint)


def _inputs_in_it(options: Work) -> Iterator[InvalidInput]:
    """Inputs that the flow or ``clean`` would take for files of its own, or the other way round."""
    work = options.work_dir
    for name, what in INPUT_FOLDERS.items():
        folder = getattr(options, name, None)
        if folder and os.path.realpath(folder) == os.path.realpath(work):
            yield InvalidInput(f"is the folder of the {what}", _option(work), OWN)
        elif folder:
            places = (Path(work, own) for own in (*layout.WORK_FILES, layout.HOLDOUT_WORK))
            yield from _ours(work, name, folder, (p for p in places if _is_in(folder, p)))
    for name in INPUTS:
        path = getattr(options, name, None)
        if path and name not in _MAY_BE_OURS:
            places = (Path(work, own) for own in _ALWAYS_MADE)
            same = (p for p in places if os.path.realpath(p) == os.path.realpath(path))
            yield from _ours(work, name, path, same)


def _ours(
    work_dir: PathLike, name: str, path: PathLike, places: Iterator[Path]
) -> Iterator[InvalidInput]:
    for place in places:
        problem = f"is where the flow keeps its own {place.name}"
        hint = f"choose another work_dir than {work_dir}, or move it"
        yield InvalidInput(problem, f"option {name} ({path})", hint)


def _is_in(path: PathLike, folder: PathLike) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _option(work_dir: PathLike) -> str:
    return f"option work_dir ({work_dir})"
