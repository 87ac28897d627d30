"""Is it right? What can be told of a run from its numbers and from the cells that were looked at.

Each finding says what was looked at. What cannot be looked at is ``unknown``: it is never called
right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.errors import DropCell, some
from region_grower_flow.morphology import APICAL_DENDRITE, NEURITE_TYPES, FlatMorphology
from region_grower_flow.report.placed import PlacedCell
from region_grower_flow.report.run_page.words import great_losses
from region_grower_flow.space.scaling import TARGET_TYPES
from region_grower_flow.validation.space import LIMIT_TOLERANCE, limit_misses, tree_tops

if TYPE_CHECKING:
    from region_grower_flow.io.table import CellTable
    from region_grower_flow.validation.space import CellPlace

RIGHT, WRONG, NOTE, UNKNOWN = "right", "wrong", "note", "unknown"
UPRIGHT = 45.0
"""Degrees from the pia: an apical dendrite that is farther off does not point towards it."""
REACHED = (0.75, 1.25)
"""Shares of a target's height between which an apical dendrite has reached it."""
VOXELS_APART = 1.5
"""Voxels along the directions between cells whose depths are compared."""
NEIGHBOURS = 400.0
"""Distance (um) within which layers are taken as flat, to compare depths with directions."""
_MOST_COMPARED = 1500
_FEW, _LOOKED_THROUGH = 8, 100
"""Neighbours of a cell that are compared with it, and nearest ones that are looked through."""

Shapes: TypeAlias = Mapping[str, Sequence[FlatMorphology]]
"""Upright cells of mtypes."""


@dataclass(frozen=True)
class Finding:
    """One line of the verdict.

    Attributes:
        state: RIGHT, WRONG, NOTE (to be looked at) or UNKNOWN (cannot be told).
        what: in a few words.
        words: the sentence, with its numbers.
    """

    state: str
    what: str
    words: str


def made(summary: Mapping[str, Any]) -> Finding:
    """Cells asked for, made and dropped."""
    cells = summary["cells"]
    asked, lost = cells["asked"], cells["dropped"]
    if not lost:
        return Finding(RIGHT, "Cells", f"All {asked:,} cells that were asked for were grown.")
    reasons: Counter[str] = Counter()
    for counts in summary["mtypes"].values():
        reasons.update(counts["reasons"])
    words = f"{cells['made']:,} of {asked:,} cells were grown; {lost:,} were dropped"
    if reasons:
        ((top, count),) = reasons.most_common(1)
        words += f", {count:,} of them because: {top}"
    state = WRONG if not cells["made"] else NOTE if great_losses(summary) else RIGHT
    return Finding(state, "Cells", f"{words}.")


def in_layers(table: CellTable, rows: np.ndarray) -> Finding:
    """Number of cells that lie in layers.

    Args:
        table: CellTable.
        rows: of the cells that were made.
    """
    if not len(rows):
        return Finding(UNKNOWN, "Layers", "No cell was made.")
    known = np.isfinite(table.depths[rows]) & (table.layer_counts[rows] > 0)
    count = int(known.sum())
    if not count:
        words = "No cell lies in layers: nothing was fitted to a depth, no limit could hold."
        return Finding(UNKNOWN, "Layers", words)
    if count < len(rows):
        words = f"{count:,} of {len(rows):,} cells lie in layers; the others were fitted to none."
        return Finding(NOTE, "Layers", words)
    return Finding(RIGHT, "Layers", f"All {count:,} cells lie in layers, with a depth.")


_NAMED = re.compile(r"^L(\d+)[_:]")


def in_named_layers(table: CellTable, rows: np.ndarray) -> Finding | None:
    """Somata in the layers that the names of their mtypes tell; None without such names."""
    total = right = 0
    for row in rows:
        named = _NAMED.match(str(table.mtypes[row]))
        layers = table.layer_names(table.synthesis_regions[row])
        boundaries = table.layers_of(row)
        if named is None or not layers or not boundaries or not np.isfinite(table.depths[row]):
            continue
        if not all(str(layer).lstrip("L").isdigit() for layer in layers):
            continue
        place = int(np.searchsorted(boundaries[1:-1], table.depths[row], side="left"))
        total += 1
        right += str(layers[place]).lstrip("L") in named.group(1)
    if not total:
        return None
    words = f"{right:,} of {total:,} somata lie in a layer that their mtype is named after."
    return Finding(RIGHT if right >= 0.9 * total else NOTE, "Named layers", words)


def directions(table: CellTable, rows: np.ndarray, voxel: float = 0.0) -> Finding:
    """Agreement of the atlas's directions with its depths.

    Between near cells a way along the direction towards the pia has to take as much from the
    depth. It is the atlas's orientation against its heights, neither of which growth can see.

    Args:
        table: the cell table.
        rows: of the cells to compare.
        voxel: greatest length (um) of a voxel: depths are those of voxels, so that of cells that
            are nearer to each other they tell little.
    """
    rows = np.asarray(rows)
    up = table.orientations[rows][:, :, 1]
    known = np.isfinite(up).all(axis=1) & np.isfinite(table.depths[rows])
    rows, up = rows[known][:_MOST_COMPARED], up[known][:_MOST_COMPARED]
    apart = VOXELS_APART * voxel
    pairs = _near_pairs(table.positions[rows], apart)
    if len(pairs) < 8:
        words = "Too few cells lie near each other to compare directions with depths."
        return Finding(UNKNOWN, "Directions", words)
    first, second = pairs.T
    way = table.positions[rows[second]] - table.positions[rows[first]]
    climbed = (way * (up[first] + up[second]) / 2).sum(axis=1)
    risen = table.depths[rows[first]] - table.depths[rows[second]]
    far = np.abs(climbed) > max(20.0, apart)
    if far.sum() < 8:
        words = "Near cells lie at one depth, or in one voxel: directions cannot be compared."
        return Finding(UNKNOWN, "Directions", words)
    same = np.sign(climbed[far]) == np.sign(risen[far])
    agree = float(same.mean())
    slope = float(np.median(risen[far] / climbed[far]))
    words = (
        f"In {agree:.0%} of pairs of neighbours, the cell that is further along the atlas's "
        f"directions lies less deep; 100 µm along them are {100 * slope:.0f} µm of depth."
    )
    # In a curved atlas a single pair of a few may be across its bend.
    most = agree >= 0.9 or (~same).sum() <= 1
    state = RIGHT if most and 0.7 <= slope <= 1.4 else WRONG if agree < 0.6 else NOTE
    return Finding(state, "Directions", words)


def _near_pairs(positions: np.ndarray, apart: float = 0.0) -> np.ndarray:
    """(K, 2) of each cell and a few of those within NEIGHBOURS and farther off than ``apart``."""
    from scipy.spatial import cKDTree

    if len(positions) < 2:
        return np.empty((0, 2), dtype=int)
    tree = cKDTree(positions)
    count = min(_LOOKED_THROUGH if apart else _FEW + 1, len(positions))
    distances, found = tree.query(positions, k=count, distance_upper_bound=NEIGHBOURS)
    near = np.isfinite(distances[:, 1:]) & (distances[:, 1:] > apart)
    near &= near.cumsum(axis=1) <= _FEW
    mine = np.repeat(np.arange(len(positions)), count - 1)[near.ravel()]
    return np.column_stack([mine, found[:, 1:][near]])


def apical_tilts(morphologies: Iterable[FlatMorphology]) -> np.ndarray:
    """Degrees between +y and the way from the soma to the mean of each apical dendrite's points.

    Bipolar cells have two apical dendrites, which point up and down: each counts.
    """
    tilts = []
    for morphology in morphologies:
        counts = np.diff(morphology.offsets)
        trees = np.arange(morphology.n_sections)
        for section, parent in enumerate(morphology.parents):
            if parent >= 0:  # parents come before their children
                trees[section] = trees[parent]
        for tree in np.unique(trees[morphology.types == APICAL_DENDRITE]):
            mine = np.repeat((trees == tree) & (morphology.types == APICAL_DENDRITE), counts)
            way = morphology.points[mine].astype(float).mean(axis=0)
            tilts.append(np.degrees(np.arccos(way[1] / max(np.linalg.norm(way), 1e-9))))
    return np.array(tilts)


def pointing(references: Shapes, cells: Shapes) -> Finding:
    """Directions of apical dendrites, in reconstructions and in grown cells.

    Args:
        references, cells: {mtype: [upright FlatMorphology]}.
    """
    tilts = {m: (apical_tilts(references.get(m, ())), apical_tilts(cells[m])) for m in cells}
    tilts = {mtype: both for mtype, both in tilts.items() if len(both[1])}
    if not tilts:
        words = "No grown cell that was looked at has an apical dendrite: none shows a direction."
        return Finding(UNKNOWN, "Apical dendrites", words)
    grown = np.concatenate([own for _, own in tilts.values()])
    words = f"{(grown <= UPRIGHT).sum()} of {len(grown)} grown apical dendrites point to the pia"
    named = [ref for ref, _ in tilts.values() if len(ref)]
    off = [
        mtype
        for mtype, (ref, own) in tilts.items()
        if len(ref) and abs((ref <= UPRIGHT).mean() - (own <= UPRIGHT).mean()) > 0.5
    ]
    if not named:
        return Finding(UNKNOWN, "Apical dendrites", f"{words}; there is no reconstruction beside.")
    beside = np.concatenate(named)
    words += f", as {(beside <= UPRIGHT).sum()} of {len(beside)} in the reconstructions do."
    if off:
        return Finding(WRONG, "Apical dendrites", f"{words} They differ in: {', '.join(off[:4])}.")
    agree = (grown <= UPRIGHT).mean() >= 0.8 or (beside <= UPRIGHT).mean() < 0.8
    return Finding(RIGHT if agree else NOTE, "Apical dendrites", words)


def limits(cells: Iterable[tuple[PlacedCell, CellPlace]]) -> Finding:
    """Hard limits that neurites keep, or leave.

    Args:
        cells: [(PlacedCell, CellPlace)].
    """
    total = 0
    beyond: dict[str, float] = {}
    for cell, place in cells:
        misses = limit_misses(cell.morphology, place)
        total += bool(misses)
        greatest = max((extent for extent, _ in misses.values()), default=0.0)
        if greatest > LIMIT_TOLERANCE:
            beyond[cell.mtype] = max(greatest, beyond.get(cell.mtype, 0.0))
    if not total:
        return Finding(UNKNOWN, "Limits", "The parameters set no limit to these cells.")
    if beyond:
        words = f"Neurites leave their limits in {', '.join(list(beyond)[:4])}, by up to "
        return Finding(WRONG, "Limits", f"{words}{max(beyond.values()):.0f} µm.")
    words = f"All {total} cells that were looked at end within their limits."
    return Finding(RIGHT, "Limits", words)


def targets(cells: Iterable[tuple[PlacedCell, CellPlace]]) -> Finding:
    """Depths that dendrites reach, of those that their parameters aim at.

    Args:
        cells: [(PlacedCell, CellPlace)].
    """
    reached: dict[str, list[float]] = {}
    for cell, place in cells:
        types, extents, _ = tree_tops(cell.morphology)
        for kind in TARGET_TYPES:
            wanted = _target_height(place, kind)
            mine = extents[types == NEURITE_TYPES[kind]]
            if wanted and wanted > 0 and len(mine):
                reached.setdefault(cell.mtype, []).append(float(mine.max()) / wanted)
    if not reached:
        words = "The parameters aim at no depth: nothing says how high these cells should reach."
        return Finding(UNKNOWN, "Targets", words)
    every = np.concatenate(list(reached.values()))
    low, high = REACHED
    good = int(((every >= low) & (every <= high)).sum())
    words = (
        f"{good} of {len(every)} dendrites with a target end within a quarter of its height "
        f"(median {np.median(every):.0%} of it)."
    )
    off = [m for m, values in reached.items() if not low <= np.median(values) <= high]
    if off:
        return Finding(NOTE, "Targets", f"{words} Not so: {', '.join(off[:4])}.")
    return Finding(RIGHT if good >= 0.8 * len(every) else NOTE, "Targets", words)


def _target_height(place: CellPlace, kind: str) -> float | None:
    constraint = (place.params.get("context_constraints") or {}).get(kind) or {}
    try:
        return place.layers.distance_to(constraint.get("extent_to_target"))
    except DropCell:
        return None


def validated(
    counts: Mapping[str, int] | None, failed: Sequence[str] = (), how: str = ""
) -> Finding:
    """Results of the validation.

    Args:
        counts: {verdict: number of tests that decide}; None when there is none.
        failed: words on those that fail.
        how: the command that validates.
    """
    if not counts:
        words = f"Not compared with the reconstructions yet: {how}."
        return Finding(UNKNOWN, "Validation", words)
    total, fails = sum(counts.values()), counts.get("fail", 0)
    if fails:
        words = f"{fails} of {total} tests that decide fail"
        return Finding(
            WRONG, "Validation", f"{words}: {some(failed, 3)}." if failed else f"{words}."
        )
    passed = counts.get("pass", 0)
    if passed == total:
        return Finding(RIGHT, "Validation", f"All {total} tests that decide pass.")
    words = f"{passed} of {total} tests that decide pass, none fails; the others cannot tell."
    return Finding(NOTE, "Validation", words)


def overall(findings: Sequence[Finding]) -> tuple[str, str]:
    """(state, sentence) of all findings."""
    if not findings:
        return UNKNOWN, "Nothing was looked at."
    wrong = [f.what.lower() for f in findings if f.state == WRONG]
    notes = [f.what.lower() for f in findings if f.state == NOTE]
    unknown = [f.what.lower() for f in findings if f.state == UNKNOWN]
    open_ones = f" Not known: {', '.join(unknown)}." if unknown else ""
    if wrong:
        return WRONG, f"Something is wrong: {', '.join(wrong)}.{open_ones}"
    if notes:
        return NOTE, f"To be looked at: {', '.join(notes)}.{open_ones}"
    if unknown:
        return UNKNOWN, f"All that could be looked at is right.{open_ones}"
    return RIGHT, "All that was looked at is right."
