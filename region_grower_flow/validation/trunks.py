"""Trunks: the directions in which trees leave the soma, against those of the reference cells.

Two angles are tested: of each trunk with the pia (the y axis) and of pairs of trunks of a cell.
Trunks of one cell depend on each other (and on those of its apical dendrite), so that the p-value
of a Kolmogorov-Smirnov distance D is not that of independent angles. It is the share of
permutations of the cells whose D is as large. Where there are no reference cells (barcodes are
the reference), trunks are compared with the law that they were drawn from: of populations drawn
from it, with the same trunks per cell. A law may be a poor fit, which that test cannot see.
Angles are counted in thousandths of a radian (0.06 degrees).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology
from region_grower_flow.validation import copies
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.statistics import (
    benjamini_hochberg,
    label_permutations,
    p_value,
)
from region_grower_flow.validation.threads import one_thread
from region_grower_flow.validation.trunk_laws import PIA, TrunkLaw, read_law
from region_grower_flow.validation.verdict import (
    FAIL,
    NOT_TESTABLE,
    PASS,
    Verdict,
)

TIER = "trunks"

ALPHA = 0.05
"""Significance of the corrected test."""

RESOLUTION = np.radians(5.0)
"""Angles that differ by less (rad, on average) agree: a soma's center that is 1 um away turns a
trunk that starts at 11 um by as much."""

DRAWS = 999
"""Populations drawn from a law, or permutations of the cells."""

PER_RADIAN = 1000
BINS = int(np.ceil(np.pi * PER_RADIAN)) + 1

Trunks: TypeAlias = Mapping[str, np.ndarray]
"""Unit vectors (..., 3) of a cell's trunks, by neurite type."""

SOMA, ORIGIN = "soma", "origin"
"""Points that trunks are seen from: those of reference cells from the mean of the soma's contour,
as in the fits of laws; those of synthesized cells from the origin, around which they were grown
(the mean of their soma's contour is 9 degrees away, as seen from a trunk, in the median)."""


class Angle(NamedTuple):
    """An angle under test: of trunks with the pia (no ``other``) or with trunks of ``other``."""

    kind: str
    other: str | None = None

    @property
    def name(self) -> str:
        """The name of the test."""
        if self.other is None:
            return "pia angle"
        if self.other == self.kind:
            return "angle between trunks"
        return f"angle to the {self.other.replace('_', ' ')}"

    @property
    def kinds(self) -> set[str]:
        """The neurite types that it depends on."""
        return {self.kind} | ({self.other} if self.other else set())


class Found(NamedTuple):
    """The outcome of a test before its correction; counts are of cells that have the angle.

    ``shift`` (rad) is how far angles have to be turned, on average, to become those of the
    reference (the Wasserstein distance); infinite against a law, which has no measurement error.
    """

    angle: Angle
    counts: tuple[int, int]
    angles: int
    ks: float
    p: float
    by_law: bool
    shift: float = np.inf


def directions(cell: ValidationCell, kind: str, origin: str) -> np.ndarray:
    """(k, 3) unit vectors of the trunks of one type, as seen from SOMA or ORIGIN."""
    return cell.once((TIER, kind, origin), lambda: _directions(cell.morphology, kind, origin))


def _directions(morphology: FlatMorphology, kind: str, origin: str) -> np.ndarray:
    roots = (morphology.parents < 0) & (morphology.types == NEURITE_TYPES[kind])
    starts = morphology.points[morphology.offsets[:-1][roots]].astype(float)
    if origin == SOMA and len(morphology.soma_points):
        starts = starts - morphology.soma_points.mean(axis=0)
    lengths = np.linalg.norm(starts, axis=1)
    return starts[lengths > 0] / lengths[lengths > 0, None]


def angles_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles (rad) between unit vectors of shape (..., 3)."""
    # The arc cosine of a product near 1 has few digits.
    cross = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.arctan2(cross, np.sum(first * second, axis=-1))


def angles(trunks: Trunks, angle: Angle) -> np.ndarray:
    """The angles of one cell, or of draws of it.

    Args:
        trunks: {neurite type: (..., k, 3)} unit vectors.
        angle: Angle.

    Returns:
        (..., n) radians.
    """
    vectors = trunks[angle.kind]
    if angle.other is None:
        return angles_between(vectors, PIA)
    if angle.other == angle.kind:
        pairs = np.array(list(combinations(range(vectors.shape[-2]), 2)), dtype=int).reshape(-1, 2)
        return angles_between(vectors[..., pairs[:, 0], :], vectors[..., pairs[:, 1], :])
    others = trunks[angle.other]
    found = angles_between(vectors[..., :, None, :], others[..., None, :, :])
    return found.reshape(*found.shape[:-2], -1)


def histogram(values: np.ndarray) -> np.ndarray:
    """(rows, BINS) counts of angles (rad), by thousandths of a radian, of each row."""
    values = np.atleast_2d(values)
    bins = np.rint(values * PER_RADIAN).astype(np.int64)
    bins += np.arange(len(values))[:, None] * BINS
    return np.bincount(bins.ravel(), minlength=len(values) * BINS).reshape(len(values), BINS)


def ks_distances(counts: np.ndarray, of_law: np.ndarray) -> np.ndarray:
    """KS distances of histograms (rows, BINS) to another one, (BINS,) or (rows, BINS)."""
    cumulated = [np.cumsum(h, axis=-1) for h in (counts, of_law)]
    shares = [c / c[..., -1:] for c in cumulated]
    return np.abs(shares[0] - shares[1]).max(axis=-1)


def mean_shift(counts: np.ndarray, others: np.ndarray) -> float:
    """The Wasserstein distance (rad) of two histograms (BINS,)."""
    shares = [np.cumsum(h) / h.sum() for h in (counts, others)]
    return float(np.abs(shares[0] - shares[1]).sum() / PER_RADIAN)


@one_thread
def compare(
    reference: Sequence[ValidationCell] | None,
    synthesized: Sequence[ValidationCell],
    comparison: Comparison,
) -> list[Verdict]:
    """Compare the trunks of synthesized cells of one mtype with the reference.

    Args:
        reference: the cells; None where there are only laws, which are tested then.
        synthesized: the cells, with the soma's center at the origin and the pia along y.
        comparison: its terms.

    Returns:
        Verdicts: per neurite type ``pia angle``, ``angle between trunks`` and angles between
        types, those of them that the cells have.
    """
    neurite_types, minimum = comparison.neurite_types, comparison.minimum
    laws = known_laws(comparison.parameters, neurite_types) if reference is None else {}
    rng = np.random.default_rng(comparison.seed)
    observed = [
        measured(reference or [], neurite_types, SOMA),
        measured(synthesized, neurite_types, ORIGIN),
    ]
    if comparison.fitted:
        observed.append(measured(comparison.fitted, neurite_types, SOMA))
    sizes = [len(cells) for cells in (reference, synthesized) if cells is not None]
    enough = min(sizes) >= minimum
    drawn = drawn_by_laws(observed[1], laws, DRAWS, rng) if enough else []
    tests = []
    for angle in angle_tests(neurite_types):
        if angle.kinds <= laws.keys():
            tests.append(_against_law(angle, observed, drawn, minimum))
        else:
            tests.append(_against_cells(angle, observed, rng, minimum))
    return _verdicts([test for test in tests if test], comparison)


@one_thread
def compare_halves(
    halves: Iterable[Sequence[ValidationCell]], comparison: Comparison
) -> list[Verdict]:
    """Compare the trunks of two halves of the reference cells, as :func:`compare` without law."""
    rng = np.random.default_rng(comparison.seed)
    kinds = comparison.neurite_types
    observed = [measured(half, kinds, SOMA) for half in halves]
    tests = [
        _against_cells(angle, observed, rng, comparison.minimum) for angle in angle_tests(kinds)
    ]
    return _verdicts([test for test in tests if test], comparison)


def bent(cells: Sequence[ValidationCell], neurite_types: Sequence[str]) -> list[ValidationCell]:
    """Copies of synthesized cells whose trunks are bent, which the tests have to notice.

    Pia angles are halved, or, where they are small (below 22.5 degrees in the median), 45 degrees
    larger. Only the trunks of the copies are bent, not their trees.
    """
    changed = [ValidationCell(f"{cell.name}, bent", cell.morphology) for cell in cells]
    for kind in neurite_types:
        vectors = [directions(cell, kind, ORIGIN) for cell in cells]
        polar = [angles_between(of_cell, PIA) for of_cell in vectors]
        pooled = np.concatenate(polar) if polar else np.empty(0)
        small = len(pooled) > 0 and np.median(pooled) < np.pi / 8
        for copy, of_cell, old in zip(changed, vectors, polar, strict=True):
            new = np.minimum(old + np.pi / 4, np.pi) if small else old / 2
            copy.measured[(TIER, kind, ORIGIN)] = _with_polar(of_cell, new)
    return changed


def _with_polar(vectors: np.ndarray, polar: np.ndarray) -> np.ndarray:
    """Unit vectors with other angles to the y axis, turned about it as before."""
    around = np.arctan2(vectors[:, 2], vectors[:, 0])
    return np.stack(
        [np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], axis=-1
    )


def measured(
    cells: Sequence[ValidationCell], neurite_types: Sequence[str], origin: str
) -> list[Trunks]:
    """[{neurite type: (k, 3) unit vectors}] of ValidationCells, see :func:`directions`."""
    return [{kind: directions(cell, kind, origin) for kind in neurite_types} for cell in cells]


def angle_tests(neurite_types: Sequence[str]) -> list[Angle]:
    """The Angles of some neurite types: with the pia, within a type, between two types."""
    alone = [angle for kind in neurite_types for angle in (Angle(kind), Angle(kind, kind))]
    return alone + [Angle(*pair) for pair in combinations(neurite_types, 2)]


def known_laws(
    parameters: Mapping[str, Any] | None, neurite_types: Sequence[str]
) -> dict[str, TrunkLaw]:
    """{neurite type: TrunkLaw} of the types that parameters have one of (None: no parameters)."""
    found = {
        kind: read_law(entry)
        for kind in neurite_types
        if isinstance(entry := (parameters or {}).get(kind), dict)
    }
    return {kind: law for kind, law in found.items() if law is not None}


def drawn_by_laws(
    cells: Iterable[Trunks], laws: Mapping[str, TrunkLaw], count: int, rng: np.random.Generator
) -> list[Trunks]:
    """The trunks of some cells, drawn from their laws.

    Args:
        cells: of :func:`measured`, which say how many trunks each has.
        laws: {neurite type: TrunkLaw}.
        count: draws of each cell.
        rng: numpy Generator.

    Returns:
        [{neurite type: (count, k, 3) unit vectors}]
    """
    # Apical trunks come first: those of other types may depend on them.
    order = sorted(laws, key=lambda kind: kind != "apical_dendrite")
    result: list[Trunks] = []
    for trunks in cells:
        drawn: dict[str, np.ndarray] = {}
        for kind in order:
            apical = drawn.get("apical_dendrite")
            first = apical[:, 0] if apical is not None and apical.shape[1] else None
            drawn[kind] = laws[kind].draw(count, len(trunks[kind]), rng, first)
        result.append(drawn)
    return result


def _values(cells: Iterable[Trunks], angle: Angle) -> list[np.ndarray]:
    """The angles of the cells that have any."""
    return [values for trunks in cells if len(values := angles(trunks, angle))]


def _against_law(
    angle: Angle, observed: Sequence[Sequence[Trunks]], drawn: Sequence[Trunks], minimum: int
) -> Found | None:
    reference, values = (_values(cells, angle) for cells in observed[:2])
    if not values:
        return None
    counts = len(reference), len(values)
    pooled = np.concatenate(values)
    if not drawn or len(values) < minimum:
        return Found(angle, counts, len(pooled), np.nan, np.nan, True)
    populations = histogram(np.concatenate([angles(cell, angle) for cell in drawn], axis=1))
    law = populations.sum(axis=0)
    ks = ks_distances(histogram(pooled), law)[0]
    p = p_value(ks, ks_distances(populations, law))
    return Found(angle, counts, len(pooled), float(ks), p, True)


def _against_cells(
    angle: Angle, observed: Sequence[Sequence[Trunks]], rng: np.random.Generator, minimum: int
) -> Found | None:
    reference, values, *fitted = (_values(cells, angle) for cells in observed)
    if not reference and not values:
        return None
    counts = len(reference), len(values)
    if min(counts) < minimum:
        return Found(angle, counts, sum(map(len, values)), np.nan, np.nan, False)
    if fitted and len(fitted[0]) >= copies.MIN_FITTED:
        return _above_floor(angle, (reference, values, fitted[0]), rng)
    cells = np.stack([histogram(of_cell)[0] for of_cell in [*reference, *values]])
    labels = np.zeros((sum(counts), DRAWS + 1), dtype=bool)
    labels[: counts[0], 0] = True
    labels[:, 1:] = label_permutations(counts, DRAWS, rng)
    groups = labels.T.astype(float) @ cells
    found = ks_distances(groups, cells.sum(axis=0) - groups)
    shift = mean_shift(groups[0], cells.sum(axis=0) - groups[0])
    p = p_value(found[0], found[1:])
    return Found(angle, counts, sum(map(len, values)), float(found[0]), p, False, shift)


def _above_floor(
    angle: Angle, groups: Sequence[Sequence[np.ndarray]], rng: np.random.Generator
) -> Found:
    """The test of angles against reference cells, where copies of fitted cells are the floor."""
    reference, values, fitted = (np.stack([histogram(v)[0] for v in cells]) for cells in groups)
    found = float(ks_distances(reference.sum(axis=0), values.sum(axis=0)))
    real = np.concatenate([reference, fitted]).astype(float)
    weights = copies.deal((len(reference), len(fitted)), len(values), DRAWS, rng)
    null = ks_distances(*(of_group @ real for of_group in weights))
    counts = len(reference), len(values)
    total = int(values.sum())
    shift = mean_shift(reference.sum(axis=0), values.sum(axis=0))
    return Found(angle, counts, total, found, p_value(found, null), False, shift)


def _verdicts(tests: Sequence[Found], comparison: Comparison) -> list[Verdict]:
    adjusted = benjamini_hochberg([test.p for test in tests])
    return [_verdict(test, float(p), comparison) for test, p in zip(tests, adjusted, strict=True)]


def _verdict(test: Found, p_adjusted: float, comparison: Comparison) -> Verdict:
    about: dict[str, Any] = {
        "mtype": comparison.mtype,
        "neurite_type": test.angle.kind,
        "n_reference": test.counts[0],
        "n_synthesized": test.counts[1],
    }
    of = "the fitted law" if test.by_law else "the reference cells"
    if np.isnan(test.p):
        counts = f"{test.counts[0]} reference and {test.counts[1]} synthesized cells"
        minimum = comparison.minimum
        detail = f"{counts} have this angle, where at least {minimum} of each are needed"
        threshold = {"cells": minimum}
        return Verdict(
            TIER, test.angle.name, NOT_TESTABLE, threshold=threshold, detail=detail, **about
        )
    differs = p_adjusted < ALPHA and test.shift >= RESOLUTION
    by = "" if test.by_law else f", {np.degrees(test.shift):.1f} degrees on average"
    return Verdict(
        TIER,
        test.angle.name,
        FAIL if differs else PASS,
        statistic=test.ks,
        p=test.p,
        p_adjusted=p_adjusted,
        threshold={
            "p_adjusted": ALPHA,
            **({} if test.by_law else {"degrees": float(np.degrees(RESOLUTION))}),
        },
        detail=f"the angles {'differ from' if differs else 'agree with'} those of {of}"
        f" (KS {test.ks:.2f}, corrected p {p_adjusted:.2g}{by})",
        values={"angles": test.angles, "by_law": test.by_law},
        **about,
    )
