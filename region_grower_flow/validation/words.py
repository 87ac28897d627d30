"""A validation of an mtype in one sentence, in a biologist's words.

What agrees, what differs and by how much, and how sure that is with so many reconstructions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from region_grower_flow.errors import counted
from region_grower_flow.validation.body import DIRECTION, SOMA, THINNEST, UPRIGHT
from region_grower_flow.validation.verdict import (
    FAIL,
    MIN_REFERENCE_CELLS,
    NO_POWER,
    NOT_TESTABLE,
    PASS,
)

MOST_DIFFERENCES = 4
"""Differences that a sentence names, the largest first."""

_NO_TEST = "No test: "
_FEATURES = {
    "trees": ("numbers", "fewer trees", "more trees"),
    "sections": ("numbers", "fewer branches", "more branches"),
    "bifurcations": ("numbers", "fewer branchings", "more branchings"),
    "tips": ("numbers", "fewer tips", "more tips"),
    "total length": ("length", "less cable", "more cable"),
    "area": ("length", "less membrane", "more membrane"),
    "mean path distance": ("reach", "tips nearer along the branches", "tips farther along them"),
    "maximum path distance": ("reach", "a shorter longest path", "a longer longest path"),
    "mean radial distance": ("reach", "tips nearer to the soma", "tips farther from the soma"),
    "maximum radial distance": ("reach", "a smaller reach", "a larger reach"),
    "mean branch order": ("branching", "lower branch orders", "higher branch orders"),
    "maximum branch order": ("branching", "a lower highest order", "a higher highest order"),
    "mean partition asymmetry": ("branching", "more even branching", "more uneven branching"),
    "mean remote angle": ("branching", "narrower branching angles", "wider branching angles"),
    "mean tortuosity": ("tortuosity", "straighter branches", "more winding branches"),
    "extent along x": ("reach", "less width", "more width"),
    "extent along y": ("reach", "less height", "more height"),
    "extent along z": ("reach", "less depth", "more depth"),
    "mean diameter": ("thickness", "thinner branches", "thicker branches"),
    "maximum diameter": ("thickness", "thinner trunks", "thicker trunks"),
    SOMA: ("soma size", "smaller somata", "larger somata"),
    DIRECTION: (
        "apical direction",
        "apical dendrites more upright",
        "apical dendrites tilted more",
    ),
}
"""{feature: (what it belongs to, words for less, words for more)}."""

_UNITS = {"distance": " um", "length": " um", "extent": " um", "diameter": " um", "radius": " um"}
_DEGREES = {"mean remote angle": 180 / np.pi, DIRECTION: 1.0}


def is_test(text: str) -> bool:
    """False for the sentence on an mtype that could not be tested, and of which that is all."""
    return not text.startswith(_NO_TEST)


def sentence(verdicts: Sequence[Mapping[str, Any]], population: Mapping[str, Any]) -> str:
    """One sentence on an mtype.

    Args:
        verdicts: dicts of results (of one part and mtype).
        population: {"n_reference", "n_synthesized", "reference"} of the results.

    Returns:
        Text that ends with a full stop.
    """
    count: Any = population.get("n_reference")
    grown = population.get("n_synthesized") or 0
    if population.get("reference") == "barcodes":
        return _of_barcodes(verdicts)
    if (count or 0) < MIN_REFERENCE_CELLS or grown < MIN_REFERENCE_CELLS:
        down = [v for v in verdicts if v["test"] == UPRIGHT and v["verdict"] == FAIL]
        return (
            f"{'The cells are UPSIDE DOWN. ' if down else ''}"
            f"{_NO_TEST}{counted(count or 0, 'reconstruction')} and "
            f"{counted(grown, 'grown cell')}, where at least "
            f"{MIN_REFERENCE_CELLS} of each are needed; the figures show both side by side, and "
            "what they show may be chance."
        )
    features = [v for v in verdicts if v["test"] in _FEATURES]
    agreement, differences = _agreement(features, count), _differences(features)
    if agreement and differences:
        agreement = f"{agreement}; but it has {differences}"
    elif differences:
        agreement = f"differs from {count} reconstructions in all that is measured: {differences}"
    parts = [agreement, _further(verdicts), _certainty(features, count)]
    text = "; ".join(part for part in parts if part) or "none of its features can be tested"
    return f"{text[0].upper()}{text[1:]}."


def _of_barcodes(verdicts: Sequence[Mapping[str, Any]]) -> str:
    found = [v for v in verdicts if v["tier"] in ("topology", "trunks")]
    wrong = [v for v in found if v["verdict"] == FAIL]
    which = f": {', '.join(sorted({v['test'] for v in wrong}))}" if wrong else ""
    return (
        f"Compared with barcodes only (no shapes, sizes or directions): {len(wrong)} of "
        f"{len(found)} tests differ{which}."
    )


def _agreement(features: Sequence[Mapping[str, Any]], count: int) -> str:
    groups: dict[str, set[str]] = {}
    for verdict in features:
        groups.setdefault(_FEATURES[verdict["test"]][0], set()).add(verdict["verdict"])
    # What no test can tell is no agreement.
    same = [g for g, found in groups.items() if PASS in found and found <= {PASS, NOT_TESTABLE}]
    unseen = [g for g, found in groups.items() if NO_POWER in found and FAIL not in found]
    parts = [f"agrees with {count} reconstructions in {_listed(same)}"] if same else []
    if unseen:
        against = "" if same else f" to {count} reconstructions"
        parts.append(f"no difference{against} is seen in {_listed(unseen)}")
    return ", ".join(parts)


def _differences(features: Sequence[Mapping[str, Any]]) -> str | None:
    wrong = sorted(
        (v for v in features if v["verdict"] == FAIL), key=lambda v: -abs(v["statistic"] or 0)
    )
    if not wrong:
        return None
    several = len({v["neurite_type"] for v in features if v["neurite_type"]}) > 1
    named = [_difference(v, several) for v in wrong[:MOST_DIFFERENCES]]
    left = len(wrong) - len(named)
    more = f", and {left} more differences" if left else ""
    return f"{', '.join(named)}{more}"


def _difference(verdict: Mapping[str, Any], several: bool) -> str:
    _, less, more = _FEATURES[verdict["test"]]
    values, shift = verdict.get("values") or {}, verdict["statistic"] or 0.0
    kind = (verdict["neurite_type"] or "").removesuffix("_dendrite")
    where = f"{kind}: " if several and kind else ""
    words = f"{where}{more if shift > 0 else less}"
    if shift == 0.0:
        words = f"{where}another spread of {verdict['test']}"
    medians: list[Any] = [values.get(f"median_{side}") for side in ("synthesized", "reference")]
    if None in medians:
        return words
    grown, real = (_number(verdict["test"], value) for value in medians)
    return f"{words} ({grown} instead of {real}, {shift:+.1f} spreads)"


def _number(test: str, value: float) -> str:
    if test in _DEGREES:
        return f"{value * _DEGREES[test]:.0f} degrees"
    if test == "area":
        return f"{value:.3g} um2"
    unit = next((unit for word, unit in _UNITS.items() if word in test), "")
    return f"{value:.3g}{unit}" if unit != "" or value < 1000 else f"{value:.0f}"


def _further(verdicts: Iterable[Mapping[str, Any]]) -> str:
    """Results of other tiers, where they fail."""
    words = []
    for verdict in verdicts:
        test, wrong = verdict["test"], verdict["verdict"] == FAIL
        if test == UPRIGHT and wrong:
            words.append("the cells are UPSIDE DOWN")
        elif test == THINNEST and wrong:
            words.append(f"some branches are thinner than any reconstructed ({_um(verdict)})")
        elif verdict["tier"] == "classifier" and verdict["statistic"] is not None:
            share = f"{verdict['statistic']:.0%}"
            words.append(
                f"a classifier cannot tell them apart ({share} right)"
                if verdict["verdict"] == PASS
                else f"a classifier tells {share} of the cells right"
                + ("" if wrong else ", which may be chance")
            )
    trunks = [v for v in verdicts if v["tier"] == "trunks" and v["verdict"] == FAIL]
    kinds = sorted({(v["neurite_type"] or "").removesuffix("_dendrite") for v in trunks})
    if any(v["test"].endswith(("angle", "trunks", "dendrite")) for v in trunks):
        words.insert(0, f"the {_listed(kinds)} trees leave the soma in other directions")
    return ", ".join(words)


def _um(verdict: Mapping[str, Any]) -> str:
    return f"{verdict['statistic']:.2g} um"


def _certainty(features: Sequence[Mapping[str, Any]], count: int) -> str | None:
    widths = [
        (v["interval"][1] - v["interval"][0]) / 2
        for v in features
        if v["interval"] and None not in v["interval"]
    ]
    if not widths:
        return None
    return (
        f"with {count} reconstructions, differences below about {np.median(widths):.1f} times the "
        "spread between cells cannot be seen"
    )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
