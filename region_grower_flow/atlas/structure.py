"""The region structure: layers, thicknesses and constraints of each synthesis region (YAML)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.errors import InvalidInput, InvalidInputs, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import load_yaml, not_finite
from region_grower_flow.io.layer_names import Layer, absent_layer, layer_number
from region_grower_flow.io.schemas import (
    did_you_mean,
    load_schema,
    validator,
    violation,
    violations,
)
from region_grower_flow.layout import DEFAULT_REGION

if TYPE_CHECKING:
    from region_grower_flow.atlas.regions import RegionMapper

L = logging.getLogger(__name__)

Entry: TypeAlias = Mapping[str, Any]
"""A synthesis region in the structure: its layers, thicknesses, directions, boundaries."""
Structure: TypeAlias = Mapping[str, Entry]
"""{synthesis region: Entry} in the order of the file."""

_PARTS = {
    "directions": ("direction", {"params": "direction_params", "params_section": "tries"}),
    "boundaries": (
        "boundary",
        {"params_section": "boundary_params", "params_trunk": "boundary_params"},
    ),
}
"""{key of lists: (definition of their items, {key of these: its definition})} in the schema."""
TERRITORIES_MODE = "territories"

MISSPELT = 0.76
"""Likeness from which a key counts as a misspelt one. Files hold keys of other tools, too, that
region-grower passes over: "description" has 0.67 of "directions", "boundary" 0.78 of "boundaries".
"""


def load_region_structure(path: PathLike) -> dict[str, dict[str, Any]]:
    """Read and check a region structure file.

    Returns:
        {region: {layers, thicknesses, directions, boundaries, ...}} in the order of the file.

    Raises:
        InvalidInput: the file cannot be read as YAML; InvalidInputs: it can, and is wrong.
    """
    structure = load_yaml(path)
    problems = structure_problems(structure, path)
    if problems:
        raise InvalidInputs(problems)
    return structure


def structure_problems(structure: object, path: PathLike) -> list[InvalidInput]:
    """Everything that is wrong in a region structure, as a list of InvalidInput."""
    problems = violations(validator(load_schema("region_structure")), _text_keys(structure), path)
    if not isinstance(structure, dict):
        return problems
    for region, entry in structure.items():
        if not isinstance(region, str):
            problems.append(
                violation(path, [region], "the name of a region must be text", "put it in quotes")
            )
        if isinstance(entry, dict):
            problems += _entry_problems(region, entry, path)
    return problems


def has_layers(entry: Entry) -> bool:
    """True if a region's entry gives layers (region-grower needs both keys)."""
    return entry.get("layers") is not None and entry.get("thicknesses") is not None


def layers_of(structure: Structure) -> dict[str, list[Layer]]:
    """{region: its layers from the top down} of the regions that have layers."""
    return {region: entry["layers"] for region, entry in structure.items() if has_layers(entry)}


def cortical_depths(entry: Entry) -> list[float] | None:
    """Depths (um) of the lower boundaries of the model's layers, or None without thicknesses."""
    if entry.get("thicknesses") is None:
        return None
    return np.cumsum(list(entry["thicknesses"].values())).tolist()


def needs_territories(entry: Entry) -> bool:
    """True if a boundary of the region is chosen by the territory that the cell is in."""
    return any(
        boundary.get("multimesh_mode") == TERRITORIES_MODE
        for boundary in entry.get("boundaries") or []
    )


def region_meta(structure: Structure) -> dict[str, dict[str, Any]]:
    """{synthesis region: cortical_depths, directions, boundaries} for the cell table's meta.

    Directions that are limited to layers by name get the numbers of the region's layers. Boundaries
    name their meshes as the structure does: where it lies is not part of what is made of it.

    Args:
        structure: the region structure.
    """
    return {
        region: {
            # region-grower never has model depths for "default", even when it is an entry.
            "cortical_depths": (
                None if region == DEFAULT_REGION else cortical_depths(structure[region])
            ),
            **_constraints(structure, [region]),
        }
        for region in dict.fromkeys([*structure, DEFAULT_REGION])
    }


def nested_meta(
    structure: Structure, mapper: RegionMapper, regions: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """{region of cells: directions, boundaries} where some come from another entry around it.

    Args:
        structure: the region structure.
        mapper: :class:`~region_grower_flow.atlas.regions.RegionMapper` of it.
        regions: the regions of the cells.
    """
    nested = {}
    for region in regions:
        entries = mapper.entries_of(region)
        found = _constraints(structure, entries)
        if found != _constraints(structure, entries[:1]):
            nested[region] = found
    return nested


def _constraints(structure: Structure, entries: Sequence[str]) -> dict[str, Any]:
    """Directions and boundaries, each of the first of the entries that has some."""
    sources = [structure.get(entry, {}) for entry in entries]
    directions, boundaries = (
        next((source[key] for source in sources if source.get(key) is not None), None)
        for key in ("directions", "boundaries")
    )
    if directions is not None:
        directions = _with_numbers(directions, layers_of(structure).get(entries[0]))
    return {"directions": directions, "boundaries": boundaries}


def _with_numbers(
    directions: Iterable[Mapping[str, Any]], layers: Sequence[Layer] | None
) -> list[Mapping[str, Any]]:
    """The directions of a region, their layers as numbers.

    A region may have the directions of the one around it, whose layers are not its own: one that is
    limited to layers that the region does not have never acts there, and is left out.
    """
    numbered = []
    for direction in directions:
        asked = direction["params"].get("layers")
        if layers and any(isinstance(layer, str) for layer in asked or ()):
            numbers = [layer_number(layer, layers) for layer in asked]
            numbers = [number for number in numbers if number is not None]
            if not numbers:
                continue
            direction = {**direction, "params": {**direction["params"], "layers": numbers}}
        numbered.append(direction)
    return numbered


@functools.cache
def _keys(definition: str) -> tuple[str, ...]:
    """The keys of an object that the schema of region structures defines."""
    return tuple(load_schema("region_structure")["definitions"][definition]["properties"])


def _entry_problems(region: object, entry: Entry, path: PathLike) -> list[InvalidInput]:
    problems = _unknown(entry, _keys("entry"), [region], path)
    known = {key: entry[key] for key in _keys("entry") if key in entry}
    problems += [
        violation(path, keys, "expected a finite number")
        for keys in not_finite(known, keys=(str(region),))
    ]
    layers, thicknesses = entry.get("layers"), entry.get("thicknesses")
    if layers is None and thicknesses is not None:
        problems.append(
            violation(path, [region], "has 'thicknesses' but no 'layers' that they belong to")
        )
    if isinstance(layers, list) and isinstance(thicknesses, dict):
        problems += _layer_problems(region, layers, thicknesses, path)
    for key, (definition, parts) in _PARTS.items():
        constraints = entry.get(key)
        for i, constraint in enumerate(constraints if isinstance(constraints, list) else []):
            if not isinstance(constraint, dict):
                continue
            problems += _unknown(constraint, _keys(definition), [region, key, i], path)
            for part, below in parts.items():
                if isinstance(constraint.get(part), dict):
                    place = [region, key, i, part]
                    problems += _unknown(constraint[part], _keys(below), place, path)
            own = layers if isinstance(layers, list) and has_layers(entry) else []
            problems += _direction_problems(constraint, own, [region, key, i], path)
    return problems


def _direction_problems(
    constraint: Mapping[str, Any], layers: Sequence[Layer], keys: Sequence[object], path: PathLike
) -> list[InvalidInput]:
    """Layers that a direction is limited to and that the region does not have."""
    params = constraint.get("params")
    named = params.get("layers") if isinstance(params, dict) else None
    keys = [*keys, "params", "layers"]
    asked = [layer for layer in (named if isinstance(named, list) else []) if _is_layer(layer)]
    absent = [layer for layer in asked if layer_number(layer, layers) is None]
    beyond = [layer for layer in absent if not isinstance(layer, str)]
    problems = []
    if beyond:
        text = f"layer {some(beyond)} of a region that has {len(layers)}"
        problems.append(violation(path, keys, text))
    for layer in absent:
        if isinstance(layer, str):
            text, hint = absent_layer(layer, layers)
            problems.append(violation(path, keys, text if layers else _no_layers(layer), hint))
    return problems


def _no_layers(layer: object) -> str:
    return f"layer {layer!r} of a region that has no layers"


def _is_layer(layer: object) -> bool:
    """True if it is a name or a number, from 1, that the region may have (schemas say so else)."""
    return isinstance(layer, str) or (type(layer) is int and layer >= 1)


def _layer_problems(
    region: object, layers: list[Layer], thicknesses: Mapping[Layer, Any], path: PathLike
) -> list[InvalidInput]:
    problems = []
    if not layers:
        problems.append(violation(path, [region, "layers"], "expected at least one layer"))
    twice = sorted({str(layer) for layer in layers if layers.count(layer) > 1})
    if twice:
        problems.append(violation(path, [region, "layers"], f"layer {some(twice)} is there twice"))
    named, thick = [str(layer) for layer in layers], [str(layer) for layer in thicknesses]
    missing = [layer for layer in named if layer not in thick]
    extra = [layer for layer in thick if layer not in named]
    keys = [region, "thicknesses"]
    if missing:
        problems.append(violation(path, keys, f"no thickness is given for layer {some(missing)}"))
    if extra:
        hint = did_you_mean(extra[0], missing or named)
        problems.append(violation(path, keys, f"layer {some(extra)} is not in 'layers'", hint))
    if not missing and not extra and named != thick and not twice:
        problems.append(
            violation(
                path, keys, f"are in the order {some(thick, 12)}, the layers are {some(named, 12)}",
                "write both from the top down",
            )
        )  # fmt: skip
    return problems


def _unknown(
    entry: Entry, known: Iterable[str], keys: Sequence[object], path: PathLike
) -> list[InvalidInput]:
    """Keys that look like a misspelt one are refused; others are named in the log and kept."""
    problems = []
    for key in entry:
        if key in known:
            continue
        similar = did_you_mean(key, known, count=1, likeness=MISSPELT)
        if similar:
            problems.append(violation(path, keys, f"unknown key {key!r}", similar))
        else:
            _tell_once(f"{path}: the key {key!r} of {'/'.join(map(str, keys))} means nothing here")
    return problems


def _tell_once(note: str) -> None:
    """Log a warning; the stages of a run read the same file many times."""
    if note not in _told:
        _told.add(note)
        L.warning("%s", note)


_told: set[str] = set()
"""The warnings that this process has logged."""


def _text_keys(value: Any) -> Any:
    """The same with keys as text: YAML has numbers as keys, JSON schemas do not."""
    if isinstance(value, dict):
        return {str(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text_keys(item) for item in value]
    return value


def used_layers(structure: Structure, regions: Iterable[str]) -> list[Layer]:
    """The layers that the given synthesis regions need, each once, in order."""
    entries = (structure[region] for region in regions if region in structure)
    layers = chain.from_iterable(entry["layers"] for entry in entries if has_layers(entry))
    return list(dict.fromkeys(layers))
