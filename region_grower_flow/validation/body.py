"""Tests of what is seen first: soma size, the thinnest branches, and which way a cell stands.

* ``soma radius``: one feature of a cell, tested as those of the morphometrics, a family by itself.
* ``thinnest diameter``: growth must not go below what was reconstructed. With more synthesized
  cells than reference cells some are thinner by chance: if the cells were alike, the ``k`` cells
  with the thinnest branches would all be synthesized with a probability that counting gives.
* ``apical direction``: the angle of a cell's apical dendrite with the pia (the principal axis of
  the longest one, see ``calibration.frames``), tested as a feature; and cells that stand upside
  down fail whatever they are compared with, unless the mtype is known to be inverted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from region_grower_flow.calibration.frames import longest_axis
from region_grower_flow.morphology import APICAL_DENDRITE, NEURITE_TYPES, FlatMorphology
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.features import feature_tests, feature_verdicts
from region_grower_flow.validation.threads import one_thread
from region_grower_flow.validation.verdict import (
    FAIL,
    MIN_REFERENCE_CELLS,
    NO_POWER,
    PASS,
    Verdict,
    too_few,
)

TIER, TIER_OF_DIRECTIONS = "morphometrics", "trunks"
SOMA, THINNEST, DIRECTION, UPRIGHT = (
    "soma radius",
    "thinnest diameter",
    "apical direction",
    "apical dendrites point to the pia",
)
APICAL = "apical_dendrite"
MIN_P = 0.01
"""Probability below which so many thinner cells are no chance."""
FAR_THINNER, THIN = 0.5, 0.1
"""A branch thinner than half of the thinnest reconstructed one, and than 0.1 um, fails at once."""
RESOLUTION = 0.2
"""Radii of somata (um) count to this: many archives have one nominal radius for all."""
TOLERANCE = 0.95
"""Share of the thinnest reconstructed diameter from which a branch counts as thinner."""
UPSIDE_DOWN = 90.0
"""Angle (degrees) with the pia from which an apical dendrite points away from it."""


def soma_radius(cell: ValidationCell) -> float:
    """The radius (um) of a cell's soma, NaN without one."""
    shape = cell.morphology
    return cell.once(SOMA, lambda: shape.soma_radius if len(shape.soma_points) else np.nan)


def thinnest(cell: ValidationCell, kind: str) -> float:
    """The smallest diameter (um) of a cell's trees of one type, NaN without any.

    Zeros are left out: in tracings they mean that a diameter is not known.
    """
    morphology = cell.morphology
    types = np.repeat(morphology.types, np.diff(morphology.offsets))
    found = morphology.diameters[(types == NEURITE_TYPES[kind]) & (morphology.diameters > 0)]
    return float(found.min()) if len(found) else np.nan


def apical_tilt(cell: ValidationCell) -> float:
    """The angle (degrees) of a cell's apical dendrite with the pia (+y), NaN without one."""
    return cell.once(DIRECTION, lambda: _tilt(cell.morphology))


def _tilt(morphology: FlatMorphology) -> float:
    sections = [
        (morphology.section(i), morphology.parents[i])
        for i in range(morphology.n_sections)
        if morphology.types[i] == APICAL_DENDRITE
    ]
    trees: list[list[np.ndarray]] = []
    for points, parent in sections:  # depth first: a tree begins with its root
        if parent < 0 or not trees:
            trees.append([])
        trees[-1].append(points)
    axis = longest_axis(trees, np.zeros(3))
    if axis is None:
        return np.nan
    return float(np.degrees(np.arccos(np.clip(axis[1], -1.0, 1.0))))


@one_thread
def compare(
    reference: Sequence[ValidationCell],
    synthesized: Sequence[ValidationCell],
    comparison: Comparison,
) -> list[Verdict]:
    """Compare the bodies of synthesized and reference cells.

    Args:
        reference, synthesized: the cells.
        comparison: its terms.
    """
    groups = [reference, synthesized, *([comparison.fitted] if comparison.fitted else [])]
    kinds, mtype = comparison.neurite_types, comparison.mtype
    rng = np.random.default_rng([comparison.seed, 7])
    radii = [
        np.round(np.array(list(map(soma_radius, g))) / RESOLUTION) * RESOLUTION for g in groups
    ]
    verdicts = _tested(SOMA, radii, None, TIER, mtype, rng)
    for kind in kinds:
        diameters = [np.array([thinnest(cell, kind) for cell in group]) for group in groups[:2]]
        verdicts += _thinnest(diameters, kind, mtype)
    if APICAL in kinds:
        tilts = [np.array([apical_tilt(cell) for cell in group]) for group in groups]
        verdicts += _tested(DIRECTION, tilts, APICAL, TIER_OF_DIRECTIONS, mtype, rng)
        verdicts += upright(reference, synthesized, mtype, comparison.inverted)
    return verdicts


def _tested(
    name: str,
    groups: Sequence[np.ndarray],
    kind: str | None,
    tier: str,
    mtype: str | None,
    rng: np.random.Generator,
) -> list[Verdict]:
    """The Verdict of one feature, in a family by itself."""
    reference, synthesized, *fitted = ({name: np.asarray(g, dtype=float)} for g in groups)
    minimum = MIN_REFERENCE_CELLS
    counts = [int(np.isfinite(g[name]).sum()) for g in (reference, synthesized)]
    few = too_few(tier, name, counts, minimum, mtype=mtype, neurite_type=kind)
    if few:
        return [few]
    known = fitted[0] if fitted else None
    tests = feature_tests(reference, synthesized, rng, minimum, known)
    return feature_verdicts(tier, mtype, {kind: tests}, minimum)


def _thinnest(groups: Sequence[np.ndarray], kind: str, mtype: str | None) -> list[Verdict]:
    reference, synthesized = (values[np.isfinite(values)] for values in groups)
    counts = len(reference), len(synthesized)
    if max(counts) == 0:
        return []
    about: dict[str, Any] = {"mtype": mtype, "neurite_type": kind}
    few = too_few(TIER, THINNEST, counts, **about)
    if few:
        return [few]
    limit = float(reference.min())
    thinner = int((synthesized < TOLERANCE * limit).sum())
    p = chance_of_thinner(thinner, *counts)
    least = float(synthesized.min())
    bad = p < MIN_P or (least < FAR_THINNER * limit and least < THIN)
    detail = (
        f"{thinner} of {counts[1]} synthesized cells have thinner branches than any reconstruction "
        f"(down to {least:.3g} um, reconstructions {limit:.3g} um; p {p:.2g})"
    )
    return [
        Verdict(
            TIER,
            THINNEST,
            FAIL if bad else PASS,
            n_reference=counts[0],
            n_synthesized=counts[1],
            statistic=least,
            p=p,
            threshold={"p": MIN_P, "diameter": FAR_THINNER * limit},
            detail=detail,
            values={"thinner": thinner, "thinnest_reference": limit},
            **about,
        )
    ]


def chance_of_thinner(count: int, n_reference: int, n_synthesized: int) -> float:
    """The probability that the ``count`` cells with the thinnest branches are all synthesized."""
    places = np.arange(count)
    return float(np.prod((n_synthesized - places) / (n_reference + n_synthesized - places)))


def upright(
    reference: Sequence[ValidationCell],
    synthesized: Sequence[ValidationCell],
    mtype: str | None = None,
    inverted: bool = False,
) -> list[Verdict]:
    """The Verdict on how cells stand: most of the apical dendrites have to point to the pia.

    Args:
        reference: [ValidationCell], or none where there are only barcodes.
        synthesized: [ValidationCell].
        mtype, inverted: as of :class:`~region_grower_flow.validation.comparison.Comparison`.

    Returns:
        [Verdict], none without apical dendrites.
    """
    counts, shares = [], []
    for cells in (reference, synthesized):
        tilts = np.array([tilt for cell in cells if np.isfinite(tilt := apical_tilt(cell))])
        counts.append(len(tilts))
        shares.append(float(np.mean(tilts > UPSIDE_DOWN)) if len(tilts) else np.nan)
    if np.isnan(shares[1]):
        return []
    down = [share > 0.5 for share in shares]
    verdict, words = PASS, f"{1 - shares[1]:.0%} of the apical dendrites point to the pia"
    if inverted:
        words = f"{shares[1]:.0%} of the apical dendrites point away from the pia (inverted_mtypes)"
        verdict = PASS if down[1] else FAIL
    elif down[1]:
        verdict = FAIL
        words = f"the cells are upside down: {shares[1]:.0%} of the apical dendrites point away"
        if down[0]:
            words += (
                f", and {shares[0]:.0%} of the reconstructions' (see morphology_frame, or, where "
                "the mtype is inverted, inverted_mtypes)"
            )
    elif down[0]:
        verdict = NO_POWER
        words += f", but {shares[0]:.0%} of the reconstructions' point away from it"
    return [
        Verdict(
            TIER_OF_DIRECTIONS,
            UPRIGHT,
            verdict,
            mtype=mtype,
            neurite_type=APICAL,
            n_reference=counts[0],
            n_synthesized=counts[1],
            statistic=1 - shares[1],
            threshold=0.5,
            detail=words,
            values={"upside_down": shares[1], "upside_down_reference": shares[0]},
        )
    ]
