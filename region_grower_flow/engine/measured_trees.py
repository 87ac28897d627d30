"""Measured trees of one neurite type, prepared for growth: bars with what levers need of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.engine.levers import MEASURED

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Params

BAR_COLUMNS = 6
"""Columns of a measured bar: end, start (um), three angles (radians), bar that it leaves."""


@dataclass(frozen=True)
class MeasuredTrees:
    """The trees of one neurite type.

    Attributes:
        barcodes: (n, 6) float64 each, as barcodes: end, start, three angles, 0.
        owners: (n,) int64 each, -1 for the first bar.
        headings: (n, 3) float64 each, unit vectors in the frame of the reconstructed cell, from the
            bars' starts to their tips.
        ways: (n, 2, 3) float64 each, those of the bar's first section and of the one that goes on
            along the bar that it leaves.
        bends: (n, 2) float64 each, how much these two bend, 1 like the others of their type.
        cells: (T,) int64, the reconstructed cell of each tree.
        directions: (T, 3) float64, unit vectors from the soma's center to the trees.
        profiles: for each tree, for each bar (k, 2) float64: path distance (um), diameter (um).
        thinnest: the thinnest diameter (um) of all.
        joined: (T,) int64, 1 for trees whose sections begin with their parent's last diameter.
    """

    barcodes: list[np.ndarray]
    owners: list[np.ndarray]
    headings: list[np.ndarray]
    ways: list[np.ndarray]
    bends: list[np.ndarray]
    cells: np.ndarray
    directions: np.ndarray
    profiles: list[list[np.ndarray]]
    thinnest: float
    joined: np.ndarray

    @classmethod
    def prepare(cls, kind: str, distributions: Params) -> MeasuredTrees:
        """The trees of a type in the distributions of an mtype.

        Raises:
            KeyError, TypeError, ValueError: there are none, or they are not whole.
        """
        if MEASURED not in distributions:
            raise ValueError(f"the distributions have no {MEASURED!r} trees, which levers need")
        trees = distributions[MEASURED].get(kind)
        if not trees:
            raise ValueError(f"the distributions have no {MEASURED!r} trees of {kind}")
        bars = [np.array(tree["bars"], dtype=float).reshape(-1, BAR_COLUMNS) for tree in trees]
        for each in bars:
            _check(kind, each)
        profiles = [
            [np.array(p, dtype=float).reshape(-1, 2) for p in t["diameters"]] for t in trees
        ]
        return cls(
            [np.column_stack([each[:, :5], np.zeros(len(each))]) for each in bars],
            [each[:, 5].astype(np.int64) for each in bars],
            [np.array(tree["headings"], dtype=float).reshape(-1, 3) for tree in trees],
            [_ways(tree) for tree in trees],
            [_bends(tree) for tree in trees],
            np.array([tree["cell"] for tree in trees], dtype=np.int64),
            np.array([tree["direction"] for tree in trees], dtype=float).reshape(-1, 3),
            profiles,
            min(float(profile[:, 1].min()) for bars in profiles for profile in bars),
            np.array([bool(tree.get("joined", False)) for tree in trees], dtype=np.int64),
        )

    @functools.cached_property
    def first_headings(self) -> np.ndarray:
        """(T, 3) float64: where the first bar of each tree led."""
        return np.array([headings[0] for headings in self.headings]).reshape(-1, 3)

    @functools.cached_property
    def first_ways(self) -> np.ndarray:
        """(T, 3) float64: where the first section of each tree led."""
        return np.array([ways[0, 0] for ways in self.ways]).reshape(-1, 3)

    def fill(self, records: np.ndarray, bending: bool) -> None:
        """Set what levers need in the BARCODE_BAR records of the type's barcodes.

        Args:
            records: of all barcodes.
            bending: sections bend as much as they did (the lever of this name).
        """
        records["owner"] = np.concatenate(self.owners)
        records["heading"] = np.concatenate(self.headings)
        ways = np.concatenate(self.ways)
        records["way"], records["ahead"] = ways[:, 0], ways[:, 1]
        if bending:
            records["bend"], records["bend_ahead"] = np.concatenate(self.bends).T


def _ways(tree: Mapping[str, Any]) -> np.ndarray:
    """The directions of sections; those of whole bars for trees that were measured without."""
    headings = np.array(tree["headings"], dtype=float).reshape(-1, 3)
    if "ways" in tree:
        return np.array(tree["ways"], dtype=float).reshape(len(headings), 2, 3)
    owners = np.array([int(bar[5]) for bar in tree["bars"]])
    return np.stack([headings, headings[np.maximum(owners, 0)]], axis=1)


def _bends(tree: Mapping[str, Any]) -> np.ndarray:
    given = tree.get("bends") or [[1.0, 1.0]] * len(tree["bars"])
    return np.array(given, dtype=float).reshape(len(tree["bars"]), 2)


def _check(kind: str, bars: np.ndarray) -> None:
    """Bars are in order of start, the first one from the soma, and leave a bar that can own them.

    Raises:
        ValueError: they are not.
    """
    owners = bars[:, 5].astype(np.int64)
    places = np.arange(len(bars))
    sound = (
        len(bars) > 0
        and np.isfinite(bars).all()
        and (np.diff(bars[:, 1]) >= 0).all()
        and owners[0] == -1
        and bars[0, 0] == bars[:, 0].max()
        and (owners[1:] >= 0).all()
        and (owners < places).all()
    )
    if not sound:
        raise ValueError(f"a {MEASURED!r} tree of {kind} is not made of bars in order of start")
