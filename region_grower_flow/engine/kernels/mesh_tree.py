"""The triangles of meshes under a tree of boxes, for the searches of ``mesh.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from region_grower_flow.engine.kernels.jit import entry

LEAF_SIZE = 4
"""Triangles of a leaf at most."""


class MeshTree(NamedTuple):
    """Triangles of one or more meshes, each under a tree of boxes.

    A node with ``count`` 0 has children ``first`` and ``first + 1``; a leaf has the ``count``
    triangles from ``first`` on. A mesh is known by the index of its root node.

    Attributes:
        lower, upper: (m, 3) corners of the nodes' boxes.
        first, count: (m,) int64.
        triangles: (n, 3, 3) corners, in the order of the leaves.
        normals: (n, 3) unit normals.
    """

    lower: np.ndarray
    upper: np.ndarray
    first: np.ndarray
    count: np.ndarray  # type: ignore[assignment]  # tuples have a method of this name
    triangles: np.ndarray
    normals: np.ndarray


def empty_tree() -> MeshTree:
    """A tree of no mesh, for tables without boundaries (same types as any other)."""
    corners, numbers = np.zeros((0, 3)), np.zeros(0, dtype=np.int64)
    return MeshTree(corners, corners, numbers, numbers, np.zeros((0, 3, 3)), corners)


def build_tree(triangles: np.ndarray, normals: np.ndarray) -> MeshTree:
    """The tree of one mesh.

    Args:
        triangles: (n, 3, 3) corners, n > 0.
        normals: (n, 3) unit normals.
    """
    triangles = np.ascontiguousarray(triangles, dtype=np.float64)
    lower, upper, first, count, order = _split_all(triangles.min(axis=1), triangles.max(axis=1))
    ordered = np.ascontiguousarray(np.asarray(normals, dtype=np.float64)[order])
    return MeshTree(lower, upper, first, count, triangles[order], ordered)


def join_trees(trees: Sequence[MeshTree]) -> tuple[MeshTree, np.ndarray]:
    """One tree of several, and the root node of each."""
    nodes = np.cumsum([0] + [len(tree.first) for tree in trees])
    faces = np.cumsum([0] + [len(tree.normals) for tree in trees])
    first = [
        tree.first + np.where(tree.count == 0, node, face)
        for tree, node, face in zip(trees, nodes, faces, strict=False)
    ]
    joined = MeshTree(
        np.concatenate([tree.lower for tree in trees]),
        np.concatenate([tree.upper for tree in trees]),
        np.concatenate(first),
        np.concatenate([tree.count for tree in trees]),
        np.concatenate([tree.triangles for tree in trees]),
        np.concatenate([tree.normals for tree in trees]),
    )
    return joined, nodes[:-1].astype(np.int64)


@entry("space")
def _split_all(
    lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Halve the triangles at the median of the longest side until leaves are small."""
    n = len(lower)
    size = 2 * n + 1
    low, high = np.empty((size, 3)), np.empty((size, 3))
    first, count = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    order = np.arange(n)
    count[0], nodes, node = n, 1, 0
    while node < nodes:
        start, stop = first[node], first[node] + count[node]
        members = order[start:stop]
        for axis in range(3):
            low[node, axis], high[node, axis] = np.inf, -np.inf
            for triangle in members:
                low[node, axis] = min(low[node, axis], lower[triangle, axis])
                high[node, axis] = max(high[node, axis], upper[triangle, axis])
        if stop - start > LEAF_SIZE:
            axis = np.argmax(high[node] - low[node])
            centers = lower[members, axis] + upper[members, axis]
            order[start:stop] = members[np.argsort(centers, kind="mergesort")]
            middle = (start + stop) // 2
            first[nodes], count[nodes] = start, middle - start
            first[nodes + 1], count[nodes + 1] = middle, stop - middle
            first[node], count[node] = nodes, 0
            nodes += 2
        node += 1
    return (
        low[:nodes].copy(),
        high[:nodes].copy(),
        first[:nodes].copy(),
        count[:nodes].copy(),
        order,
    )
