"""Custom overrides of parameters, applied after everything else.

Overrides are {mtype or ``"*"``: {path: value}}. A path has dots (``apical_dendrite.randomness``)
or is nested mappings; both may be mixed; ``grow_types[0]`` is an item of a list. ``"*"`` stands for
all mtypes and is applied first; in it, a neurite type means the mtypes that grow it. Mappings are
merged, everything else is replaced.

A table (CSV with the columns mtype, entry, value) is synthesis-workflow's ``custom_parameters.csv``
(mirrors synthesis_workflow.utils.apply_parameter_diff). Such tables are written for all mtypes of a
region, with and without axons: rows of mtypes and neurites that are not there are left out and
told, where other overrides are refused.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from region_grower_flow.engine.parameter_schema import neurite_keys, parameters_schema
from region_grower_flow.errors import InvalidInput, InvalidInputs, nearest, some
from region_grower_flow.io.csv_files import csv_rows
from region_grower_flow.io.documents import dotted
from region_grower_flow.morphology import NEURITE_TYPES

ALL_MTYPES = "*"
WHERE = "overrides"
OPAQUE = ("orientation", "modify", "origin", "grow_types", "pia_direction")
"""Values that are replaced as a whole, even when they are mappings."""
FREE = ("diameter_params",)
"""Mappings whose keys depend on the model: any key is accepted."""
LIMIT_KEYS = ("layer", "fraction")
CONSTRAINT_KEYS = {
    "extent_to_target": (*LIMIT_KEYS, "slope", "intercept"),
    "hard_limit_min": LIMIT_KEYS,
    "hard_limit_max": LIMIT_KEYS,
}
STEP_SIZES = ("norm", "uniform", "expon", "data")
COLUMNS = ("mtype", "entry", "value")
LONGEST_LIST = 100
"""Items that a path may name: parameters have no longer lists."""
TRUTHS = {"True": True, "False": False}

_ITEM = re.compile(r"(.*?)((?:\[[0-9]+\])+)\Z")


Path: TypeAlias = tuple[str | int, ...]
"""Keys of mappings and places in lists that lead to a value."""

Setting: TypeAlias = tuple[str, Path, Any]
"""(mtype, path, value)."""


@dataclass(frozen=True)
class Table:
    """Overrides from a table.

    Attributes:
        entries: {mtype: {path: value}}.
    """

    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def parse_table(text: str, where: object) -> Table:
    """The Table of a CSV.

    A value is JSON, or ``True`` or ``False``, or else a text. Of several rows for the same entry
    the last counts.

    Raises:
        InvalidInput: a column is missing, or named more than once.
        InvalidInputs: values are missing, each with its line.
    """
    rows = csv_rows(text.splitlines(keepends=True), where, spaces=False)
    _, header = next(rows, (0, []))
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        hint = f"The first line names the columns: {','.join(COLUMNS)}"
        raise InvalidInput(f"there is no column {', '.join(missing)}", where, hint)
    for name in COLUMNS:
        if header.count(name) > 1:
            raise InvalidInput(f"the header names the column {name!r} more than once", where)
    entries: dict[str, dict[str, Any]] = {}
    problems = []
    try:
        for line, found in rows:
            row = dict(zip(header, found, strict=False))
            values = [row.get(name, "").strip() for name in COLUMNS]
            missing = [name for name, value in zip(COLUMNS, values, strict=True) if not value]
            place = f"{where}, line {line}"
            if len(found) > len(header):
                problem = f"the line has more values than the {len(header)} columns"
                hint = "Put a value that holds commas in quotes"
                problems.append(InvalidInput(problem, place, hint))
            elif not missing:
                mtype, path, value = values
                entries.setdefault(mtype, {})[path] = _value(value)
            elif any(values):
                problems.append(InvalidInput(f"the {' and '.join(missing)} is missing", place))
    except InvalidInput as error:
        problems.append(error)
    if problems:
        raise InvalidInputs(problems)
    return Table(entries)


def _value(text: str) -> Any:
    if text in TRUTHS:
        return TRUTHS[text]
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        return text


def apply_overrides(
    parameters: Mapping[str, dict[str, Any]],
    overrides: Mapping[str, Any] | Table | None,
    notes: list[str] | None = None,
    unneeded: Collection[str] = frozenset(),
) -> list[dict[str, Any]]:
    """Apply overrides to the parameters of all mtypes, in place.

    Args:
        parameters: {mtype: NeuroTS parameters}.
        overrides: {mtype or "*": {path: value}}, a Table, or None.
        notes: a list that takes sentences on what a Table has in vain.
        unneeded: mtypes that are known but not among these parameters: theirs are passed over.

    Returns:
        the changes, in order: [{mtype, path, old, new}]; ``old`` is None for a new key.

    Raises:
        InvalidInputs: unknown mtypes or paths; nothing is changed then.
    """
    if isinstance(overrides, Table):
        entries = {m: own for m, own in overrides.entries.items() if m not in unneeded}
        overrides, unused = _usable(parameters, entries)
        if notes is not None:
            notes += unused
    if not overrides:
        return []
    settings, problems = _settings(parameters, overrides, unneeded)
    if problems:
        raise InvalidInputs(problems)
    _forget_values(parameters, settings)
    return [_set(parameters[mtype], mtype, path, value) for mtype, path, value in settings]


def _usable(
    parameters: Mapping[str, dict[str, Any]], entries: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The entries of a table that concern these mtypes and their neurites, and notes on others."""
    usable: dict[str, dict[str, Any]] = {}
    ungrown: dict[str, dict[str, bool]] = {}
    absent = []
    for mtype, by_path in entries.items():
        if mtype != ALL_MTYPES and mtype not in parameters:
            close = nearest(mtype, parameters)
            absent.append(f"{mtype} ({close})" if close else mtype)
            continue
        grown = [parameters[mtype]] if mtype in parameters else list(parameters.values())
        for path, value in by_path.items():
            kind = path.split(".")[0]
            if kind in NEURITE_TYPES and not any(params.get(kind) for params in grown):
                ungrown.setdefault(kind, {})[mtype] = True
            else:
                usable.setdefault(mtype, {})[path] = value
    notes = [f"Overrides of {some(absent)} are not used: no such mtype."] if absent else []
    notes += [
        f"Overrides of {kind} are not used for mtypes that do not grow it: {some(mtypes)}."
        for kind, mtypes in ungrown.items()
    ]
    return usable, notes


def _forget_values(parameters: Mapping[str, dict[str, Any]], settings: Iterable[Setting]) -> None:
    """Another mode of orientation makes the values of the former one meaningless."""
    for mtype, path, value in settings:
        if path[1:] == ("orientation", "mode"):
            neurite = parameters[mtype][str(path[0])]
            old = neurite.get("orientation")
            if isinstance(old, dict) and old.get("mode") != value:
                neurite["orientation"] = {"mode": old.get("mode")}


def _settings(
    parameters: Mapping[str, dict[str, Any]],
    overrides: Any,
    unneeded: Collection[str] = frozenset(),
) -> tuple[list[Setting], list[InvalidInput]]:
    """([(mtype, path as a tuple of keys, value)], problems)."""
    if not isinstance(overrides, dict):
        return [], [InvalidInput(f"expected a mapping of mtypes, found {overrides!r}", WHERE)]
    settings, problems = [], []
    for mtype in sorted(overrides, key=lambda name: name != ALL_MTYPES):
        entry = overrides[mtype]
        if mtype in unneeded:
            continue
        if mtype != ALL_MTYPES and mtype not in parameters:
            problems.append(
                InvalidInput(
                    f"unknown mtype {mtype!r}", WHERE, _capital(nearest(mtype, parameters))
                )
            )
        elif not isinstance(entry, dict):
            problems.append(
                InvalidInput(f"expected a mapping, found {entry!r}", f"{WHERE}, {mtype}")
            )
        else:
            for path, value in _leaves(entry):
                found, problem = _place(parameters, mtype, path, value, bool(unneeded))
                settings += found
                problems += problem
    return settings, problems


def _leaves(entry: Mapping[Any, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every (path, value) of an override, dots and nesting alike."""
    for key, value in entry.items():
        path = (*above, *_keys(str(key)))
        if isinstance(value, dict) and value and path[-1] not in OPAQUE:
            yield from _leaves(value, path)
        else:
            yield path, value


def _keys(text: str) -> Iterator[str | int]:
    """The keys of a dotted path; the items of lists are whole numbers."""
    for part in text.split("."):
        found = _ITEM.match(part)
        if found is None:
            yield part
            continue
        if found.group(1):
            yield found.group(1)
        yield from (int(number) for number in re.findall(r"[0-9]+", found.group(2)))


def _place(
    parameters: Mapping[str, dict[str, Any]],
    mtype: str,
    path: Path,
    value: Any,
    some_are_unneeded: bool = False,
) -> tuple[list[Setting], list[InvalidInput]]:
    """The mtypes that a path applies to, or why it applies to none."""
    where = f"{WHERE}, {mtype}, {dotted(path)}"
    if any(isinstance(key, int) and key >= LONGEST_LIST for key in path):
        problem = f"no list of parameters has {LONGEST_LIST} items"
        return [], [InvalidInput(problem, where)]
    known = known_keys(path)
    if known:
        level, names = known
        hint = _capital(nearest(path[level], names)) or f"Known are {some(names, 20)}"
        return [], [InvalidInput(f"unknown key {path[level]!r}", where, hint)]
    mtypes = list(parameters) if mtype == ALL_MTYPES else [mtype]
    if path[0] in NEURITE_TYPES:
        growing = [name for name in mtypes if parameters[name].get(path[0])]
        if not growing and some_are_unneeded and mtype == ALL_MTYPES:
            return [], []  # those that grow it may be the others
        if not growing:
            who = "no mtype" if mtype == ALL_MTYPES else "the mtype"
            verb = "grows" if mtype == ALL_MTYPES else "does not grow"
            return [], [InvalidInput(f"{who} {verb} {path[0]}", where)]
        mtypes = growing
    return [(name, path, value) for name in mtypes], []


def known_keys(path: Path) -> tuple[int, list[str]] | None:
    """(level, names known at it) where NeuroTS and region-grower know no such path, else None."""
    names: Collection[str] | None = _top_keys()
    for level, key in enumerate(path):
        if names is None:
            return None
        if key not in names:
            return level, sorted(names)
        names = _keys_below(path[: level + 1])
    return None


def _top_keys() -> Collection[str]:
    return {*parameters_schema()["properties"], *NEURITE_TYPES, "context_constraints"}


def _keys_below(path: Path) -> Collection[str] | None:
    """The keys that are known below a known path; None: any."""
    if path[-1] in OPAQUE or path[0] in FREE:
        return None
    if path[0] in NEURITE_TYPES:
        return _neurite_keys(path[1:])
    if path[0] == "context_constraints":
        levels = (NEURITE_TYPES, CONSTRAINT_KEYS, CONSTRAINT_KEYS.get(str(path[-1]), ()), ())
        return levels[min(len(path), len(levels)) - 1]
    return ()


def _neurite_keys(path: Path) -> Collection[str] | None:
    if not path:
        return neurite_keys()
    if path[0] != "step_size":
        return ()
    return STEP_SIZES if len(path) == 1 else None


def _set(parameters: dict[str, Any], mtype: str, path: Path, value: Any) -> dict[str, Any]:
    inner = parameters
    for key, below in itertools.pairwise(path):
        kind = list if isinstance(below, int) else dict
        found = _get(inner, key)
        inner = _put(inner, key, found if isinstance(found, kind) else kind())
    old = deepcopy(_get(inner, path[-1]))
    _put(inner, path[-1], deepcopy(value))
    return {"mtype": mtype, "path": dotted(path), "old": old, "new": deepcopy(value)}


def _get(container: Any, key: str | int) -> Any:
    if isinstance(key, int):
        return container[key] if key < len(container) else None
    return container.get(key)


def _put(container: Any, key: str | int, value: Any) -> Any:
    """Set an item (of a list that is long enough, else None fills the gap) and return it."""
    if isinstance(key, int):
        container.extend([None] * (key + 1 - len(container)))
    container[key] = value
    return value


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
