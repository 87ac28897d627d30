"""Files that an earlier run of a stage has written and that are no more part of its outputs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from region_grower_flow.io.atomic import PathLike
from region_grower_flow.record.listing import placed_listing, remove_listed
from region_grower_flow.record.manifest import Manifest, read_manifest


def remove_leftovers(manifest: PathLike, outputs: Iterable[PathLike], folder: PathLike) -> None:
    """Delete the outputs of the run before this one that this one has not written again.

    Args:
        manifest: path of the stage's manifest, still that of the run before.
        outputs: paths that have been written now.
        folder: only what is in it goes: another folder may have been given to keep the earlier one.
    """
    earlier = read_manifest(manifest)
    kept, place = set(map(os.path.realpath, outputs)), Path(os.path.realpath(folder))
    for path in map(os.path.realpath, earlier.outputs if earlier is not None else ()):
        if path not in kept and place in Path(path).parents:
            with contextlib.suppress(OSError):
                os.unlink(path)


def remove_unasked(
    manifest: PathLike,
    places: Mapping[str, PathLike | None],
    outputs: Iterable[PathLike],
    work_dir: PathLike,
) -> None:
    """Delete outputs of the run before this one that no option asks for any more.

    They would tell of other cells than those beside them. What was renamed, edited, or lies where
    nothing is written now stays.

    Args:
        manifest: path of the stage's manifest, still that of the run before.
        places: {option: place, None where it asks for nothing}.
        outputs: paths that have been written now.
        work_dir: the work folder, from which the places of the run before start.
    """
    earlier = read_manifest(manifest)
    if earlier is None:
        return
    kept = set(map(os.path.realpath, outputs))
    _remove_placed(earlier, places, kept, work_dir)
    folders = {Path(path).parent for path in kept}
    if (placed := places.get("morphologies")) is not None:
        folders.add(Path(os.path.realpath(placed)))
    for path, known in earlier.unasked(places, work_dir).items():
        near = path not in kept and Path(path).parent in folders
        if near and Manifest("", {}, {path: known}).intact():
            with contextlib.suppress(OSError):
                os.unlink(path)


def _remove_placed(
    earlier: Manifest,
    places: Mapping[str, PathLike | None],
    kept: Collection[str],
    work_dir: PathLike,
) -> None:
    """The same of morphologies, of which a listing tells: of other cells the names may be equal."""
    cells, folder = (earlier.recipe["parameters"].get(n) for n in ("out_cells", "morphologies"))
    if places.get("morphologies") or not (isinstance(cells, str) and isinstance(folder, str)):
        return
    place = os.path.abspath(os.path.join(work_dir, folder))  # as the listing names it
    near = {Path(path).parent for path in kept}
    if os.path.realpath(Path(work_dir, cells)) not in kept:
        return
    if not near.isdisjoint({Path(os.path.realpath(place)), Path(os.path.realpath(place)).parent}):
        remove_listed(placed_listing(work_dir, place), place)
