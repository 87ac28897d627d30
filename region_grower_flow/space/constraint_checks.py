"""Checks of the ``directions`` and ``boundaries`` of a region structure, beyond their form.

Their form is that of the schema ``region_structure``. What is left, and the meshes, are looked at
here before any work: each problem is one sentence. What is odd but sound (an entry that can never
act, say) is a note, for the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.errors import InvalidInput, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.schemas import violation
from region_grower_flow.space.constraints import D_MAX, D_MIN
from region_grower_flow.space.meshes import load_mesh, mesh_paths, mesh_place

if TYPE_CHECKING:
    from region_grower_flow.space.meshes import SpaceMesh

Problem: TypeAlias = tuple[str, str | None]
"""A fault, and what to do about it."""

GLOMERULUS_PATTERN = "glomeruli_[0-9][0-9][0-9]*.obj"
UNIT_TOLERANCE = 1e-6
"""Deviation from 1 of a direction's length beyond which it gets a note."""


def check_constraints(entry: Mapping[str, Any], region: str, path: PathLike) -> list[InvalidInput]:
    """Everything that is wrong in the directions and boundaries of one region, meshes included.

    The meshes are read (once per process; growth uses the same).

    Args:
        entry: the region's entry of the region structure, of the form of its schema.
        region: its name.
        path: the region structure; paths of meshes start from its folder.

    Returns:
        list of InvalidInput.
    """
    problems = []
    for i, direction in enumerate(entry.get("directions") or ()):
        if not any(direction["params"]["direction"]):
            place = (region, "directions", i, "params", "direction")
            hint = "Give [0, 1, 0] for the direction of the pia"
            problems.append(violation(path, place, "is the zero vector", hint))
    for i, boundary in enumerate(entry.get("boundaries") or ()):
        keys = (region, "boundaries", i)
        for part in ("params_section", "params_trunk"):
            params = boundary.get(part, {})
            d_min, d_max = params.get("d_min", D_MIN), params.get("d_max", D_MAX)
            if d_max <= max(0, d_min):
                problem = f"'d_max' ({d_max}) must be greater than 'd_min' ({d_min}) and than 0"
                problems.append(violation(path, (*keys, part), problem))
        problems += [
            violation(path, (*keys, "path"), problem, hint)
            for problem, hint in _problems_of_meshes(boundary, Path(path).parent)
        ]
    return problems


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


def _problems_of_meshes(boundary: Mapping[str, Any], base_dir: PathLike) -> Iterator[Problem]:
    """The problems of a boundary's mesh, or of its folder of meshes."""
    path = mesh_place(base_dir, boundary["path"])
    mode = boundary.get("multimesh_mode", "closest")
    paths = [path]
    if path.is_dir():
        territories = mode == "territories"
        paths = sorted(path.glob(GLOMERULUS_PATTERN)) if territories else mesh_paths(path)
        if not paths:
            wanted = "glomeruli_000.obj, ..." if territories else "meshes"
            yield f"the folder {path} has no {wanted}", None
    meshes: list[SpaceMesh] = []
    for each in paths:
        try:
            meshes.append(load_mesh(each))
        except InvalidInput as error:
            yield f"{error.where}: {error.problem}", error.hint
    if not path.is_dir():
        return
    unsound, problem = [], ""
    if mode == "inside":
        unsound = [mesh.path.name for mesh in meshes if not mesh.is_closed]
        problem = "not closed, so nothing is inside of it"
    elif mode == "closest_y":
        unsound = [mesh.path.name for mesh in meshes if not np.isfinite(mesh.center_of_mass).all()]
        problem = "flat or broken, so it has no center"
    if unsound:
        yield f"'multimesh_mode' is {mode!r}, but in {path} {some(unsound)} is {problem}", None
