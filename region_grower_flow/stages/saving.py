"""Copies of what a synthesis has made, in a folder of their own and with names of their own."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.io.atomic import (
    PathLike,
    atomic_write,
    make_folder,
    write_json_atomic,
    writing,
)
from region_grower_flow.io.circuit import BASE
from region_grower_flow.record.listing import synthesized_by_others


def save_outputs(
    outputs: Collection[PathLike],
    nodes: PathLike,
    morphologies: Path,
    names: Iterable[str],
    target: Path,
    inputs: Mapping[str, PathLike],
    overwrite: bool = False,
) -> None:
    """Copy the files of a synthesis and its morphologies into the folder of ``target``.

    What bears the name of the nodes, as their table of ids, bears that of ``target`` there.

    Args:
        outputs: paths of the files, the circuit configuration among them.
        nodes: that of the nodes.
        morphologies: the folder of the morphologies.
        names: of the morphology files, below their folder.
        target: path of the nodes in the copy.
        inputs: {what: path} of what the synthesis has read.
        overwrite: whether files that are there with another content are replaced.

    Raises:
        InvalidInput: a file would be overwritten; nothing has been written.
        OutputFailed: a file cannot be written.
    """
    old, folder = Path(nodes).stem, target.parent
    copies = {Path(path): folder / _renamed(Path(path).name, old, target) for path in outputs}
    below = folder / morphologies.name
    files = {**copies, **{morphologies / name: below / name for name in names}}
    _require_free(files, Path(nodes), inputs, overwrite)
    for source, place in files.items():
        make_folder(place.parent)
        if source in copies and source.suffix == ".json":
            write_json_atomic(place, _with_names(source, Path(nodes).name, target.name), indent=2)
        else:
            with writing(place), atomic_write(place) as temporary:
                shutil.copyfile(source, temporary)
    if overwrite and below.is_dir():
        kept = {
            p.relative_to(below).as_posix() for source, p in files.items() if source not in copies
        }
        for name in list(synthesized_by_others(below, kept)):
            (below / name).unlink()


def _renamed(name: str, old: str, target: Path) -> str:
    """The name of a file in the copy: that of the target for the nodes and what is named so."""
    if name.startswith((f"{old}.", f"{old}_")):
        return target.stem + name.removeprefix(old)
    return name


def _require_free(
    files: Mapping[Path, Path], nodes: Path, inputs: Mapping[str, PathLike], overwrite: bool
) -> None:
    read = {os.path.realpath(path): what for what, path in inputs.items()}
    problems = [
        InvalidInput(f"would overwrite the {read[os.path.realpath(place)]}", place)
        for place in files.values()
        if os.path.realpath(place) in read
    ]
    if problems:
        raise InvalidInputs(problems)
    for source, place in files.items():
        there = os.path.lexists(place)
        if there and not overwrite and not _is_copy(source, place, nodes, files[nodes]):
            hint = "save into another folder, or with overwrite=True"
            raise InvalidInput("is there already, with another content", place, hint)


def _is_copy(source: Path, place: Path, nodes: Path, target: Path) -> bool:
    try:
        if source.suffix != ".json":
            return filecmp.cmp(source, place, shallow=False)
        changed = _with_names(source, nodes.name, target.name)
        return bool(changed == json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def _with_names(path: Path, old: str, new: str) -> object:
    """A JSON file's content; the circuit configuration with the nodes by their new name."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for entry in content.get("networks", {}).get("nodes", ()):
        if entry.get("nodes_file") == f"{BASE}/{old}":
            entry["nodes_file"] = f"{BASE}/{new}"
    return content
