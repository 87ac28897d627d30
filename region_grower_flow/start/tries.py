"""Tries with some of the cells: places of their own, and what the next run goes on from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import layout
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.outputs import OUTPUT_FILES, Outputs
from region_grower_flow.record.manifest import read_manifest

if TYPE_CHECKING:
    from region_grower_flow.record.manifest import Manifest


PLACES = ("work_dir", "out_morph_dir", "validation_dir", *OUTPUT_FILES)
"""Options of places that a try has of its own."""

MODEL_STAGES = (
    "PrepareReconstructions",
    "ExtractDistributions",
    "GenerateParameters",
    "FitTrunkAngles",
    "FitPathDistances",
    "BuildParameters",
    "CalibrateGrowth",
)
"""Stages that a try and the run of all cells share; the others' manifests stay behind."""

_LEFT = {layout.LOGS, layout.LOCKS, layout.BLOCKS, layout.JOBS, layout.MANIFESTS, layout.DIGESTS}
_CELLS = {layout.MORPHOLOGIES, layout.SHARDS, layout.CHUNKS, *layout.OF_ATLAS}


def of_try(values: Mapping[str, Any], limit: int | None, mtypes: Sequence[str]) -> dict[str, Any]:
    """The options of a configuration for a try with some of its cells; itself without a choice."""
    if limit is None and not mtypes:
        return dict(values)
    tried = {"out_morph_dir": Outputs.out_morph_dir.default, **values}
    name = "_".join([*(["limit", str(limit)] if limit else []), *map(_plain, mtypes)])
    places = {option: tried[option] for option in PLACES if tried.get(option)}
    tried.update(trial_places(places, name))
    tried.update(cells_limit=limit, cells_mtypes=tuple(mtypes))
    return {option: value for option, value in tried.items() if value not in (None, ())}


def _plain(mtype: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in mtype)


def trial_places(options: Mapping[str, PathLike], name: str) -> dict[str, str]:
    """{option: path} of the outputs of a try, beside those of all cells.

    Args:
        options: {option: path} of the configuration.
        name: what the try is called.
    """
    return {option: os.fspath(_tried(Path(p), name)) for option, p in options.items() if p}


def _tried(path: Path, word: str) -> Path:
    """``out/nodes.h5`` becomes ``out_word/nodes.h5``, and ``work`` becomes ``work_word``."""
    first, *others = path.parts
    if others and not path.is_absolute() and first != "..":
        return Path(f"{first}_{word}", *others)
    return path.with_name(f"{path.stem}_{word}{path.suffix}")


def tries_of(work_dir: PathLike) -> Iterator[tuple[Path, Manifest | None]]:
    """(work folder, Manifest of its synthesis or None) of each try, the oldest first."""
    whole = Path(work_dir)
    found = [p / layout.MANIFESTS for p in whole.parent.glob(f"{whole.name}_*") if p.is_dir()]
    for manifests in sorted(filter(Path.is_dir, found), key=lambda p: p.stat().st_mtime):
        yield (
            manifests.parent,
            read_manifest(manifests / layout.manifest_name("SynthesizeMorphologies")),
        )


def go_on_from_others(work_dir: PathLike, whole: PathLike) -> Path | None:
    """Begin a new work folder with what others of the same configuration hold.

    A try takes the calibrations of the run of all cells or of the latest other try; the run of all
    cells takes those of the latest try, and its cells. What is not as today's run would make it is
    made again, as in any work folder.

    Args:
        work_dir: the new work folder; nothing happens when it has manifests.
        whole: the work folder of all cells: the same for the run of all.

    Returns:
        The folder that was gone on from; None without one.
    """
    target, whole = Path(work_dir), Path(whole)
    if (target / layout.MANIFESTS).exists():
        return None
    found = [p for p in whole.parent.glob(f"{whole.name}_*") if (p / layout.MANIFESTS).is_dir()]
    found.sort(key=lambda p: (p / layout.MANIFESTS).stat().st_mtime)
    if target != whole and (whole / layout.MANIFESTS).is_dir():
        found.append(whole)
    found = [path for path in found if path != target and not path.is_symlink()]
    if not found:
        return None
    _copy(found[-1], target, _LEFT if target == whole else _LEFT | _CELLS)
    return found[-1]


def _copy(source: Path, target: Path, left: Container[str]) -> None:
    """Copy a work folder; manifests last, so that they never say more than is there."""
    for folder, folders, names in os.walk(source):
        here = Path(folder).relative_to(source)
        top = not here.parts
        folders[:] = [n for n in folders if not (top and n in left) and not _link(folder, n)]
        for name in names:
            path = Path(folder, name)
            if (top and name in left) or path.is_symlink() or not path.is_file():
                continue
            _copy_file(path, target / here / name, here.parts[:1] == (layout.MORPHOLOGIES,))
    for stage in MODEL_STAGES:
        path = source / layout.MANIFESTS / layout.manifest_name(stage)
        if path.is_file() and not path.is_symlink():
            _copy_file(path, target / layout.MANIFESTS / path.name, link=False)


def _link(folder: str, name: str) -> bool:
    return Path(folder, name).is_symlink()


def _copy_file(path: Path, place: Path, link: bool) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if link:  # never written again once it is there
        try:
            os.link(path, place)
            return
        except FileExistsError:
            place.unlink()  # of a beginning that was killed; it may be the same file
        except OSError:
            pass
    shutil.copy2(path, place)
