"""The files of parameters and distributions: {region: {mtype: what NeuroTS needs}}.

They are read as region-grower reads them (legacy names of neurites, the region ``default`` filling
gaps, axons grown only when asked for) and checked before any work. A path may stand for many files,
see :mod:`region_grower_flow.io.synthdb`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from region_grower_flow.errors import InvalidInput, InvalidInputs, distinct, some
from region_grower_flow.io import synthdb
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import load_json
from region_grower_flow.io.schemas import (
    did_you_mean,
    load_schema,
    shown,
    validator,
    violations,
)
from region_grower_flow.layout import DEFAULT_REGION

L = logging.getLogger(__name__)

_LEGACY_NAMES = {"apical": "apical_dendrite", "basal": "basal_dendrite"}
_AXON = "axon"
_METADATA = "metadata"
"""Key of region-grower's distributions, beside their regions."""

Model: TypeAlias = dict[str, dict[str, dict[str, Any]]]
"""{region: {mtype: parameters or distributions}}."""
Wanted: TypeAlias = list[tuple[str, str, str]]
"""(synthesis region, region, mtype) of cells, each once."""


class Regions(Protocol):
    """A map from the regions of cells to synthesis regions (``atlas.regions.RegionMapper``)."""

    def __getitem__(self, region: str, /) -> str:
        """The synthesis region."""


def load_parameters(path: PathLike, synthesize_axons: bool = False, validate: bool = True) -> Model:
    """Read a file of parameters.

    Args:
        path: a JSON file, {region: {mtype: parameters of NeuroTS}}, or what stands for several.
        synthesize_axons: keep ``axon`` in ``grow_types``; otherwise it is taken out.
        validate: check the form of all entries (what the cells need is checked by
            :func:`check_mtypes`).

    Returns:
        The parameters, with the entries of the region ``default`` added to all regions.

    Raises:
        InvalidInput: the file cannot be read; InvalidInputs: entries have the wrong form.
    """
    parameters = _load(path, "parameters", allow_nan=False, validate=validate)
    without = []
    for region, mtypes in parameters.items():
        for mtype, entry in mtypes.items():
            if synthesize_axons:
                if _AXON not in entry["grow_types"]:
                    without.append(f"{mtype} in {region}")
            else:
                entry["grow_types"] = [kind for kind in entry["grow_types"] if kind != _AXON]
    if without and validate:
        L.warning("Axons are to be synthesized, but these grow none: %s", some(without))
    return _with_defaults(parameters)


def load_distributions(path: PathLike, validate: bool = True) -> Model:
    """Read a file of distributions, as :func:`load_parameters` reads parameters.

    What region-grower writes beside the regions (``metadata``) is left out: nothing reads it.
    NaN is read here, as NeuroTS writes it for the angles of a bar without bifurcation; where else
    it stands is found by :func:`check_mtypes`.

    Raises:
        InvalidInput: the file cannot be read; InvalidInputs: entries have the wrong form.
    """
    return _with_defaults(_load(path, "distributions", allow_nan=True, validate=validate))


def convert_legacy_names(value: Any) -> Any:
    """``apical`` and ``basal`` become ``apical_dendrite`` and ``basal_dendrite``.

    Mirrors ``neurots.utils.convert_from_legacy_neurite_type``: keys of dicts at any depth, and
    texts in lists that are values of dicts; lists of dicts are left alone. A new object is
    returned; where an old and a new name stand side by side the old one counts, as there.
    """
    if not isinstance(value, dict):
        return value
    converted = {}
    # Legacy names come last, so that they overwrite.
    for key in sorted(value, key=lambda key: key in _LEGACY_NAMES):
        item = value[key]
        if isinstance(item, list):
            item = [_LEGACY_NAMES.get(i, i) if isinstance(i, str) else i for i in item]
        converted[_LEGACY_NAMES.get(key, key)] = convert_legacy_names(item)
    return converted


def entry_region(data: Mapping[str, Any], synthesis_region: str, region: str) -> str | None:
    """The region of ``data`` whose entries serve a cell, or None.

    As in region-grower: the synthesis region, else the region of the cell; and, where the reference
    ends with an error, ``default``.
    """
    return next((r for r in (synthesis_region, region, DEFAULT_REGION) if r in data), None)


def mtype_entry(
    data: Mapping[str, Any], synthesis_region: str, region: str, mtype: str
) -> dict[str, Any]:
    """The entry of parameters or distributions for a cell.

    Args:
        data: what :func:`load_parameters` or :func:`load_distributions` returned.
        synthesis_region: the entry of the region structure that serves the cell.
        region: the cell's region.
        mtype: the cell's mtype.

    Raises:
        InvalidInput: there is none (:func:`check_mtypes` finds this before any work).
    """
    return _entry_of(data, entry_region(data, synthesis_region, region), synthesis_region, mtype)


def mtype_entries(
    parameters: Mapping[str, Any],
    distributions: Mapping[str, Any],
    synthesis_region: str,
    region: str,
    mtype: str,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entries (parameters, distributions) for a cell, as :func:`mtype_entry` finds them.

    Where distributions have no entry for the synthesis region, but one for the region of the cell,
    region-grower takes the parameters of that region, too.

    Raises:
        InvalidInput: there is none.
    """
    grown, drawn = _entry_regions(parameters, distributions, synthesis_region, region)
    return (
        _entry_of(parameters, grown, synthesis_region, mtype),
        _entry_of(distributions, drawn, synthesis_region, mtype),
    )


def _entry_regions(
    parameters: Mapping[str, Any],
    distributions: Mapping[str, Any],
    synthesis_region: str,
    region: str,
) -> tuple[str | None, str | None]:
    """The regions of parameters and of distributions whose entries serve a cell (None: none)."""
    drawn = entry_region(distributions, synthesis_region, region)
    if drawn == region and region in parameters:
        return region, drawn
    return entry_region(parameters, synthesis_region, region), drawn


def _mtypes_of(data: Mapping[str, Any], region: str | None) -> dict[str, dict[str, Any]]:
    return {} if region is None else data.get(region, {})


def _entry_of(
    data: Mapping[str, Any], found: str | None, synthesis_region: str, mtype: str
) -> dict[str, Any]:
    mtypes = _mtypes_of(data, found)
    if mtype not in mtypes:
        raise InvalidInput(_missing(mtype, found, synthesis_region), hint=_similar(mtype, mtypes))
    return mtypes[mtype]


def wanted_mtypes(regions: Iterable[str], mtypes: Iterable[str], mapper: Regions) -> Wanted:
    """The distinct (synthesis region, region, mtype) of the cells, in order of appearance.

    Args:
        regions: (N,) the regions of the cells.
        mtypes: (N,) their mtypes.
        mapper: ``mapper[region]`` is the synthesis region.
    """
    pairs = dict.fromkeys(zip(map(str, regions), map(str, mtypes), strict=True))
    return [(mapper[region], region, mtype) for region, mtype in pairs]


def check_mtypes(
    parameters: Model,
    distributions: Model,
    wanted: Wanted,
    paths: tuple[PathLike | None, PathLike | None] = (None, None),
    layers: Mapping[str, Sequence[int | str]] | None = None,
    engine: str = "compiled",
) -> list[InvalidInput]:
    """Everything that keeps the mtypes of the cells from growing, as a list of InvalidInput.

    Entries that no cell uses are not looked at (as in region-grower).

    Args:
        parameters: from :func:`load_parameters`.
        distributions: from :func:`load_distributions`.
        wanted: from :func:`wanted_mtypes`.
        paths: the files of parameters and distributions, for the messages.
        layers: {synthesis region: its layers from the top down}; when given, constraints by layers
            that a region does not have are found.
        engine: what grows the cells: "neurots" does not know all that "compiled" does.
    """
    from region_grower_flow.engine.beyond_neurots import problems_beyond_neurots
    from region_grower_flow.engine.growth_checks import EntryChecker
    from region_grower_flow.engine.lever_checks import stretch_notes

    checker = EntryChecker(*paths)
    sources = [_sources(path, kind) for path, kind in zip(paths, synthdb.PREFIXES, strict=True)]
    problems, seen = [], set()
    for synthesis_region, region, mtype in wanted:
        used = _entry_regions(parameters, distributions, synthesis_region, region)
        missing = [
            _missing_entry(data, each, (synthesis_region, mtype), wanted, path, what)
            for data, each, path, what in zip(
                (parameters, distributions), used, paths, synthdb.PREFIXES, strict=True
            )
            if mtype not in _mtypes_of(data, each)
        ]
        if missing:
            problems += missing
            continue
        found = [
            (each, mtype, _mtypes_of(data, each)[mtype])
            for data, each in zip((parameters, distributions), used, strict=True)
        ]
        checker.read_from(
            *(source(*entry[:2]) for source, entry in zip(sources, found, strict=True))
        )
        if (*used, mtype) not in seen:
            seen.add((*used, mtype))
            bad = checker.problems(*found)
            if engine == "neurots":
                bad += problems_beyond_neurots(found[0], paths[0])
            problems += bad
            for note in () if bad else stretch_notes({mtype: found[0][2]}):
                L.warning("%s", note)
        problems += checker.layer_problems(found[0], (layers or {}).get(synthesis_region))
    return distinct(problems)


def _missing_entry(
    data: Model,
    used: str | None,
    cell: tuple[str, str],
    wanted: Wanted,
    path: PathLike | None,
    what: str,
) -> InvalidInput:
    """The problem of parameters or distributions that have no entry for an mtype of a region."""
    synthesis_region, mtype = cell
    if used is None:
        return _no_region(data, wanted, path, what)
    problem = f"{_missing(mtype, used, synthesis_region)} ({what})"
    return InvalidInput(problem, where=path, hint=_similar(mtype, data.get(used, {})))


def _load(path: PathLike, kind: str, allow_nan: bool, validate: bool) -> Model:
    if not synthdb.is_spread(path):
        return _load_file(path, kind, allow_nan, validate)
    files = synthdb.model_files(path, kind)
    data, _, problems = synthdb.merge(files, lambda f: _load_file(f, kind, allow_nan, validate))
    if problems:
        raise InvalidInputs(problems)
    return data


def _sources(path: PathLike | None, kind: str) -> Callable[[str | None, str], PathLike | None]:
    """A function (region, mtype) -> the file that holds it, for the messages."""
    if path is None or not synthdb.is_spread(path):
        return lambda region, mtype: path
    found: dict[tuple[str | None, str], PathLike] = {}
    for file in synthdb.model_files(path, kind):
        # What cannot be read has been told before.
        with contextlib.suppress(InvalidInput):
            for region, mtypes in _load_file(file, kind, True, False).items():
                found.update(dict.fromkeys(((region, mtype) for mtype in mtypes), file))
    return lambda region, mtype: (
        found.get((region, mtype)) or found.get((DEFAULT_REGION, mtype), path)
    )


def _load_file(path: PathLike, kind: str, allow_nan: bool, validate: bool) -> Model:
    data = load_json(path, allow_nan)
    if not isinstance(data, dict):
        raise InvalidInput(f"expected an object of regions, not {shown(data)}", where=path)
    try:
        data = convert_legacy_names(data)
    except RecursionError as error:
        raise InvalidInput("nested too deeply to be read", where=path) from error
    if kind == "distributions":
        data.pop(_METADATA, None)
    if validate:
        problems = violations(validator(load_schema(kind)), data, path)
        if not data:
            problems.append(InvalidInput("there is no region in it", where=path))
        if problems:
            raise InvalidInputs(problems)
    return data


def _with_defaults(data: Model) -> Model:
    for region, mtypes in data.items():
        if region != DEFAULT_REGION:
            for mtype, entry in data.get(DEFAULT_REGION, {}).items():
                mtypes.setdefault(mtype, entry)
    return data


def _no_region(data: Model, wanted: Wanted, path: PathLike | None, what: str) -> InvalidInput:
    """One problem for all cells whose regions neither the structure nor a file of models knows."""
    lost = [w for w in wanted if entry_region(data, *w[:2]) is None]
    entries = dict.fromkeys(entry for entry, *_ in lost if entry != DEFAULT_REGION)
    mtypes = some(map(repr, dict.fromkeys(mtype for *_, mtype in lost)))
    if entries:
        problem = f"the {what} have no region {some(map(repr, entries))} nor {DEFAULT_REGION!r}"
        return InvalidInput(f"{problem} for the mtypes {mtypes}, only {some(data)}", path)
    cells = some(dict.fromkeys(region for _, region, _ in lost))
    problem = f"no entry of the region structure serves the regions of cells ({cells}), and the"
    problem += f" {what} have {some(data)}, not {DEFAULT_REGION!r}"
    hint = f"add an entry {some(data, 3)} to the region structure"
    return InvalidInput(problem, path, hint)


def _missing(mtype: str, used: str | None, synthesis_region: str) -> str:
    if used is None:
        regions = f"{synthesis_region!r} nor {DEFAULT_REGION!r}"
        return f"there is no region {regions} for the mtype {mtype!r} of the cells"
    return f"the mtype {mtype!r} of the cells is missing in the region {used!r}"


def _similar(mtype: str, mtypes: Iterable[str]) -> str:
    return did_you_mean(mtype, mtypes) or (
        f"There are {some(mtypes)}" if mtypes else "Are these the files of these cells?"
    )
