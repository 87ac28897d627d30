"""Checks of the places where outputs go: nothing of the user's is overwritten, all can be written.

Functions of the options of a task (anything with these attributes). They write nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.outputs import OUTPUT_FILES, places_of, writes_files
from region_grower_flow.record.claims import is_claimed
from region_grower_flow.record.manifest import read_manifest

if TYPE_CHECKING:
    from region_grower_flow.checks.foreign import FolderLook
    from region_grower_flow.options import Work
    from region_grower_flow.options.flows import Synthesis

CALIBRATION_OUTPUTS = ("extracted_distributions", "generated_parameters")

INPUTS = {
    "input_cells": "input cells",
    "region_structure": "region structure",
    "morph_axon": "axon table",
    "tmd_parameters": "parameters",
    "tmd_distributions": "distributions",
    "dat_file": "table of reconstructions",
    "substitutions": "substitutions",
    "overrides": "overrides",
    "trunk_rules": "trunk rules",
    "scaling_rules": "scaling rules",
    "base_parameters": "base parameters",
    "diametrizer_config": "configuration of the diametrizer",
    "densities": "densities",
    "mtype_taxonomy": "table of mtypes",
    "slice_from": "cells to slice",
    "slice_planes": "planes",
    "axon_donors": "table of donors",
    "axon_home": "home column of the donors",
    "placement_rules": "placement rules",
    "placement_annotations": "annotations",
    "placement_mask": "placement mask",
    "hemisphere_volume": "volume of hemispheres",
}
"""Options that name files which are read."""

WRITING_STAGES = (
    "SynthesizeMorphologies",
    "ExtractDistributions",
    "BuildParameters",
    "CalibrateGrowth",
    "PlaceCells",
    "CreatePlanes",
    "SliceCells",
    "ChooseAxons",
    "ReportSynthesis",
)
"""Stages whose outputs are where options say."""

INPUT_FOLDERS = {
    "atlas": "atlas",
    "base_morph_dir": "axon morphologies",
    "morphologies_dir": "reconstructions",
}

_NAME_BYTES = 255


def check_places(options: Synthesis) -> list[InvalidInput]:
    """Problems of the places where a synthesis writes, as a list of InvalidInput."""
    problems = check_cells_file("out_cells", options.out_cells)
    given = options.tmd_parameters and options.tmd_distributions
    made = () if given else CALIBRATION_OUTPUTS
    problems += check_files(options, (*OUTPUT_FILES, *made))
    problems += check_folder("option work_dir", options.work_dir)
    if writes_files(options):
        problems += _check_morphology_folder(options)
    problems += _check_container_only(options)
    return problems or _check_container(options)


def _check_container(options: Synthesis) -> list[InvalidInput]:
    """A container that is there already and that this work folder has not written.

    It may hold the only copy of another work folder's morphologies.
    """
    path = options.container_path
    if not path or options.skip_write or options.overwrite or not os.path.isfile(path):
        return []
    if is_claimed(options.work_dir, path) or os.path.realpath(path) in _earlier_outputs(options):
        return []
    hint = "choose another place, remove it, or give --overwrite"
    problem = "is a file that this work folder does not know"
    return [InvalidInput(problem, f"option container_path ({path})", hint)]


def _check_container_only(options: Synthesis) -> list[InvalidInput]:
    """Options that do not go together with morphologies in the container alone."""
    if not options.container_only:
        return []
    problems, where = [], "option container_only"
    if not options.container_path:
        problems.append(InvalidInput("needs a container", where, "give container_path"))
    if options.skip_write:
        problems.append(InvalidInput("contradicts skip_write, which writes none", where))
    if tuple(options.out_morph_ext) != ("h5",):
        problem = "a container holds morphologies in the format h5 only"
        problems.append(InvalidInput(problem, where, "leave out out_morph_ext"))
    if options.out_apical_nrn_sections:
        problem = "leaves no morphologies in asc or swc for out_apical_nrn_sections to count in"
        problems.append(InvalidInput(problem, where, "leave out one of them"))
    if options.out_morphs_df:
        problem = "leaves no files for the table out_morphs_df to name"
        problems.append(InvalidInput(problem, where, "leave out one of them"))
    return problems


def check_cells_file(option: str, path: PathLike) -> list[InvalidInput]:
    """Problems of the name of a file of cells that is to be written."""
    if Path(path).suffix.lower() in layout.CELL_EXTENSIONS:
        return []
    expected = " or ".join(layout.CELL_EXTENSIONS)
    return [InvalidInput(f"its extension must be {expected}", f"option {option} ({path})")]


def check_files(options: Work, names: Iterable[str]) -> list[InvalidInput]:
    """Problems of the output files that options of these names give."""
    problems: list[InvalidInput] = []
    same: dict[str, str] = {}
    inputs = _inputs(options)
    earlier = _earlier_outputs(options)
    for name, path in _files(options, names):
        where = f"option {name} ({path})"
        found = _nameless(path) or _no_text(path)
        if found:
            problems.append(InvalidInput(found, where))
            continue
        place = os.path.realpath(path)
        if _holds_something(path):
            problems.append(InvalidInput("is a folder, a file is expected", where))
        elif _is_special(path):
            problems.append(InvalidInput("is a device or a pipe, a file is expected", where))
        else:
            problems += check_folder(f"option {name}", Path(path).parent)
        if same.setdefault(place, name) != name:
            problems.append(InvalidInput(f"names the same file as {same[place]} ({path})", where))
        if place in inputs:
            problems.append(InvalidInput(f"would overwrite the {inputs[place]}", where))
        elif place not in earlier and name != "out_report":  # no manifest names a run's page
            problems += _in_input_folder(options, place, where)
        problems += _in_work_folder(options, place, where)
        problems += _above_others(options, names, name, place, where)
    return problems


def _no_text(path: PathLike) -> str | None:
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:  # it goes into manifests, which are UTF-8
        return "its path is no UTF-8 text"
    return None


def _is_special(path: PathLike) -> bool:
    """True if there is neither a file nor a folder: it would be replaced, not written into."""
    return os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))


def _above_others(
    options: Work, names: Iterable[str], own: str, place: str, where: str
) -> list[InvalidInput]:
    """A file that would be in the place of the work folder, or of a folder of other outputs."""
    if _holds_something(place):
        return []  # that has been said
    others = {name: Path(path).parent for name, path in _files(options, names) if name != own}
    for name, folder in {**others, "work_dir": Path(options.work_dir)}.items():
        inner = Path(os.path.realpath(folder))
        if inner == Path(place) or Path(place) in inner.parents:
            return [InvalidInput(f"is in the place of the folder of {name}", where)]
    return []


def _holds_something(path: PathLike) -> bool:
    """True if there is a folder with files, or a link to a folder; an empty one gives way."""
    if not os.path.isdir(path):
        return False
    try:
        return os.path.islink(path) or bool(os.listdir(path))
    except OSError:
        return True


def check_folder(where: str, folder: PathLike) -> list[InvalidInput]:
    """Problems of a folder that files are written below; it may not exist yet."""
    found = _nameless(folder)
    if found:
        return [InvalidInput(found, where)]
    existing = Path(folder).absolute()
    while not existing.exists() and existing != existing.parent:
        if existing.is_symlink():
            return [InvalidInput(f"{existing} is a link that leads nowhere", where)]
        existing = existing.parent
    if not existing.is_dir():
        return [InvalidInput(f"{existing} is a file, a folder is expected", where)]
    if not os.access(existing, os.W_OK | os.X_OK):
        hint = "choose another place or mend its permissions"
        return [InvalidInput(f"{existing} cannot be written", where, hint)]
    return []


def _files(options: Work, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(option, path) of the output files, also of those that come without asking."""
    for name in names:
        path = getattr(options, name, None)
        if path:
            yield name, str(path)
    cells = getattr(options, "out_cells", None)
    if cells and "out_cells" in names:
        yield "out_cells, its table of ids", str(layout.id_map_path(cells))
        if not getattr(options, "out_summary", None):
            yield "out_cells, its summary", str(layout.summary_path(cells))


def _nameless(path: PathLike) -> str | None:
    """Reason why no file can have this path, or None."""
    if any(len(os.fsencode(part)) > _NAME_BYTES for part in Path(path).parts):
        return f"a part of the path has more than {_NAME_BYTES} bytes"
    return None


def _inputs(options: Work) -> dict[str, str]:
    """{real path: what it is} of the files that options name and that are read."""
    paths = {what: getattr(options, name, None) for name, what in INPUTS.items()}
    return {os.path.realpath(path): what for what, path in paths.items() if path}


def _earlier_outputs(options: Work) -> set[str]:
    """The real paths of what an earlier run has written."""
    manifests = Path(options.work_dir, layout.MANIFESTS)
    found: set[str] = set()
    for name in WRITING_STAGES:
        manifest = read_manifest(manifests / layout.manifest_name(name))
        found.update(os.path.realpath(path) for path in (manifest.outputs if manifest else ()))
    return found


def _in_input_folder(options: Work, place: str, where: str) -> list[InvalidInput]:
    """A file that is there already, in a folder whose files are read."""
    if not os.path.isfile(place):
        return []
    for name, what in INPUT_FOLDERS.items():
        folder = getattr(options, name, None)
        if folder and Path(place).is_relative_to(os.path.realpath(folder)):
            problem = f"would overwrite a file in the folder of the {what}"
            return [InvalidInput(problem, where)]
    return []


def _in_work_folder(options: Work, place: PathLike, where: str) -> list[InvalidInput]:
    """Outputs that lie where the flow keeps its own files in the work folder."""
    work = Path(os.path.realpath(options.work_dir))
    if not Path(place).is_relative_to(work):
        return []
    inner = Path(place).relative_to(work).parts[:1]
    if inner and inner[0] in layout.WORK_NAMES:
        hint = "choose a place outside of work_dir"
        return [InvalidInput(f"is where the flow keeps its own {inner[0]}", where, hint)]
    return []


def _check_morphology_folder(options: Synthesis) -> list[InvalidInput]:
    folder = Path(options.out_morph_dir)
    where = f"option out_morph_dir ({folder})"
    if not _nameless(folder) and folder.exists() and not folder.is_dir():
        return [InvalidInput("is a file, a folder is expected", where)]
    problems = check_folder("option out_morph_dir", folder)
    if problems:
        return problems
    place = Path(os.path.realpath(folder))
    for name in OUTPUT_FILES:
        path = getattr(options, name)
        if path and Path(os.path.realpath(path)) == place:
            problems.append(InvalidInput(f"names the same place as {name}", where))
    problems += _folder_problems(options, place, where)
    if problems or options.overwrite or not folder.is_dir():
        return problems
    from region_grower_flow.checks.foreign import look_for_foreign
    from region_grower_flow.record.listing import placed_listing

    listing = placed_listing(options.work_dir, folder)
    look = look_for_foreign(folder, listing, Path(options.work_dir, layout.MORPHOLOGIES))
    # Cells and tables may be in the folder of the morphologies, as region-grower's users have it.
    tables = {os.path.realpath(path) for _, path in _files(options, OUTPUT_FILES)}
    earlier = tables & _earlier_outputs(options)
    # What no option asks for any more goes when the others are written.
    manifest = layout.manifest_name("SynthesizeMorphologies")
    before = read_manifest(Path(options.work_dir, layout.MANIFESTS, manifest))
    earlier |= set(before.unasked(places_of(options), options.work_dir) if before else ())
    others = {os.path.relpath(path, place) for path in earlier}
    hint = "choose another folder, empty it, or give --overwrite"
    return _foreign_problems(look, others, where, hint)


def check_own_folder(
    options: Work, option: tuple[str, PathLike], listing: Path, tables: Iterable[str]
) -> list[InvalidInput]:
    """Problems of a folder that is to hold files of ours only.

    Args:
        options: of the task.
        option: the name of the option that names the folder, and the folder.
        listing: of the morphologies of ours in it, see :mod:`region_grower_flow.record.listing`.
        tables: the names of the other files of ours in it.
    """
    from region_grower_flow.checks.foreign import look_for_foreign

    name, folder = option[0], Path(option[1])
    where = f"option {name} ({folder})"
    if not _nameless(folder) and folder.exists() and not folder.is_dir():
        return [InvalidInput("is a file, a folder is expected", where)]
    problems = check_folder(f"option {name}", folder)
    problems = problems or _folder_problems(options, Path(os.path.realpath(folder)), where)
    if problems or not folder.is_dir():
        return problems
    look = look_for_foreign(folder, listing, listing.parent / layout.MORPHOLOGIES)
    # Without any morphology of ours a table of this name is somebody's own.
    others = set(tables) if look.has_ours else set()
    return _foreign_problems(look, others, where, "choose another folder, or empty it")


def _folder_problems(options: Work, place: Path, where: str) -> list[InvalidInput]:
    """Reasons why a folder (its real path) cannot hold outputs: it is another's."""
    problems = _in_work_folder(options, str(place), where)
    work = Path(os.path.realpath(options.work_dir))
    if work.is_relative_to(place):
        problem = f"the folder work_dir ({options.work_dir}) must not be in it"
        problems.append(InvalidInput(problem, where))
    for name, what in INPUT_FOLDERS.items():
        given = getattr(options, name, None)
        if given and place == Path(os.path.realpath(given)):
            problems.append(InvalidInput(f"is the folder of the {what}", where))
    return problems


def _foreign_problems(
    look: FolderLook, others: Collection[str], where: str, hint: str
) -> list[InvalidInput]:
    """A problem when a look has found files that are not among ``others`` of ours."""
    foreign = [name for name in look.foreign if name not in others]
    if not foreign:
        return []
    problem = f"holds files that this flow does not know ({some(foreign, 3)})"
    return [InvalidInput(problem, where, hint)]
