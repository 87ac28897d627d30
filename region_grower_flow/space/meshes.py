"""Surface meshes that bound growth: read once per process, asked for rays and nearest points.

A mesh is read and asked through trimesh, with trimesh's own ray tracer even where a faster one is
installed, so that answers do not depend on what else a machine has. The compiled engine builds its
own search tree from :attr:`SpaceMesh.triangles` and gives the same answers.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow.errors import InvalidInput, nearest
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import reading, require_all, stamp_of

IGNORED_SUFFIXES = frozenset({".mtl", ".png", ".jpg", ".jpeg"})
"""Materials and textures that lie beside a mesh; they are not meshes themselves."""

PARITY_DIRECTION = (0.4395064455, 0.617598629942, 0.652231566745)
"""Direction of the rays that say whether a point is inside (trimesh's constant)."""

SECOND_PARITY_DIRECTION = (-0.27216552697590868, 0.40824829046386302, 0.87138933008995206)
"""Tried when the first is undecided. Trimesh draws an unseeded random direction here; ours is
fixed so that a run can be repeated."""


@dataclass(eq=False)
class SpaceMesh:
    """One triangle mesh, in um ("spatial") or in voxel indices of the atlas ("voxel").

    Attributes:
        path: the file it came from.
        surface: the ``trimesh.Trimesh``.
    """

    path: Path
    surface: Any

    def __deepcopy__(self, memo: dict[int, object]) -> SpaceMesh:
        """Meshes are shared: NeuroTS deep-copies its context for every section."""
        return self

    @property
    def name(self) -> str:
        """The file's name without its extension."""
        return self.path.stem

    @cached_property
    def triangles(self) -> np.ndarray:
        """(n, 3, 3) float64: the corners of each triangle."""
        return np.array(self.surface.triangles, dtype=np.float64, order="C")

    @cached_property
    def normals(self) -> np.ndarray:
        """(n, 3) float64: the unit normal of each triangle, zero for degenerate ones."""
        return np.array(self.surface.face_normals, dtype=np.float64, order="C")

    @cached_property
    def center_of_mass(self) -> np.ndarray:
        """(3,) float64: the center of the enclosed volume; not finite when there is none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.surface.center_mass)

    @cached_property
    def is_closed(self) -> bool:
        """True if each edge belongs to two triangles, so that inside and outside exist."""
        return bool(self.surface.is_watertight)

    @cached_property
    def _rays(self) -> Any:
        from trimesh.ray.ray_triangle import RayMeshIntersector

        return RayMeshIntersector(self.surface)

    def first_hit(self, origin: np.ndarray, direction: np.ndarray) -> np.ndarray | None:
        """Point where a ray meets the mesh, (3,) or None: trimesh's first location of a ray.

        With several hits this is not the nearest one: trimesh sorts locations by the bytes of
        their coordinates (rounded to 1e-8). region-grower uses it so, and so do we.
        """
        locations = self._rays.intersects_location([origin], [direction])[0]
        return locations[0] if len(locations) else None

    def closest_point(self, point: np.ndarray) -> tuple[np.ndarray, float]:
        """The point of the surface nearest to ``point``, and its distance."""
        from trimesh.proximity import closest_point

        points, distances, _ = closest_point(self.surface, [point])
        return points[0], distances[0]

    def contains(self, point: np.ndarray) -> bool:
        """True if ``point`` is inside, by the parity of hits along a ray and its opposite.

        Mirrors ``trimesh.ray.ray_util.contains_points`` but for the second direction.
        """
        lower, upper = self.surface.bounds
        if not ((point > lower).all() and (point < upper).all()):
            return False
        for direction in (PARITY_DIRECTION, SECOND_PARITY_DIRECTION):
            backward = tuple(-component for component in direction)
            rays = self._rays.intersects_location([point, point], [direction, backward])[1]
            ahead, behind = np.bincount(rays, minlength=2)
            if ahead % 2 == behind % 2:
                return bool(ahead % 2)
            if ahead == 0 or behind == 0:
                return False
        return False


def load_mesh(path: PathLike) -> SpaceMesh:
    """The mesh of a file, read once per process and version of the file.

    Raises:
        InvalidInput: the file is missing or unreadable, or holds no triangle with finite corners.
    """
    path = Path(path)
    try:
        with reading(path):
            return _read(path, *(stamp_of(path) or ()))
    except InvalidInput as error:
        if path.exists():
            raise
        problem = f"the mesh cannot be read ({error.problem})"
        raise InvalidInput(problem, where=path, hint=_neighbors(path)) from error


@lru_cache(maxsize=4096)
def _read(path: Path, *_stamp: object) -> SpaceMesh:
    import trimesh

    try:
        # From memory: materials and other files that a mesh names are not looked for.
        content = io.BytesIO(path.read_bytes())
        surface = trimesh.load_mesh(content, file_type=path.suffix.removeprefix(".").lower())
    except Exception as error:
        raise InvalidInput(
            f"the mesh cannot be read ({type(error).__name__}: {error})",
            where=path,
            hint="Give a triangle mesh in a format that trimesh reads (obj, stl, ply, off)",
        ) from error
    if not isinstance(surface, trimesh.Trimesh) or len(surface.faces) == 0:
        raise InvalidInput("the mesh has no triangles", where=path)
    if not np.isfinite(surface.triangles).all():
        raise InvalidInput("the mesh has corners that are not finite numbers", where=path)
    return SpaceMesh(path, surface)


@dataclass(eq=False)
class MeshFolder:
    """The meshes of a folder, for boundaries that choose one of them for each cell."""

    meshes: list[SpaceMesh]

    @cached_property
    def _boxes(self) -> tuple[np.ndarray, np.ndarray]:
        bounds = np.array([mesh.surface.bounds for mesh in self.meshes])
        return bounds[:, 0], bounds[:, 1]

    def closest(self, point: np.ndarray) -> SpaceMesh:
        """The mesh whose surface is nearest to ``point``; the first of equally near ones."""
        lower, upper = self._boxes
        gaps = np.maximum(np.maximum(lower - point, point - upper), 0.0)
        at_least = np.linalg.norm(gaps, axis=1)
        best: Any = None
        best_distance = np.inf
        for index in np.argsort(at_least, kind="stable"):
            # A little slack, since a box's distance is rounded otherwise than a surface's.
            if at_least[index] > best_distance * (1 + 1e-9) + 1e-9:
                break
            distance = self.meshes[index].closest_point(point)[1]
            if distance < best_distance or (distance == best_distance and index < best):
                best, best_distance = index, distance
        return self.meshes[best]

    def closest_to_axis(self, point: np.ndarray, axis: np.ndarray) -> SpaceMesh:
        """The mesh whose center of mass is nearest to the line through ``point`` along ``axis``."""
        centers = np.array([mesh.center_of_mass for mesh in self.meshes])
        distances = [np.linalg.norm(np.cross(point - center, axis)) for center in centers]
        return self.meshes[int(np.argmin(distances))]

    def around(self, point: np.ndarray) -> SpaceMesh | None:
        """The first mesh that contains ``point``, or None."""
        return next((mesh for mesh in self.meshes if mesh.contains(point)), None)


def load_folder(folder: PathLike) -> MeshFolder:
    """The meshes of a folder, read once per process and version of the folder.

    Raises:
        InvalidInput: the folder has no mesh, or a file in it is none.
    """
    folder = Path(folder)
    return _read_folder(folder, *(stamp_of(folder) or ()))


@lru_cache(maxsize=64)
def _read_folder(folder: Path, *_stamp: object) -> MeshFolder:
    paths = mesh_paths(folder)
    require_all(folder, [path.name for path in paths])
    if not paths:
        raise InvalidInput("the folder has no meshes", where=folder)
    return MeshFolder([load_mesh(path) for path in paths])


def mesh_place(base_dir: PathLike | None, path: PathLike) -> Path:
    """``path``, taken from ``base_dir`` when it is relative; ``~`` is the home folder."""
    return Path(base_dir or "", os.path.expanduser(os.path.expandvars(path)))


def mesh_paths(folder: PathLike) -> list[Path]:
    """The mesh files of a folder, by name; hidden files, materials and textures are left out.

    By name, where the reference takes the order of the file system: the order matters only when
    two meshes are equally near, or when meshes overlap.
    """
    return sorted(
        path
        for path in Path(folder).iterdir()
        if path.is_file()
        and not path.name.startswith(".")
        and path.suffix.lower() not in IGNORED_SUFFIXES
    )


def glomerulus_mesh_path(folder: PathLike, glomerulus: int) -> Path:
    """The file of one glomerulus in a folder of territories."""
    return Path(folder) / f"glomeruli_{glomerulus:03d}.obj"


def _neighbors(path: Path) -> str:
    if path.parent.is_dir():
        return nearest(path.name, [other.name for other in path.parent.iterdir()])
    return f"The folder {path.parent} does not exist"
