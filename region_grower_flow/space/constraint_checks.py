"""Checks of the ``directions`` and ``boundaries`` of a region structure.

Run before any work: each problem is one sentence. What is odd but sound (an entry that can never
act, say) is a note, for the log.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import InvalidInput, nearest, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.space.constraints import (
    BOUNDARY_MODES,
    D_MAX,
    D_MIN,
    DIRECTION_MODES,
    MESH_TYPES,
    MULTIMESH_MODES,
    PROCESSES,
)
from region_grower_flow.space.meshes import load_mesh, mesh_paths, mesh_place

if TYPE_CHECKING:
    from region_grower_flow.space.meshes import SpaceMesh

NEURITE_TYPES = ("apical_dendrite", "basal_dendrite", "axon")
LEGACY_NEURITE_TYPES = {"apical": "apical_dendrite", "basal": "basal_dendrite"}
FILTER_KEYS = ("mtypes", "mclass", "neurite_types", "processes")
DIRECTION_KEYS = ("params", "params_section", *FILTER_KEYS)
DIRECTION_PARAMS = ("direction", "mode", "power", "layers")
TRY_PARAMS = ("max_tries", "randomness_increase")
BOUNDARY_KEYS = (
    "path",
    "mode",
    "mesh_type",
    "multimesh_mode",
    "params_section",
    "params_trunk",
    *FILTER_KEYS,
)
BOUNDARY_PARAMS = ("d_min", "d_max", "power", *TRY_PARAMS)
GLOMERULUS_PATTERN = "glomeruli_[0-9][0-9][0-9]*.obj"
MOST_TRIES = 10_000
"""Upper limit of ``max_tries``: a point that is refused each time would take for ever."""
UNIT_TOLERANCE = 1e-6
"""Deviation from 1 of a direction's length beyond which it gets a note."""


def check_directions(entry: Mapping[str, Any], where: str) -> list[InvalidInput]:
    """Everything that is wrong in the directions of one region's entry.

    Whether the region has the layers that they are limited to is looked at when the region
    structure is loaded.

    Args:
        entry: the region's entry of the region structure (``directions``).
        where: what the sentences begin with (file and region).

    Returns:
        list of InvalidInput.
    """
    found = _Problems()
    for at, direction in _entries(found, entry, "directions", where, DIRECTION_KEYS):
        _check_tries(at.below("params_section"), direction.get("params_section", {}), TRY_PARAMS)
        if "params" not in direction:
            at.add("'params' is missing", "Give at least params: {direction: [0, 1, 0]}")
        else:
            _check_direction_params(at.below("params"), direction["params"])
    return found.problems


def check_boundaries(
    entry: Mapping[str, Any], where: str, base_dir: PathLike | None = None
) -> list[InvalidInput]:
    """Everything that is wrong in the boundaries of one region's entry, their meshes included.

    The meshes are read (once per process; growth uses the same).

    Args:
        entry: the region's entry of the region structure (``boundaries``).
        where: what the sentences begin with (file and region).
        base_dir: the folder that relative paths start from; default: the current one.

    Returns:
        list of InvalidInput.
    """
    found = _Problems()
    for at, boundary in _entries(found, entry, "boundaries", where, BOUNDARY_KEYS):
        at.choice(boundary, "mode", BOUNDARY_MODES)
        at.choice(boundary, "mesh_type", MESH_TYPES)
        at.choice(boundary, "multimesh_mode", MULTIMESH_MODES)
        for key in ("params_section", "params_trunk"):
            if key in boundary:
                _check_boundary_params(at.below(key), boundary[key])
        _check_path(at, boundary, base_dir)
    return found.problems


def constraint_notes(
    entry: Mapping[str, Any], where: str, base_dir: PathLike | None = None
) -> list[str]:
    """Oddities in the constraints of a region's entry that passed the checks, as sentences."""
    notes = []
    for i, direction in enumerate(entry.get("directions") or ()):
        at = f"{where}, directions/{i}"
        if not direction.get("neurite_types"):
            notes.append(f"{at}: without 'neurite_types' a direction never acts.")
        length = float(np.linalg.norm(direction["params"]["direction"]))
        if abs(length - 1.0) > UNIT_TOLERANCE:
            notes.append(f"{at}: the direction has the length {length:g} and is used so.")
    for i, boundary in enumerate(entry.get("boundaries") or ()):
        at = f"{where}, boundaries/{i}"
        if "params_trunk" not in boundary:
            if "params_section" not in boundary:
                notes.append(f"{at}: without params_section or params_trunk it never acts.")
            elif not boundary.get("neurite_types"):
                notes.append(f"{at}: without 'neurite_types' params_section never acts.")
        path = mesh_place(base_dir, boundary["path"])
        if not path.is_dir():
            if "multimesh_mode" in boundary:
                notes.append(f"{at}: 'multimesh_mode' has no meaning for a single mesh file.")
            if boundary.get("mode") == "attractive" and not load_mesh(path).is_closed:
                notes.append(f"{at}: the mesh {path} is not closed, so it has no clear inside.")
    return notes


class _Problems:
    """Problems found so far, and where we are."""

    def __init__(
        self, problems: list[InvalidInput] | None = None, where: str | None = None
    ) -> None:
        self.problems = [] if problems is None else problems
        self.where = where

    def at(self, where: str) -> _Problems:
        return _Problems(self.problems, where)

    def below(self, key: object) -> _Problems:
        return _Problems(self.problems, f"{self.where}/{key}")

    def add(self, problem: str, hint: str | None = None) -> None:
        self.problems.append(InvalidInput(problem, where=self.where, hint=hint))

    def keys(self, mapping: Mapping[str, Any], known: Collection[str]) -> None:
        for key in mapping:
            similar = "" if key in known else nearest(key, known, count=1)
            if similar:
                self.add(f"unknown key {key!r}", similar.capitalize())

    def choice(self, mapping: Mapping[str, Any], key: str, known: Collection[str]) -> None:
        if key in mapping and (not isinstance(mapping[key], str) or mapping[key] not in known):
            self.add(f"{key!r} must be {_either(known)}, not {mapping[key]!r}")

    def number(self, mapping: Mapping[str, Any], key: str, least: float | None = None) -> bool:
        """True if ``key`` is absent or a finite number of at least ``least``."""
        value = mapping.get(key, 0.0 if least is None else least)
        sound = _is_number(value) and (least is None or value >= least)
        if not sound:
            bound = "" if least is None else f" of at least {least:g}"
            self.add(f"{key!r} must be a finite number{bound}, not {value!r}")
        return sound


def _entries(
    found: _Problems, entry: Mapping[str, Any], key: str, where: str, known: Collection[str]
) -> Iterator[tuple[_Problems, Mapping[str, Any]]]:
    """(problems at it, mapping) of each entry of a list, its keys and filters checked.

    What is no list or no mapping is a problem.
    """
    listed = entry.get(key)
    if listed is None:
        return
    if not isinstance(listed, list):
        found.at(where).add(f"{key!r} must be a list, not {listed!r}")
        return
    for i, item in enumerate(listed):
        at = found.at(f"{where}, {key}/{i}")
        if isinstance(item, dict):
            at.keys(item, known)
            _check_filters(at, item)
            yield at, item
        else:
            at.add(f"must be a mapping of keys, not {item!r}")


def _check_filters(at: _Problems, entry: Mapping[str, Any]) -> None:
    for key in FILTER_KEYS:
        names = entry.get(key)
        if names is None or isinstance(names, str):
            continue
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            at.add(f"{key!r} must be a list of names, not {names!r}")
    _check_names(at, entry, "neurite_types", NEURITE_TYPES)
    _check_names(at, entry, "processes", PROCESSES)


def _check_names(at: _Problems, entry: Mapping[str, Any], key: str, known: Collection[str]) -> None:
    names = entry.get(key)
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list):
        return
    for name in names:
        if isinstance(name, str) and name not in known:
            hint = nearest(LEGACY_NEURITE_TYPES.get(name, name), known, count=1)
            at.add(f"{key!r} knows {_either(known)}, not {name!r}", hint.capitalize())


def _check_tries(at: _Problems, params: Any, known: Collection[str]) -> bool:
    if not isinstance(params, dict):
        at.add(f"must be a mapping of keys, not {params!r}")
        return False
    at.keys(params, known)
    tries = params.get("max_tries", 1)
    whole = isinstance(tries, Integral) and not isinstance(tries, bool)
    if not whole or not 1 <= tries <= MOST_TRIES:
        at.add(f"'max_tries' must be a whole number from 1 to {MOST_TRIES:,}, not {tries!r}")
    at.number(params, "randomness_increase", 0)
    return True


def _check_direction_params(at: _Problems, params: Any) -> None:
    if not isinstance(params, dict):
        at.add(f"must be a mapping of keys, not {params!r}")
        return
    at.keys(params, DIRECTION_PARAMS)
    vector = params.get("direction")
    if not isinstance(vector, list) or len(vector) != 3 or not all(map(_is_number, vector)):
        at.add(f"'direction' must be three finite numbers, not {vector!r}")
    elif not any(vector):
        at.add("'direction' is the zero vector", "Give [0, 1, 0] for the direction of the pia")
    at.choice(params, "mode", DIRECTION_MODES)
    at.number(params, "power", 0)


def _check_boundary_params(at: _Problems, params: Any) -> None:
    if not _check_tries(at, params, BOUNDARY_PARAMS):
        return
    sound = [at.number(params, "d_min"), at.number(params, "d_max")]
    at.number(params, "power", 0)
    d_min, d_max = params.get("d_min", D_MIN), params.get("d_max", D_MAX)
    if all(sound) and d_max <= max(0, d_min):
        at.add(f"'d_max' must be greater than 'd_min' and than 0, but they are {d_max} and {d_min}")


def _check_path(at: _Problems, boundary: Mapping[str, Any], base_dir: PathLike | None) -> None:
    given = boundary.get("path")
    if not isinstance(given, str) or not given:
        at.add("'path' of a mesh file or of a folder of meshes is missing")
        return
    path = mesh_place(base_dir, given)
    if not path.is_dir():
        _loaded(at, path)
        return
    mode = boundary.get("multimesh_mode", "closest")
    paths = sorted(path.glob(GLOMERULUS_PATTERN)) if mode == "territories" else mesh_paths(path)
    if not paths:
        wanted = "glomeruli_000.obj, ..." if mode == "territories" else "meshes"
        at.add(f"the folder {path} has no {wanted}")
    meshes = [mesh for mesh in (_loaded(at, mesh_path) for mesh_path in paths) if mesh is not None]
    if mode == "inside":
        unsound = [mesh.path.name for mesh in meshes if not mesh.is_closed]
        problem = "not closed, so nothing is inside of it"
    elif mode == "closest_y":
        unsound = [mesh.path.name for mesh in meshes if not np.isfinite(mesh.center_of_mass).all()]
        problem = "flat or broken, so it has no center"
    else:
        return
    if unsound:
        at.add(f"'multimesh_mode' is {mode!r}, but in {path} {some(unsound)} is {problem}")


def _loaded(at: _Problems, path: PathLike) -> SpaceMesh | None:
    try:
        return load_mesh(path)
    except InvalidInput as error:
        at.add(f"{error.where}: {error.problem}", error.hint)
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _either(known: Collection[str]) -> str:
    *others, last = [repr(name) for name in known]
    return f"{', '.join(others)} or {last}"
