"""The constraints of a cell as arrays, for the kernels of ``constraints.py``.

:func:`compile_constraints` makes a :class:`ConstraintTable`, of the same types for every cell (also
for one without constraints), so that the growth kernel is compiled once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from region_grower_flow.engine.kernels.mesh_tree import (
    MeshTree,
    build_tree,
    empty_tree,
    join_trees,
)
from region_grower_flow.space.constraints import (
    DEFAULT_MAX_TRIES,
    DEFAULT_RANDOMNESS_INCREASE,
    Constraint,
    ConstraintNumbers,
)

if TYPE_CHECKING:
    from region_grower_flow.space.fields import RotationField
    from region_grower_flow.space.meshes import SpaceMesh

PARALLEL, PERPENDICULAR, REPULSIVE, ATTRACTIVE = range(4)
"""Kinds, the same as in ``space.constraints`` (a test compares them): the cache of compiled kernels
only notices changes of the kernels' own files, and these numbers are compiled in."""

D_MIN, D_MAX, POWER, SCALE = range(4)
"""Columns of ``section`` and ``trunk``; SCALE: what the distance to a repulsive mesh is divided
by."""


class FieldArrays(NamedTuple):
    """The atlas's quaternions (w, x, y, z), flat, in one of three types (the others are empty).

    Attributes:
        int8, float32, float64: the flat volume.
        strides: (4,) int64, elements from one voxel to the next per axis, and per component.
        shape: (3,) int64.
        offset, voxel_dimensions, upper: (3,) um; ``upper`` is the far corner.
    """

    int8: np.ndarray
    float32: np.ndarray
    float64: np.ndarray
    strides: np.ndarray
    shape: np.ndarray
    offset: np.ndarray
    voxel_dimensions: np.ndarray
    upper: np.ndarray


class ConstraintTable(NamedTuple):
    """The constraints of one cell as arrays, n constraints (see ``space.constraints``).

    Attributes:
        kind: (n,) int64, PARALLEL, PERPENDICULAR, REPULSIVE or ATTRACTIVE.
        section, trunk: (n, 4) d_min, d_max (um), power, scale; NaN where it does not act.
        on_trunks: (n,) bool.
        vector: (n, 3) of directions.
        root: (n,) int64, root of its mesh in ``tree``.
        voxel: (n,) bool, whether the mesh is in voxel indices.
        first_layer: (n + 1,) int64, rows of ``layers``; without rows it acts everywhere.
        layers: (k, 2) top and bottom depths (um).
        soma: (7,) position (um), direction of the pia, depth (um).
        grid: (2, 3) voxel dimensions and offset (um).
        tree: the meshes.
        field: the orientations.
    """

    kind: np.ndarray
    section: np.ndarray
    trunk: np.ndarray
    on_trunks: np.ndarray
    vector: np.ndarray
    root: np.ndarray
    voxel: np.ndarray
    first_layer: np.ndarray
    layers: np.ndarray
    soma: np.ndarray
    grid: np.ndarray
    tree: MeshTree
    field: FieldArrays


class SectionRules(NamedTuple):
    """The constraints that act on the sections of a neurite type and process, and their tries.

    Attributes:
        active: int64 indices into the cell's constraints.
        max_tries: proposals before the best is taken.
        randomness_increase: factor of the random part per try.
    """

    active: np.ndarray
    max_tries: int
    randomness_increase: float


def section_rules(
    constraints: Sequence[Constraint], neurite_type: str, process: str
) -> SectionRules:
    """The :class:`SectionRules` of a cell's constraints (mirrors ``SectionGrower.next_point``).

    Args:
        constraints: tuple of ``space.constraints.Constraint``.
        neurite_type: "basal_dendrite", "apical_dendrite" or "axon".
        process: "major" or "secondary".
    """
    active = [i for i, item in enumerate(constraints) if item.acts_on(neurite_type, process)]
    params = [constraints[i].entry.get("params_section") or {} for i in active]
    tries = [each.get("max_tries", DEFAULT_MAX_TRIES) for each in params]
    increases = [each.get("randomness_increase", DEFAULT_RANDOMNESS_INCREASE) for each in params]
    return SectionRules(
        np.array(active, dtype=np.int64),
        int(max(tries, default=DEFAULT_MAX_TRIES)),
        float(max(increases, default=DEFAULT_RANDOMNESS_INCREASE)),
    )


def compile_constraints(constraints: Sequence[Constraint]) -> ConstraintTable:
    """The :class:`ConstraintTable` of a cell's constraints (an empty tuple: a table of none).

    Meshes are prepared and the orientations read once per process, when first needed.
    """
    if not constraints:
        return _no_constraints()
    numbers = [constraint.compiled() for constraint in constraints]
    meshes = tuple(dict.fromkeys(each.mesh for each in numbers if each.mesh is not None))
    tree, roots = _joined(meshes)
    root_of = dict(zip(meshes, roots, strict=True))
    layers = [list(each.layers or ()) for each in numbers]
    return ConstraintTable(
        kind=np.array([each.kind for each in numbers], dtype=np.int64),
        section=np.array([_params(each.section) for each in numbers]),
        trunk=np.array([_params(each.trunk) for each in numbers]),
        on_trunks=np.array([each.trunk is not None for each in numbers]),
        vector=np.array([each.vector for each in numbers], dtype=np.float64),
        root=np.array(
            [root_of[each.mesh] if each.mesh else -1 for each in numbers], dtype=np.int64
        ),
        voxel=np.array([each.grid is not None for each in numbers]),
        first_layer=np.cumsum([0] + [len(rows) for rows in layers], dtype=np.int64),
        layers=_rows(layers),
        soma=_soma(numbers),
        grid=_grid(numbers),
        tree=tree,
        field=_field(constraints),
    )


@lru_cache(maxsize=1)
def _no_constraints() -> ConstraintTable:
    none, no_rows = np.zeros(0, dtype=np.int64), np.zeros((0, 4))
    flags, vectors = np.zeros(0, dtype=bool), np.zeros((0, 3))
    layers, soma, grid = np.zeros((0, 2)), np.zeros(7), np.zeros((2, 3))
    return ConstraintTable(
        none, no_rows, no_rows, flags, vectors, none, flags, np.zeros(1, dtype=np.int64), layers,
        soma, grid, empty_tree(), _no_field(),
    )  # fmt: skip


def _params(params: tuple[float, float, float] | None) -> tuple[float, float, float, float]:
    if params is None:
        return (np.nan,) * 4
    d_min, d_max, power = params
    span = d_max - max(0, d_min)
    return d_min, d_max, power, float(span) ** power if span > 0 else np.nan


def _soma(numbers: Sequence[ConstraintNumbers]) -> np.ndarray:
    for each in numbers:
        if each.soma is not None and each.y_direction is not None:
            return np.array([*each.soma, *each.y_direction, each.depth])
    return np.zeros(7)


def _grid(numbers: Sequence[ConstraintNumbers]) -> np.ndarray:
    grids = [each.grid for each in numbers if each.grid is not None]
    return np.array([grids[0].voxel_dimensions, grids[0].offset]) if grids else np.zeros((2, 3))


def _rows(layers: Iterable[Iterable[tuple[float, float]]]) -> np.ndarray:
    return np.array([row for rows in layers for row in rows], dtype=np.float64).reshape(-1, 2)


def _field(constraints: Sequence[Constraint]) -> FieldArrays:
    """The orientations when a direction may ask for them; they can be large."""
    fields = [
        constraint.compiled().field
        for constraint in constraints
        if constraint.compiled().field is not None and constraint.entry.get("neurite_types")
    ]
    return _field_arrays(fields[0]) if fields else _no_field()


@lru_cache(maxsize=4096)
def _tree(mesh: SpaceMesh) -> MeshTree:
    return build_tree(mesh.triangles, mesh.normals)


@lru_cache(maxsize=256)
def _joined(meshes: tuple[SpaceMesh, ...]) -> tuple[MeshTree, Sequence[int] | np.ndarray]:
    """One tree of several meshes and their roots; cells of a region mostly share it."""
    if not meshes:
        return empty_tree(), ()
    trees = [_tree(mesh) for mesh in meshes]
    return join_trees(trees) if len(trees) > 1 else (trees[0], (0,))


@lru_cache(maxsize=1)
def _no_field() -> FieldArrays:
    return _arrays(np.zeros((0, 0, 0, 4)), np.zeros(3), np.ones(3), np.zeros(3))


@lru_cache(maxsize=8)
def _field_arrays(field: RotationField) -> FieldArrays:
    volume = field.volume
    return _arrays(volume.raw, volume.offset, volume.voxel_dimensions, volume.bbox[1])


def _arrays(
    raw: np.ndarray, offset: np.ndarray, voxel_dimensions: np.ndarray, upper: np.ndarray
) -> FieldArrays:
    """FieldArrays of a (X, Y, Z, 4) volume, without a copy when its axes are only permuted."""
    order = np.argsort(np.negative(raw.strides), kind="stable")
    ordered = np.ascontiguousarray(raw.transpose(order))
    strides = np.empty(4, dtype=np.int64)
    strides[order] = np.array(ordered.strides) // ordered.itemsize
    flat = {}
    for name in ("int8", "float32", "float64"):
        flat[name] = ordered.reshape(-1).view() if raw.dtype == name else np.zeros(0, dtype=name)
        # Some volumes are read-only, which numba takes for another type: so all are.
        flat[name].flags.writeable = False
    return FieldArrays(
        **flat,
        strides=strides,
        shape=np.array(raw.shape[:3], dtype=np.int64),
        offset=np.array(offset, dtype=np.float64),
        voxel_dimensions=np.array(voxel_dimensions, dtype=np.float64),
        upper=np.array(upper, dtype=np.float64),
    )
