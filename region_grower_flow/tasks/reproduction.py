"""A result made again from what its summary records."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from region_grower_flow.errors import InvalidInput, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.outputs import Outputs
from region_grower_flow.record.fingerprint import FileDigests
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.direct import build, task_of

PLACES = ("out_apical", "out_apical_nrn_sections", "out_debug_data", "circuit_config")
"""Outputs beside nodes and morphologies that are made again where they were made."""
SUFFIX = "_again"
_NOT_AGAIN = ("container_path", "out_summary", "out_report", "example_dir", "overwrite")


def reproduced(folder: Path, into: PathLike | None = None) -> Iterator[tuple[str, bool]]:
    """Make a result again, beside it; yields (sentence, whether it is as it was).

    Args:
        folder: with the summary of a synthesis.
        into: folder of the new result; None: beside ``folder``.

    Raises:
        InvalidInput: there is no summary, it does not say what is needed, or inputs are gone.
        FlowError: of the synthesis.
    """
    summary, provenance = read_provenance(folder)
    old = Path(folder).absolute()
    target = Path(into or f"{old}{SUFFIX}").absolute()
    if target.resolve() == old.resolve() or old.resolve() in target.resolve().parents:
        hint = "name another folder by --into"
        raise InvalidInput("the new result would be in the folder of the old one", target, hint)
    if target.exists() and not target.is_dir():
        raise InvalidInput("it is a file, the new result needs a folder", target)
    start = Path(provenance["folder"])
    if not start.is_dir():
        raise InvalidInput(
            "the folder that the run was started in is not there", start, "paths start from it"
        )
    with _inside(start):
        changed = [*changed_inputs(provenance), *other_versions(provenance)]
        for sentence in changed:
            yield sentence, True
        task, same = build(again(provenance["options"], target)), True
        for sentence, good in compared(old, task, summary):
            same = same and good
            yield sentence, good
    if not same and not changed:
        words = "region_grower_flow itself, the machine or the old result has changed"
        yield f"Inputs and versions of other packages are the same: {words}.", True


def read_provenance(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """(summary, its provenance) of the only summary in a folder.

    Raises:
        InvalidInput: there is none, or several, or it is of a version that recorded less.
    """
    found = sorted(Path(folder).glob("*summary.json"))
    if len(found) != 1:
        words = some([path.name for path in found]) or "none"
        hint = "give the folder of a result, with its *summary.json"
        raise InvalidInput(f"one summary is expected, there are: {words}", folder, hint)
    try:
        summary = json.loads(found[0].read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"the summary cannot be read ({error})", found[0]) from error
    provenance = summary.get("provenance") if isinstance(summary, dict) else None
    if not isinstance(provenance, dict):
        raise InvalidInput(
            "it is no summary of a synthesis", found[0], "give the folder of a result"
        )
    missing = [
        name
        for name, kind in {"options": dict, "inputs": dict, "folder": str}.items()
        if not isinstance(provenance.get(name), kind)
    ]
    options = () if missing else provenance["options"]
    missing += [] if missing else [n for n in ("out_cells", "out_morph_dir") if n not in options]
    cells = summary.get("cells")
    counts = [cells.get(n) for n in ("asked", "made")] if isinstance(cells, dict) else [None]
    missing += [] if all(isinstance(count, int) for count in counts) else ["cells"]
    if "inputs" not in missing and not all(map(_is_input, provenance["inputs"].values())):
        missing.append("inputs")
    if missing:
        raise InvalidInput(
            f"the summary does not record {some(missing)}", found[0], "grow the cells anew"
        )
    return summary, provenance


def _is_input(known: object) -> bool:
    """True for [path, digest], as a summary has it of an input."""
    words = known if isinstance(known, list) else ()
    return len(words) == 2 and all(isinstance(word, str) for word in words)


def changed_inputs(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on inputs whose content is another one, or that are gone."""
    digests = FileDigests()
    for role, (path, digest) in provenance["inputs"].items():
        if not Path(path).exists():
            yield f"Input {role} is gone: {path}"
        elif digests.digest(path) != digest:
            yield f"Input {role} has changed: {path}"


def other_versions(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on packages whose versions are others."""
    from region_grower_flow.record.fingerprint import package_versions

    recorded = (provenance.get("recipe") or {}).get("packages") or {}
    today = package_versions()
    for package, version in recorded.items():
        if today.get(package, version) != version:
            yield f"{package} was {version}, it is {today[package]} now"


def again(options: Mapping[str, Any], target: Path) -> FlowTask:
    """The synthesis with recorded options, all of its outputs in a folder ``target``."""
    known = {n: v for n, v in options.items() if n not in _NOT_AGAIN}
    places = {n: str(target / Path(known[n]).name) for n in PLACES if known.get(n)}
    if known.get("container_only"):
        places["container_path"] = str(target / Path(options["container_path"]).name)
    return task_of(
        "SynthesizeMorphologies",
        **{
            **{n: tuple(v) if isinstance(v, list) else v for n, v in known.items()},
            **places,
            Outputs.out_cells.name: str(target / Path(known["out_cells"]).name),
            Outputs.out_morph_dir.name: str(target / "morphologies"),
            "work_dir": str(target / "work"),
            "generated_parameters": None,
            "extracted_distributions": None,
            "skip_page": True,
            "hide_progress_bar": True,
        },
    )


def compared(old: Path, task: FlowTask, summary: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """(sentence, whether it is the same) of counts and of every morphology, byte by byte."""
    counts, today = summary["cells"], task.facts()["cells"]
    good = counts == today
    words = f"{today['made']:,} of {today['asked']:,} cells were grown"
    yield f"{words}, as before." if good else f"{words}; before {counts['made']:,}.", good
    recorded = summary["provenance"]["options"]
    if task.container_only and task.container_path:
        yield from _compared_containers(old, recorded["container_path"], task.container_path)
        return
    new = Path(task.out_morph_dir)
    before = Path(recorded["out_morph_dir"])
    if not before.is_dir():
        before = old / before.name
    files = {p.relative_to(before) for p in before.rglob("*") if p.is_file()}
    files |= {p.relative_to(new) for p in new.rglob("*") if p.is_file()}
    differ = [name for name in sorted(files) if not _same(before / name, new / name)]
    if not files:
        yield "There is no morphology to compare.", False
    elif differ:
        names = some([str(name) for name in differ], 3)
        yield f"{len(differ):,} of {len(files):,} morphology files differ ({names}).", False
    else:
        yield f"All {len(files):,} morphology files are the same, byte by byte.", True
    yield f"Made again: {new.parent}", True


def _compared_containers(old: Path, recorded: str, new: str) -> Iterator[tuple[str, bool]]:
    """The same of the container that holds all morphologies: equal cells give equal bytes."""
    before = Path(recorded) if Path(recorded).is_file() else old / Path(recorded).name
    same = _same(before, Path(new))
    words = "is the same, byte by byte" if same else "differs"
    yield f"The container of the morphologies {words}.", same
    yield f"Made again: {Path(new).parent}", True


def _same(first: Path, second: Path) -> bool:
    return first.is_file() and second.is_file() and first.read_bytes() == second.read_bytes()


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Within a folder (contextlib.chdir, which Python 3.10 lacks)."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
