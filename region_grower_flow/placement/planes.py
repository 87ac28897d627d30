"""Planes across an atlas: pairs of planes at right angles to a line through a region.

The line is parallel to an axis through the middle of the region (``aligned``), straight between
two ends of the region (``straight``), or follows the region (``curved``). The ends of a straight
line, where they are not given, are the centers of the two outermost shares of the region along its
direction of greatest extent (the first principal component of its voxels).

A curved line goes through the centers of parts of the region of equal volume, one after the other
along its longest way: along the slowest mode of diffusion in it (see ``_coordinate``). Of a region
in several parts, which do not touch, the largest counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import is_number, load_json, load_yaml
from region_grower_flow.io.schemas import violation

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from voxcell import VoxelData

    from region_grower_flow.atlas.volumes import Geometry
    from region_grower_flow.placement.voxels import Voxels

ALIGNED, CURVED = "aligned", "curved"
_END_SHARE = 0.02
"""Share of the voxels, at each end of the region, whose center is the end."""
_MOST_NODES = 8_000
"""Voxels of the coarser grid that curved lines are found on."""
_CURVE_PARTS = 10
_SAMPLES = 400


@dataclass(frozen=True)
class Plane:
    """A plane by a point on it (um) and its normal (a unit vector)."""

    point: np.ndarray
    normal: np.ndarray

    def heights(self, positions: np.ndarray) -> np.ndarray:
        """(N,) signed distances (um) of positions, positive on the normal's side."""
        return (np.asarray(positions, dtype=np.float64) - self.point) @ self.normal

    def as_dict(self) -> dict[str, list[float]]:
        """The plane as JSON."""
        return {"point": self.point.tolist(), "normal": self.normal.tolist()}


@dataclass(frozen=True)
class Slice:
    """The space between two planes: on the normal's side of ``left``, not beyond ``right``."""

    left: Plane
    right: Plane

    def holds(self, positions: np.ndarray) -> np.ndarray:
        """(N,) bool: which positions are in the slice."""
        return (self.left.heights(positions) >= 0) & (self.right.heights(positions) < 0)


@dataclass(frozen=True)
class LineSettings:
    """The line that planes are at right angles to.

    Attributes:
        kind: "aligned", "straight" or "curved".
        axis: of an aligned line: 0, 1 or 2.
        first, last: (3,) ends in um, or None.
    """

    kind: str = ALIGNED
    axis: int = 0
    first: tuple[float, ...] | None = None
    last: tuple[float, ...] | None = None


def region_centers(
    voxels: Voxels, query: str, hemisphere: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """((n, 3) centers of the voxels of a region in um, (n, 3) their indices).

    Args:
        voxels: :class:`~region_grower_flow.placement.voxels.Voxels`.
        query: the region.
        hemisphere: "left" or "right" of the middle of the atlas's third axis, None for both.

    Raises:
        InvalidInput: there is no such region, or it has no voxel.
    """
    indices = voxels.indices(voxels.of(query))
    centers = voxels.positions(indices + 0.5)
    if hemisphere is not None:
        is_left = centers[:, 2] < midplane(voxels.volume)
        keep = is_left if hemisphere == "left" else ~is_left
        centers, indices = centers[keep], indices[keep]
    if not len(centers):
        half = f" in the {hemisphere} half" if hemisphere else ""
        raise InvalidInput(f"the region {query!r} has no voxel{half}", where=voxels.where)
    return centers, indices


def midplane(volume: VoxelData | Geometry) -> float:
    """The middle (um) of the third axis of a volume (or of its Geometry)."""
    return float(volume.offset[2] + 0.5 * volume.shape[2] * volume.voxel_dimensions[2])


def center_line(
    centers: np.ndarray, indices: np.ndarray, voxel_size: np.ndarray, settings: LineSettings
) -> np.ndarray:
    """The (m, 3) points (um) of the line through a region.

    Args:
        centers: (n, 3) centers of its voxels (um).
        indices: (n, 3) their indices.
        voxel_size: (3,) um.
        settings: LineSettings.

    Raises:
        InvalidInput: the two ends are the same point.
    """
    if settings.kind == ALIGNED:
        low, high = centers.min(axis=0), centers.max(axis=0)
        ends = np.tile((low + high) / 2.0, (2, 1))
        half = voxel_size[settings.axis] / 2.0
        ends[:, settings.axis] = low[settings.axis] - half, high[settings.axis] + half
        return ends
    if settings.kind == CURVED:
        return _curve(centers, indices, voxel_size, settings)
    first, last = _ends(centers, settings)
    if np.linalg.norm(last - first) < 1e-6:
        raise InvalidInput("the two ends of the line are the same point", "option planes_first")
    return np.stack([first, last])


def slices_along(line: np.ndarray, count: int, thickness: float) -> list[Slice]:
    """``count`` slices of equal thickness, evenly along a line from its first to its last end.

    A single slice is in the middle. Slices overlap when there is no room for all of them.

    Raises:
        InvalidInput: the line is shorter than a slice.
    """
    line = np.asarray(line, dtype=np.float64)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    room = lengths[-1] - thickness
    if room < 0:
        raise InvalidInput(
            f"a slice of {thickness:g} um is thicker than the line is long ({lengths[-1]:.4g} um)",
            "option planes_thickness",
        )
    starts = np.linspace(0.0, room, count) if count > 1 else np.array([room / 2.0])
    return [
        Slice(_plane(line, lengths, start), _plane(line, lengths, start + thickness))
        for start in starts
    ]


def planes_document(line: np.ndarray, slices: Sequence[Slice]) -> dict[str, Any]:
    """The line and the slices as JSON."""
    return {
        "centerline": np.asarray(line).tolist(),
        "slices": [{"left": s.left.as_dict(), "right": s.right.as_dict()} for s in slices],
    }


def load_slices(path: PathLike) -> list[Slice]:
    """Read slices from a file (JSON or YAML).

    A list of ``{left: {point, normal}, right: {point, normal}}``, or an object that has it as
    ``slices``. Without normals they lead from the left point to the right one.

    Raises:
        InvalidInput: the file cannot be read; InvalidInputs: all that is wrong in it.
    """
    content = (load_json if str(path).endswith(".json") else load_yaml)(path)
    entries = content.get("slices") if isinstance(content, dict) else content
    if not isinstance(entries, list) or not entries:
        raise InvalidInput("expected a list of slices, or an object with 'slices'", where=path)
    problems: list[InvalidInput] = []
    found = [_slice(entry, i, path, problems) for i, entry in enumerate(entries)]
    if problems:
        raise InvalidInputs(problems)
    return [each for each in found if each is not None]


def _slice(entry: Any, i: int, path: PathLike, problems: list[InvalidInput]) -> Slice | None:
    before, sides = len(problems), {}
    for side in ("left", "right"):
        plane = entry.get(side) if isinstance(entry, dict) else None
        if not isinstance(plane, dict):
            text = "expected a plane, {point: [x, y, z], normal: [x, y, z]}"
            problems.append(violation(path, [i, side], text))
            continue
        point = _vector(plane.get("point"), [i, side, "point"], path, problems)
        given = plane.get("normal")
        normal = None if given is None else _vector(given, [i, side, "normal"], path, problems)
        sides[side] = point, normal
    if len(problems) > before:
        return None
    along = sides["right"][0] - sides["left"][0]
    planes = []
    for side, (point, normal) in sides.items():
        direction = along if normal is None else normal
        length = np.linalg.norm(direction)
        if length == 0:
            problems.append(violation(path, [i, side], "the normal has no length"))
            return None
        planes.append(Plane(point, direction / length))
    return Slice(*planes)


def _vector(
    value: Any, keys: Sequence[Any], path: PathLike, problems: list[InvalidInput]
) -> np.ndarray:
    numbers = isinstance(value, list) and all(map(is_number, value))
    if not numbers or len(value) != 3 or not np.isfinite(value).all():
        problems.append(violation(path, keys, "expected three finite numbers"))
        return np.zeros(3)
    return np.array(value, dtype=np.float64)


def _ends(centers: np.ndarray, settings: LineSettings) -> list[np.ndarray]:
    middle = centers.mean(axis=0)
    spread = centers - middle
    _, vectors = np.linalg.eigh(spread.T @ spread)
    direction = vectors[:, -1]
    # The sign of an eigenvector is arbitrary: the line goes up along its main axis.
    direction = direction * np.sign(direction[np.argmax(np.abs(direction))])
    order = np.argsort(spread @ direction, kind="stable")
    count = max(1, int(_END_SHARE * len(order)))
    found = centers[order[:count]].mean(axis=0), centers[order[-count:]].mean(axis=0)
    given = settings.first, settings.last
    return [
        f if g is None else np.array(g, dtype=np.float64) for f, g in zip(found, given, strict=True)
    ]


def _curve(
    centers: np.ndarray, indices: np.ndarray, voxel_size: np.ndarray, settings: LineSettings
) -> np.ndarray:
    nodes, places = _coarse(centers, indices)
    nodes, places = _largest_part(nodes, places)
    along = _coordinate(nodes, voxel_size)
    order = np.argsort(along, kind="stable")
    if places[order[0]] @ np.ones(3) > places[order[-1]] @ np.ones(3):
        order = order[::-1]  # the sign of an eigenvector is arbitrary
    parts = np.array_split(order, min(_CURVE_PARTS, max(2, len(order) // 8)))
    points = np.stack([places[part].mean(axis=0) for part in parts])
    first = _end(points[0], points[1], places[parts[0]])
    last = _end(points[-1], points[-2], places[parts[-1]])
    line = _smooth(np.concatenate([[first], points, [last]]))
    return _between(line, settings.first, settings.last)


def _end(point: np.ndarray, inner: np.ndarray, places: np.ndarray) -> np.ndarray:
    """End of the line: straight on from ``inner`` over ``point`` to the last of the places."""
    direction = (point - inner) / np.linalg.norm(point - inner)
    reach = np.quantile((places - point) @ direction, 1.0 - _END_SHARE)
    return point + max(reach, 0.0) * direction


def _coarse(centers: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """((m, 3) nodes, (m, 3) their centers in um) of a grid that is coarse enough."""
    factor = max(1, int((len(indices) / _MOST_NODES) ** (1.0 / 3.0)))
    nodes, codes = _blocks(indices, factor)
    while len(nodes) > _MOST_NODES:
        factor += 1
        nodes, codes = _blocks(indices, factor)
    counts = np.bincount(codes)
    sums = [np.bincount(codes, weights=centers[:, k]) for k in range(3)]
    return nodes, np.stack(sums, axis=1) / counts[:, None]


def _blocks(indices: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """((m, 3) blocks of ``factor`` voxels along each axis, (n,) the block of each voxel)."""
    blocks = indices // factor
    shape = tuple((blocks.max(axis=0) + 1).tolist())
    numbers = np.ravel_multi_index(tuple(blocks.T), shape)
    keys, codes = np.unique(numbers, return_inverse=True)
    return np.column_stack(np.unravel_index(keys, shape)), codes.reshape(-1)


def _neighbors(nodes: np.ndarray, voxel_size: np.ndarray) -> csr_array:
    """Symmetric (m, m) sparse array: 1 / distance^2 (voxel sizes) of nodes that share a face."""
    from scipy.sparse import coo_array
    from scipy.spatial import cKDTree

    pairs = cKDTree(nodes).query_pairs(1.2, output_type="ndarray")
    axes = np.abs(nodes[pairs[:, 0]] - nodes[pairs[:, 1]]).argmax(axis=1)
    weights = (voxel_size.min() / voxel_size[axes]) ** 2
    rows, columns = np.concatenate([pairs, pairs[:, ::-1]]).T
    shape = (len(nodes), len(nodes))
    return coo_array((np.concatenate([weights, weights]), (rows, columns)), shape=shape).tocsr()


def _largest_part(nodes: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nodes of the largest connected part (a region may be in both hemispheres)."""
    from scipy.sparse.csgraph import connected_components

    _, labels = connected_components(_neighbors(nodes, np.ones(3)), directed=False)
    keep = labels == np.bincount(labels).argmax()
    return nodes[keep], places[keep]


def _coordinate(nodes: np.ndarray, voxel_size: np.ndarray) -> np.ndarray:
    """(m,) a smooth coordinate along the longest way through connected nodes.

    The eigenvector of the second smallest eigenvalue of the graph's Laplacian (Fiedler 1973): the
    slowest mode of diffusion in the region, with level sets at right angles to its boundary.
    """
    from scipy.sparse import csc_array
    from scipy.sparse.csgraph import laplacian
    from scipy.sparse.linalg import eigsh

    if len(nodes) < 4:
        return nodes.sum(axis=1).astype(np.float64)
    matrix = csc_array(laplacian(_neighbors(nodes, voxel_size)).astype(np.float64))
    start = np.linspace(-1.0, 1.0, len(nodes))
    _, vectors = eigsh(matrix, k=2, sigma=-1e-6, v0=start)
    return vectors[:, 1]


def _smooth(points: np.ndarray) -> np.ndarray:
    """The line through points without their jitter, as many samples."""
    from scipy.interpolate import CubicSpline

    for _ in range(2):
        inner = (points[:-2] + 2.0 * points[1:-1] + points[2:]) / 4.0
        points = np.concatenate([points[:1], inner, points[-1:]])
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return CubicSpline(lengths, points)(np.linspace(0.0, lengths[-1], _SAMPLES))


def _between(
    line: np.ndarray, first: Sequence[float] | None, last: Sequence[float] | None
) -> np.ndarray:
    """The part of a line between the points next to ``first`` and ``last``, where given."""
    ends = [
        default if end is None else int(np.linalg.norm(line - np.array(end), axis=1).argmin())
        for end, default in ((first, 0), (last, len(line) - 1))
    ]
    if ends[0] == ends[1]:
        raise InvalidInput(
            "the two ends of the line are next to the same point", "option planes_first"
        )
    low, high = sorted(ends)
    part = line[low : high + 1]
    return part if ends[0] < ends[1] else part[::-1]


def _plane(line: np.ndarray, lengths: np.ndarray, place: float) -> Plane:
    """The plane at a length (um) along a line of points; the normal is the line's direction."""
    i = int(np.clip(np.searchsorted(lengths, place, side="right") - 1, 0, len(line) - 2))
    direction = line[i + 1] - line[i]
    direction = direction / np.linalg.norm(direction)
    return Plane(line[i] + (place - lengths[i]) * direction, direction)
