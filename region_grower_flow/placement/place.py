"""Cell positions from densities: how many cells, in which voxels, where in them.

The number of cells that an entry is expected to have is the sum over its voxels of density, voxel
volume and factor. It is rounded to the nearest whole number, or (``stochastic``) down and up at
random so that its mean is exact. Each cell falls into a voxel with a probability in proportion to
the voxel's expectation, independently of the others, and is uniform in it (mirrors brainbuilder's
``cell_positions``, method "basic", and its rounding).

Each entry has a random stream of its own, from the seed and what the entry says of region and
traits: to add, remove or reorder entries changes no cell of the others.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow.atlas.volumes import volume_path
from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems, distinct, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.layout import BRAIN_REGIONS
from region_grower_flow.placement.densities import MTYPE, Group, load_densities, volume_of
from region_grower_flow.placement.draws import draw_positions, draw_trait
from region_grower_flow.placement.voxels import (
    Voxels,
    boundary_distance,
    geometry_problem,
    load_values,
    named_volume,
)
from region_grower_flow.record.fingerprint import digest_of

L = logging.getLogger(__name__)

NEAREST, STOCHASTIC = "nearest", "stochastic"
MAX_CELLS = 100_000_000
"""More are a mistake in a unit (densities per m3 or um3), or a matter for several runs."""
_HALF = 0.5
"""Cells from which on the nearest whole number is one."""


@dataclass(frozen=True)
class PlacementSettings:
    """Settings of the placement: where cells are placed, and how many.

    Attributes:
        density_factor: factor of all densities.
        region: query that all cells must be in, or None.
        mask: name or path of a volume that is not 0 where cells may be, or None.
        distance: least distance (um) from the boundary of ``region`` (of all regions of the
            densities together when there is none).
        rounding: "nearest" or "stochastic".
        seed: of everything drawn.
    """

    density_factor: float = 1.0
    region: str | None = None
    mask: str | None = None
    distance: float = 0.0
    rounding: str = NEAREST
    seed: int = 0


@dataclass
class PlacedCells:
    """The cells, in the order of the densities' entries.

    Attributes:
        positions: (N, 3) float32, um: what a look-up in the atlas finds is the voxel drawn.
        voxels: (N,) int64, the voxels, as indices into the flattened volume.
        traits: {property: (N,) object array}; None where the cell's entry lacks the property.
        regions: (N,) object, acronym at the voxel.
        report: list of {mtype, region, expected, placed}, one per mtype and region with either.
        notes: sentences on what may surprise.
    """

    positions: np.ndarray
    voxels: np.ndarray
    traits: dict[str, np.ndarray]
    regions: np.ndarray
    report: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.voxels)


@dataclass
class Plan:
    """Inputs of a placement, checked.

    Attributes:
        voxels: :class:`Voxels` of the atlas.
        groups: [(Group, its voxels, cells expected in each)].
        allowed: (nx, ny, nz) bool, or None when all voxels may hold cells.
        notes: sentences.
    """

    voxels: Voxels
    groups: list[tuple[Group, np.ndarray, np.ndarray]]
    allowed: np.ndarray | None
    notes: list[str]


def plan_placement(
    densities_path: PathLike, atlas_dir: PathLike, settings: PlacementSettings
) -> Plan:
    """Read densities and atlas, and find how many cells are expected where.

    Args:
        densities_path: the file of densities.
        atlas_dir: folder of the atlas.
        settings: PlacementSettings.

    Returns:
        Plan.

    Raises:
        InvalidInputs: everything that is wrong: unknown regions, volumes that are absent or of
            another space, densities that are negative or not finite, no cells, too many.
    """
    problems = Problems()
    groups = problems.attempt(load_densities, densities_path)
    voxels = problems.attempt(Voxels.load, atlas_dir)
    if problems:
        raise InvalidInputs(problems)
    allowed = problems.attempt(allowed_voxels, voxels, groups, settings, atlas_dir)
    plan = Plan(voxels, [], allowed, _unknown_notes(voxels, atlas_dir))
    volumes = _check_volumes(problems, voxels, groups, Path(densities_path).parent, atlas_dir)
    expected = _Expected(voxels, allowed, settings.density_factor, volumes)
    for group in groups:
        found = problems.attempt(expected.of, group)
        if found is not None:
            plan.groups.append((group, *found))
    if problems:
        raise InvalidInputs(distinct(problems))
    _check_total(plan, densities_path, settings.rounding)
    plan.notes += _empty_notes(plan)
    return plan


def allowed_voxels(
    voxels: Voxels, groups: Sequence[Group], settings: PlacementSettings, atlas_dir: PathLike
) -> np.ndarray | None:
    """(nx, ny, nz) bool, the voxels that may hold cells; None when all may.

    Raises:
        InvalidInput: the region is unknown, or the mask absent or of another space.
    """
    mask = None
    if settings.region is not None:
        mask = voxels.mask(settings.region)
    if settings.distance > 0:
        region = mask
        if region is None:
            region = np.zeros(voxels.volume.shape, dtype=bool)
            for query in dict.fromkeys(group.region for group in groups):
                region |= voxels.mask(query)
        mask = boundary_distance(region, voxels.size) >= settings.distance
    if settings.mask is not None:
        given = load_values(voxels, *named_volume(settings.mask, atlas_dir))
        given = (given != 0) & (given == given)
        mask = given.reshape(voxels.volume.shape) & (True if mask is None else mask)
    return mask


def place_cells(plan: Plan, settings: PlacementSettings) -> PlacedCells:
    """Draw the cells of a plan.

    Args:
        plan: what :func:`plan_placement` returned.
        settings: the same PlacementSettings.

    Returns:
        PlacedCells.
    """
    voxels, parts = plan.voxels, []
    seen: Counter[str] = Counter()
    names = list(dict.fromkeys(name for group, *_ in plan.groups for name in group.traits))
    tally = _Tally(voxels)
    for group, places, expected in plan.groups:
        identity = [group.traits, group.region]
        occurrence = seen[digest_of(identity)]
        seen[digest_of(identity)] += 1
        rng = np.random.default_rng([settings.seed, _number([*identity, occurrence])])
        chosen = _draw_voxels(places, expected, settings.rounding, rng)
        positions = draw_positions(voxels, chosen, rng)
        traits = {name: draw_trait(group.traits.get(name), len(chosen), rng) for name in names}
        tally.add(group, places, expected, chosen, traits[MTYPE])
        parts.append((positions, chosen, traits))
    chosen = np.concatenate([part[1] for part in parts])
    return PlacedCells(
        positions=np.concatenate([part[0] for part in parts]),
        voxels=chosen,
        traits={name: np.concatenate([part[2][name] for part in parts]) for name in names},
        regions=_acronyms(voxels, chosen),
        report=tally.rows(),
        notes=plan.notes,
    )


class _Expected:
    """The cells that are expected in each voxel of a group; region look-ups are remembered."""

    def __init__(
        self,
        voxels: Voxels,
        allowed: np.ndarray | None,
        factor: float,
        volumes: Mapping[str, tuple[Path, str]],
    ) -> None:
        self._voxels, self._allowed, self._volumes = voxels, allowed, volumes
        self._scale = factor * voxels.mm3
        self._places: dict[str, np.ndarray] = {}

    def of(self, group: Group) -> tuple[np.ndarray, np.ndarray]:
        """(voxels, cells expected in each); raises InvalidInput."""
        if group.region not in self._places:
            try:
                found = self._voxels.of(group.region, self._allowed)
            except InvalidInput as error:
                raise InvalidInput(error.problem, group.place, error.hint) from error
            self._places[group.region] = found
        places = self._places[group.region]
        if not isinstance(group.density, str):
            return places, np.full(len(places), group.density * self._scale)
        source = self._volumes.get(group.density)
        if source is None:  # absent or of another space: said already
            return places, np.zeros(len(places))
        values = load_values(self._voxels, *source)[places].astype(np.float64)
        self._check_values(values, group)
        return places, values * self._scale

    @staticmethod
    def _check_values(values: np.ndarray, group: Group) -> None:
        for wrong, words in ((~np.isfinite(values), "not finite"), (values < 0, "negative")):
            count = int(wrong.sum())
            if count:
                raise InvalidInput(
                    f"the densities of {group.density} are {words} in {count:,} of the "
                    f"{len(values):,} voxels of {group.region}",
                    group.place,
                )


def _check_volumes(
    problems: Problems,
    voxels: Voxels,
    groups: Sequence[Group],
    folder: PathLike,
    atlas_dir: PathLike,
) -> dict[str, tuple[Path, str]]:
    """{density's text: (folder, name)} of the volumes that can be read; problems of the others."""
    volumes = {}
    for text in dict.fromkeys(group.density for group in groups):
        if not isinstance(text, str):
            continue
        source = volume_of(text, folder, atlas_dir)
        before = len(problems)
        problem = problems.attempt(geometry_problem, voxels, *source)
        if problem is not None:
            problems.append(problem)
        if len(problems) == before:
            volumes[text] = source
    return volumes


def _check_total(plan: Plan, path: PathLike, rounding: str) -> None:
    expected = [float(expected.sum()) for _, _, expected in plan.groups]
    total, most = sum(expected), max(expected)
    hint = "densities are cells per mm3; see density_factor, and the region and mask of the cells"
    if total > MAX_CELLS:
        problem = f"{total:,.0f} cells would be placed, at most {MAX_CELLS:,} are"
        raise InvalidInput(problem, path, hint)
    if total < _HALF:
        raise InvalidInput(f"no cell would be placed ({total:.2g} are expected)", path, hint)
    if rounding == NEAREST and most < _HALF:
        problem = (
            f"no cell would be placed: {total:.2g} are expected, but at most {most:.2g} by a "
            "single entry, which is rounded to none"
        )
        raise InvalidInput(problem, path, "set density_rounding to stochastic")


def _unknown_notes(voxels: Voxels, atlas_dir: PathLike) -> list[str]:
    note = voxels.unknown_ids()
    if note is None:
        return []
    L.warning("%s: %s", volume_path(atlas_dir, BRAIN_REGIONS), note)
    return [note.removesuffix(".")]


def _empty_notes(plan: Plan) -> list[str]:
    empty = [group for group, places, _ in plan.groups if not len(places)]
    if not empty:
        return []
    regions = some(dict.fromkeys(repr(group.region) for group in empty))
    text = f"{len(empty)} of {len(plan.groups)} entries have no voxel (regions {regions})"
    L.warning("%s", text)
    return [text]


def _draw_voxels(
    places: np.ndarray, expected: np.ndarray, rounding: str, rng: np.random.Generator
) -> np.ndarray:
    total = float(expected.sum())
    shift = rng.random() if rounding == STOCHASTIC else _HALF
    count = int(np.floor(total + shift)) if len(places) else 0
    if count == 0:
        return np.empty(0, dtype=np.int64)
    bounds = np.cumsum(expected)
    # Right: voxels without cells have no share of the interval. The last bound is the total.
    drawn = np.searchsorted(bounds, rng.random(count) * bounds[-1], side="right")
    return places[np.minimum(drawn, np.flatnonzero(expected)[-1])]


class _Tally:
    """Counts of expected and placed cells by mtype and region id."""

    def __init__(self, voxels: Voxels) -> None:
        self._voxels = voxels
        self._expected: Counter[tuple[str, int]] = Counter()
        self._placed: Counter[tuple[str, int]] = Counter()

    def add(
        self,
        group: Group,
        places: np.ndarray,
        expected: np.ndarray,
        chosen: np.ndarray,
        mtypes: np.ndarray,
    ) -> None:
        ids, codes = np.unique(self._voxels.ids_at(places), return_inverse=True)
        sums = np.bincount(codes, weights=expected, minlength=len(ids))
        for mtype, probability in group.mtypes.items():
            for region, count in zip(ids.tolist(), sums, strict=True):
                self._expected[mtype, region] += probability * float(count)  # type: ignore[assignment]
            own = self._voxels.ids_at(chosen[mtypes == mtype])
            self._placed.update((mtype, region) for region in own.tolist())

    def rows(self) -> list[dict[str, Any]]:
        acronyms = self._voxels.acronyms
        rows = [
            {
                "mtype": mtype,
                "region": acronyms[region],
                "expected": round(self._expected[mtype, region], 3),
                "placed": self._placed[mtype, region],
            }
            for mtype, region in self._expected.keys() | self._placed.keys()
            if self._expected[mtype, region] or self._placed[mtype, region]
        ]
        return sorted(rows, key=lambda row: (row["mtype"], row["region"]))


def _acronyms(voxels: Voxels, chosen: np.ndarray) -> np.ndarray:
    ids, codes = np.unique(voxels.ids_at(chosen), return_inverse=True)
    library = np.array([voxels.acronyms[i] for i in ids.tolist()], dtype=object)
    return library[codes.reshape(-1)]


def _number(value: object) -> int:
    return int(digest_of(value)[:16], 16)
