"""Space constraints of one cell: directions of the atlas and boundaries, as probabilities.

A constraint gives the probability that a proposed direction of growth is accepted at a point; the
least of all constraints counts. Mirrors region-grower's ``SpaceContext.get_direction`` and
``get_boundaries``, their quirks included where sound inputs meet them (each is named below).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import DropCell
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import recorded
from region_grower_flow.space.fields import RotationField, VoxelGrid, rotation_field
from region_grower_flow.space.meshes import (
    SpaceMesh,
    glomerulus_mesh_path,
    load_folder,
    load_mesh,
)

if TYPE_CHECKING:
    from region_grower_flow.io.table import Cell

# Kinds of constraints (``Constraint.compiled().kind``).
PARALLEL, PERPENDICULAR, REPULSIVE, ATTRACTIVE = range(4)
DIRECTION_MODES = {"parallel": PARALLEL, "perpendicular": PERPENDICULAR}
BOUNDARY_MODES = {"repulsive": REPULSIVE, "attractive": ATTRACTIVE}
MULTIMESH_MODES = ("closest", "closest_y", "inside", "territories")

D_MIN, D_MAX = 0.0, 100.0
"""Default distances (um) between which a boundary acts."""

POWERS = {PARALLEL: 1.0, PERPENDICULAR: 1.0, REPULSIVE: 1.5, ATTRACTIVE: 1.0}
"""Default exponents; the larger, the stronger the constraint."""

PROCESSES = ("major", "secondary")
DEFAULT_MAX_TRIES = 50
"""Proposals for one point before the best of them is taken (NeuroTS's constant)."""
DEFAULT_RANDOMNESS_INCREASE = 1.2
"""Factor of the random part per try (NeuroTS's constant)."""


@dataclass(frozen=True, eq=False)
class ConstraintNumbers:
    """A constraint as plain numbers, for the compiled kernels.

    Attributes:
        kind: PARALLEL, PERPENDICULAR, REPULSIVE or ATTRACTIVE.
        section: (d_min, d_max, power) for sections, or None when it leaves sections alone.
        trunk: the same for trunks.
        vector: (3,) direction in the axes of the atlas (directions only).
        layers: ((top, bottom) depths in um, ...) where it acts; None: everywhere.
        soma: (3,) um; y_direction: (3,); depth: um, of the cell (for ``layers``).
        field, mesh, grid: what is asked; ``grid`` is None for spatial meshes.
    """

    kind: int
    section: tuple[float, float, float] | None
    trunk: tuple[float, float, float] | None
    vector: Any = (0.0, 0.0, 0.0)
    layers: tuple[tuple[float, float], ...] | None = None
    soma: np.ndarray | None = None
    y_direction: np.ndarray | None = None
    depth: float = 0.0
    field: RotationField | None = None
    mesh: SpaceMesh | None = None
    grid: VoxelGrid | None = None


@dataclass(eq=False)
class Constraint:
    """One entry of ``directions`` or ``boundaries`` for one cell.

    Attributes:
        entry: the entry of the region structure.
        numbers: the same as numbers, for the compiled kernels.
        mesh_name: name of the mesh chosen from a folder by distance, for the debug data.
    """

    entry: Mapping[str, Any]
    numbers: ConstraintNumbers
    mesh_name: str | None = None

    def compiled(self) -> ConstraintNumbers:
        """The constraint as :class:`ConstraintNumbers`."""
        return self.numbers

    def __deepcopy__(self, memo: dict[int, object]) -> Constraint:
        """Constraints do not change: NeuroTS deep-copies its context for every section."""
        return self

    def acts_on(self, neurite_type: str, process: str) -> bool:
        """True if it acts on sections of this neurite type and process ("major", "secondary").

        Without ``neurite_types`` it acts on no section (trunks are not filtered); mirrors
        ``neurots.generate.tree.TreeGrower.add_section``.
        """
        processes = self.entry.get("processes")
        return (
            self.compiled().section is not None
            and neurite_type in (self.entry.get("neurite_types") or ())
            and process in (PROCESSES if processes is None else processes)
        )

    def as_neurots(self) -> dict[str, Any]:
        """The entry as NeuroTS takes it: with ``section_prob`` and ``trunk_prob`` as they apply."""
        # NeuroTS takes a key with null otherwise than one left out.
        neurots = {key: value for key, value in self.entry.items() if value is not None}
        numbers = self.compiled()
        if numbers.section is not None:
            neurots["section_prob"] = self.section_probability
        if numbers.trunk is not None:
            neurots["trunk_prob"] = self.trunk_probability
        if self.mesh_name is not None:
            neurots["mesh_name"] = self.mesh_name
        return neurots


@dataclass(eq=False)
class DirectionConstraint(Constraint):
    """Sections along (parallel) or across (perpendicular) a direction of the atlas."""

    def section_probability(self, direction: np.ndarray, current_point: np.ndarray) -> float:
        """Probability (0 to 1) of going into ``direction`` (unit (3,)) from a point (3,) in um.

        1 outside the atlas, outside the layers asked for, and where the angle is undefined.
        """
        numbers = self.numbers
        point = np.asarray(current_point)
        target = numbers.field.rotate(point, numbers.vector)
        if target is None or not self._in_layers(point):
            return 1.0
        with np.errstate(invalid="ignore"):
            angle = np.arccos(np.asarray(direction).dot(target)) / np.pi
        if numbers.kind == PARALLEL:
            probability = (1.0 - angle) ** numbers.section[2]
        else:
            probability = (1.0 - abs(angle * 2.0 - 1.0)) ** numbers.section[2]
        return 1.0 if np.isnan(probability) else np.clip(probability, 0, 1)

    def _in_layers(self, point: np.ndarray) -> bool:
        numbers = self.numbers
        if numbers.layers is None:
            return True
        depth = numbers.depth + (numbers.soma - point).dot(numbers.y_direction)
        return any(top < depth < bottom for top, bottom in numbers.layers)


@dataclass(eq=False)
class BoundaryConstraint(Constraint):
    """A mesh that sections or trunks keep away from (repulsive) or go to (attractive)."""

    def section_probability(self, direction: np.ndarray, current_point: np.ndarray) -> float:
        """Probability (0 to 1) that a section goes into ``direction`` (unit (3,)) from a point."""
        return self._probability(direction, current_point, *self.numbers.section)

    def trunk_probability(self, direction: np.ndarray, current_point: np.ndarray) -> float:
        """Probability (0 to 1) that a trunk leaves the soma in ``direction`` (unit (3,))."""
        return self._probability(direction, current_point, *self.numbers.trunk)

    def _probability(
        self, direction: np.ndarray, point: np.ndarray, d_min: float, d_max: float, power: float
    ) -> float:
        direction, point = np.asarray(direction), np.asarray(point)
        if self.numbers.kind == REPULSIVE:
            # The power applies to the denominator only: as in the reference.
            distance = self._distance_along(direction, point)
            return np.clip((distance - d_min) / (d_max - max(0, d_min)) ** power, 0, 1)
        return self._attraction(direction, point, (d_min, d_max, power))

    def _distance_along(self, direction: np.ndarray, point: np.ndarray) -> float:
        """Distance (um) to the mesh along a ray, inf without a hit.

        On a voxel mesh the origin of the ray is in voxel indices, its direction is not scaled by
        the voxels' dimensions: as in the reference.
        """
        grid = self.numbers.grid
        origin = point if grid is None else grid.to_indices(point)
        hit = self.numbers.mesh.first_hit(origin, direction)
        if hit is None:
            return np.inf
        if grid is not None:
            hit, origin = grid.to_positions(hit), grid.to_positions(origin)
        return np.linalg.norm(hit - origin)  # type: ignore[return-value]

    def _attraction(
        self, direction: np.ndarray, point: np.ndarray, params: tuple[float, float, float]
    ) -> float:
        d_min, d_max, power = params
        grid, mesh = self.numbers.grid, self.numbers.mesh
        asked = point if grid is None else grid.to_indices(point)
        if mesh.contains(asked):
            return 1.0
        closest, _ = mesh.closest_point(asked)
        if grid is not None:
            closest = grid.to_positions(closest)
        towards = closest - point
        distance = np.linalg.norm(towards)
        if not d_min < distance < d_max:
            return 1.0
        with np.errstate(invalid="ignore"):
            angle = np.arccos(direction.dot(towards) / distance) / np.pi
        return np.clip((1 - angle) ** power, 0, 1)


@dataclass(frozen=True, eq=False)
class RegionSpace:
    """The constraints of one synthesis region, before they are narrowed to a cell.

    Attributes:
        directions, boundaries: the entries of the region structure, with absolute paths.
        field: the atlas's orientations (not read yet).
        grid: the atlas's voxels.
    """

    directions: tuple[Mapping[str, Any], ...] = ()
    boundaries: tuple[Mapping[str, Any], ...] = ()
    field: RotationField | None = None
    grid: VoxelGrid | None = None

    @classmethod
    def prepare(
        cls,
        directions: Sequence[Mapping[str, Any]] | None,
        boundaries: Sequence[Mapping[str, Any]] | None,
        atlas_info: Mapping[str, Any],
    ) -> RegionSpace:
        """The constraints of a region; nothing is read before a cell asks.

        Args:
            directions: list of direction entries, or None.
            boundaries: list of boundary entries with absolute paths, or None.
            atlas_info: ``voxel_dimensions`` (3), ``offset`` (3), ``shape`` (3) and
                ``orientation_path`` of the atlas, and whether that file is ``mapped``.
        """
        return cls(
            tuple(directions or ()),
            tuple(boundaries or ()),
            rotation_field(atlas_info["orientation_path"], atlas_info.get("mapped", False)),
            VoxelGrid(
                np.array(atlas_info["voxel_dimensions"], dtype=float),
                np.array(atlas_info["offset"], dtype=float),
            ),
        )


def constraints_for_cell(space: RegionSpace, cell: Cell) -> tuple[Constraint, ...]:
    """The constraints of ``space`` that apply to ``cell``: directions, then boundaries.

    Args:
        space: RegionSpace.
        cell: the Cell, a row of the cell table.

    Returns:
        tuple of Constraint.

    Raises:
        DropCell: the cell's glomerulus has no mesh or is not known.
        InvalidInput: a mesh cannot be read (see ``constraint_checks`` to find out before).
    """
    found: list[Constraint] = [
        _direction(space, cell, entry) for entry in space.directions if _meant(entry, cell)
    ]
    mesh = None
    for entry in space.boundaries:
        if not _meant(entry, cell):
            continue
        # A folder in which nothing is chosen leaves the mesh of the boundary before: as in the
        # reference (which also carries it from one attempt to the next; we do not).
        chosen, mesh_name = _choose_mesh(space, cell, entry)
        mesh = chosen if chosen is not None else mesh
        found.append(_boundary(space, entry, mesh, mesh_name))
    return tuple(found)


def _meant(entry: Mapping[str, Any], cell: Cell) -> bool:
    mtypes, mclasses = entry.get("mtypes"), entry.get("mclass")
    if mtypes is not None and cell.mtype not in mtypes:
        return False
    return mclasses is None or (cell.mclass is not None and cell.mclass in mclasses)


def _direction(space: RegionSpace, cell: Cell, entry: Mapping[str, Any]) -> DirectionConstraint:
    params = entry["params"]
    kind = DIRECTION_MODES[params.get("mode", "parallel")]
    layers = None
    if params.get("layers"):
        if not cell.layer_depths:
            raise DropCell("a direction asks for layers, but the cell's region has none")
        layers = tuple(
            (cell.layer_depths[layer - 1], cell.layer_depths[layer]) for layer in params["layers"]
        )
    numbers = ConstraintNumbers(
        kind=kind,
        section=(0.0, 0.0, params.get("power", POWERS[kind])),
        trunk=None,
        vector=tuple(float(component) for component in params["direction"]),
        layers=layers,
        soma=np.asarray(cell.position, dtype=float),
        y_direction=cell.y_direction,
        depth=cell.depth,
        field=space.field,
    )
    return DirectionConstraint(entry, numbers)


def _boundary(
    space: RegionSpace, entry: Mapping[str, Any], mesh: SpaceMesh | None, mesh_name: str | None
) -> BoundaryConstraint:
    kind = BOUNDARY_MODES[entry.get("mode", "repulsive")]
    numbers = ConstraintNumbers(
        kind=kind,
        section=_distances(entry, "params_section", kind) if mesh is not None else None,
        trunk=_distances(entry, "params_trunk", kind) if mesh is not None else None,
        mesh=mesh,
        grid=space.grid if entry.get("mesh_type", "voxel") == "voxel" else None,
    )
    return BoundaryConstraint(entry, numbers, mesh_name)


def _distances(entry: Mapping[str, Any], key: str, kind: int) -> tuple[float, float, float] | None:
    if entry.get(key) is None:
        return None
    params = entry[key]
    return params.get("d_min", D_MIN), params.get("d_max", D_MAX), params.get("power", POWERS[kind])


def _choose_mesh(
    space: RegionSpace, cell: Cell, entry: Mapping[str, Any]
) -> tuple[SpaceMesh | None, str | None]:
    """The mesh of a boundary for a cell (or None), and its name when chosen by distance."""
    path = Path(entry["path"])
    if not path.is_dir():
        return load_mesh(path), None
    mode = entry.get("multimesh_mode", "closest")
    if mode == "territories":
        return _glomerulus_mesh(path, cell.glomerulus_id), None
    folder = load_folder(path)
    soma = np.asarray(cell.position, dtype=float)
    if entry.get("mesh_type", "voxel") == "voxel":
        soma = space.grid.to_indices(soma)
    if mode == "inside":
        return folder.around(soma), None
    if mode == "closest":
        mesh = folder.closest(soma)
    else:
        # The pia's direction is not converted to voxels: as in the reference.
        mesh = folder.closest_to_axis(soma, cell.y_direction)
    return mesh, mesh.name


def _glomerulus_mesh(folder: PathLike, glomerulus: float | None) -> SpaceMesh | None:
    if glomerulus is None or np.isnan(glomerulus):
        raise DropCell("a boundary asks for the cell's glomerulus, which is not known")
    glomerulus = int(glomerulus)
    if glomerulus < 0:
        return None
    path = glomerulus_mesh_path(folder, glomerulus)
    if not path.is_file() and recorded(path) is None:
        raise DropCell(f"its glomerulus {glomerulus} has no mesh {path}")
    return load_mesh(path)
