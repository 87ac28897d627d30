"""The choice of each cell's axon: donors weighted by their scores, by the cell's own draw.

The candidates of a cell are the donors of its mtype, in the order of their names, each with each
scale. Candidate c has the weight (score_c * bias(scale_c)) ** alpha, and 0 when its score is 0.
The cell takes the candidate at which the running sum of weights passes the cell's number (uniform,
from the seed and the cell's id, see :mod:`.draws`) times their total. At random all scores are 1.

So the choice of a cell depends on no other cell: a slice that remembers its cells' ids
(``original_id``) gets the same axons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from region_grower_flow.errors import InvalidInput, some
from region_grower_flow.io.table import CellTable
from region_grower_flow.placement.donors import AxonHeights, Donor, Home
from region_grower_flow.placement.draws import cell_draws
from region_grower_flow.placement.rules import Rules, rule_scores, without_intervals
from region_grower_flow.placement.scores import (
    Places,
    home_shares,
    layer_scores,
    limit_scores,
    scale_weight,
)

RANDOM, LAYERS, RULES = "random", "layers", "rules"

Donors: TypeAlias = Mapping[str, Sequence[Donor]]
"""{mtype: its donors}."""

Scorer: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""Function that scores rows of a cell table: (n, donors, scales)."""
NO_DONOR = "no donor of the mtype"
NO_FIT = "no donor fits"
BLOCK = 1 << 21
"""Scores that are held in memory at a time."""


@dataclass(frozen=True)
class ChoiceSettings:
    """Settings of the choice of donors.

    Attributes:
        mode: "random", "layers" or "rules".
        seed: of the cells' draws.
        alpha: the power of the scores.
        scales: scales that are tried, None: not scaled.
        bias: "uniform", "linear" or "gaussian".
        tolerance: um above the pia at which a score is 0 (mode "layers").
        limits_only: of rules only the strict ones count.
    """

    mode: str = RANDOM
    seed: int = 0
    alpha: float = 1.0
    scales: tuple[float, ...] | None = None
    bias: str = "linear"
    tolerance: float = 30.0
    limits_only: bool = False


@dataclass(frozen=True)
class Knowledge:
    """Inputs of the scores, besides the cells (all empty for a random choice).

    Attributes:
        heights: {donor: AxonHeights}.
        home: Home of the donors.
        columns: {synthesis region: {layer: thickness in um}} of the region structure.
        rules: Rules.
        annotations: {donor: {rule: (lowest, highest)}}.
    """

    heights: dict[str, AxonHeights] = field(default_factory=dict)
    home: Home = field(default_factory=Home)
    columns: dict[str, dict[str, float]] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    annotations: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)


@dataclass
class AxonChoice:
    """The choice for N cells.

    Attributes:
        names: (N,) object, the donor of each cell, or None.
        scales: (N,) float64, NaN where there is no donor; None when nothing is scaled.
        scores: (N,) float64, the chosen donor's score with its bias, NaN without donor or score.
        best: (N,) float64, the highest score of any candidate.
        reasons: (N,) object, why a cell has no donor, or None.
        unscored: rows whose region has no layers: their donors are random.
        donors: list of dicts, one per donor and mtype: mtype, morphology, cells, chosen,
            mean_score (over the cells of the mtype, highest of the scales).
    """

    names: np.ndarray
    scales: np.ndarray | None
    scores: np.ndarray
    best: np.ndarray
    reasons: np.ndarray
    unscored: int = 0
    donors: list[dict[str, Any]] = field(default_factory=list)


def choose_axons(
    mtypes: np.ndarray,
    ids: np.ndarray,
    donors: Donors,
    settings: ChoiceSettings,
    table: CellTable | None = None,
    knowledge: Knowledge | None = None,
) -> AxonChoice:
    """Choose an axon for each cell.

    Args:
        mtypes: (N,) of the cells.
        ids: (N,) whole numbers that the cells' draws belong to.
        donors: {mtype: [Donor]}.
        settings: ChoiceSettings.
        table: CellTable of the cells, for scores.
        knowledge: Knowledge, for scores.

    What scores need must be there, see :func:`knowledge_problems`.

    Returns:
        AxonChoice.
    """
    mtypes = np.asarray(mtypes, dtype=object)
    draws = cell_draws(ids, settings.seed, "axon")
    choice = _empty(len(mtypes), settings)
    rows_of = _rows_by_value(mtypes)
    for mtype in sorted(rows_of):
        rows = rows_of[mtype]
        candidates = _Candidates(donors.get(mtype, []), settings)
        if not candidates.donors:
            choice.reasons[rows] = NO_DONOR
            continue
        sums = np.zeros(len(candidates.donors))
        for part, scorer in _parts(rows, mtype, candidates, settings, table, knowledge):
            choice.unscored += len(part) if scorer is None and settings.mode != RANDOM else 0
            step = max(1, BLOCK // candidates.count)
            for i in range(0, len(part), step):
                block = part[i : i + step]
                sums += candidates.choose(choice, block, draws[block], scorer)
        choice.donors += _donor_rows(mtype, candidates, rows, sums, choice)
    return choice


class _Candidates:
    """The donors of an mtype with all scales, and the choice among them."""

    def __init__(self, donors: Sequence[Donor], settings: ChoiceSettings) -> None:
        self.donors, self.alpha = donors, settings.alpha
        self.scales = settings.scales or (1.0,)
        self.count = len(donors) * len(self.scales)
        self._bias = np.array([scale_weight(scale, settings.bias) for scale in self.scales])

    def choose(
        self, choice: AxonChoice, rows: np.ndarray, draws: np.ndarray, scorer: Scorer | None
    ) -> np.ndarray:
        """Choose for the cells of ``rows``; returns the sum of each donor's best scores.

        ``scorer`` gives the (n, donors, scales) scores of rows; None: all are 1.
        """
        shape = (len(rows), len(self.donors), len(self.scales))
        scores = np.ones(shape) if scorer is None else scorer(rows)
        scores = scores * self._bias
        flat = scores.reshape(len(rows), -1)
        weights = np.where(flat > 0, np.power(flat, self.alpha), 0.0)
        sums = np.cumsum(weights, axis=1)
        fits = sums[:, -1] > 0
        found = (sums <= (draws * sums[:, -1])[:, np.newaxis]).sum(axis=1)
        # Rounding may reach the last sum: then the last candidate with a weight is meant.
        last = weights.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
        found = np.minimum(found, last)
        names = np.array([donor.name for donor in self.donors], dtype=object)
        taken, scale = np.divmod(found, len(self.scales))
        choice.names[rows] = np.where(fits, names[taken], None)  # type: ignore[call-overload]
        choice.reasons[rows] = np.where(fits, None, NO_FIT)  # type: ignore[call-overload]
        if choice.scales is not None:
            choice.scales[rows] = np.where(fits, np.array(self.scales)[scale], np.nan)
        if scorer is None:
            return np.zeros(len(self.donors))
        chosen = np.take_along_axis(flat, found[:, np.newaxis], axis=1)[:, 0]
        choice.scores[rows] = np.where(fits, chosen, np.nan)
        choice.best[rows] = flat.max(axis=1)
        return scores.max(axis=2).sum(axis=0)


def _parts(
    rows: np.ndarray,
    mtype: str,
    candidates: _Candidates,
    settings: ChoiceSettings,
    table: CellTable | None,
    knowledge: Knowledge | None,
) -> Iterator[tuple[np.ndarray, Scorer | None]]:
    """(rows, what scores them or None) of the cells of an mtype, by their regions."""
    if settings.mode == RANDOM:
        yield rows, None
        return
    assert table is not None, "scores need it"
    assert knowledge is not None, "scores need it"
    for region, inside in sorted(_rows_by_value(table.synthesis_regions[rows]).items()):
        part = rows[inside]
        if table.layer_counts[part[0]] == 0:
            yield part, None
            continue
        yield part, _scorer(region, mtype, candidates, settings, table, knowledge)


def _scorer(
    region: str,
    mtype: str,
    candidates: _Candidates,
    settings: ChoiceSettings,
    table: CellTable,
    knowledge: Knowledge,
) -> Scorer:
    """A function that scores rows of the table: (n, donors, scales)."""
    columns = knowledge.columns[region]
    layers = [str(layer).removeprefix("L") for layer in columns]

    def by_layers(donor: Donor, scale: float, places: Places) -> np.ndarray:
        heights = knowledge.heights[donor.name]
        limit = limit_scores(scale * heights.top, places.depths, settings.tolerance)
        return limit * layer_scores(heights, homes[donor.name], places, scale)

    def by_rules(donor: Donor, scale: float, places: Places) -> np.ndarray:
        return rule_scores(rules, knowledge.annotations[donor.name], places, layers, scale)

    if settings.mode == LAYERS:
        homes = {donor.name: home_of(donor, columns, knowledge) for donor in candidates.donors}
        score = by_layers
    else:
        rules = knowledge.rules.of(mtype)
        rules = without_intervals(rules) if settings.limits_only else rules
        score = by_rules

    def scorer(rows: np.ndarray) -> np.ndarray:
        places = Places(table.depths[rows], table.layer_depths[rows, : len(columns) + 1])
        scores = np.empty((len(rows), len(candidates.donors), len(candidates.scales)))
        for i, donor in enumerate(candidates.donors):
            for j, scale in enumerate(candidates.scales):
                scores[:, i, j] = score(donor, scale, places)
        # A cell where the atlas has no value fits nothing.
        return np.nan_to_num(scores, nan=0.0)

    return scorer


def home_of(donor: Donor, columns: Mapping[str, float], knowledge: Knowledge) -> np.ndarray:
    """(L + 1,) shares of a donor's axon at home, NaN when its soma's depth is not known.

    Args:
        donor: Donor.
        columns: {layer: thickness} of the region that it is for.
        knowledge: Knowledge.
    """
    own = knowledge.home.thicknesses or columns
    depth = knowledge.home.soma_depth(donor, own)
    return home_shares(knowledge.heights[donor.name], depth, list(own.values()))


def knowledge_problems(
    mtypes: np.ndarray,
    donors: Donors,
    settings: ChoiceSettings,
    table: CellTable,
    knowledge: Knowledge,
) -> list[InvalidInput]:
    """Inputs that the scores need and that are not there, as a list of InvalidInput."""
    used = [d for mtype in sorted(set(mtypes.tolist())) for d in donors.get(mtype, [])]
    regions = sorted(set(table.synthesis_regions[table.layer_counts > 0].tolist()))
    if settings.mode == RULES:
        return _rule_problems(used, regions, knowledge)
    problems: list[InvalidInput] = []
    lost: dict[str, Donor] = {}
    for region in regions:
        columns = knowledge.columns[region]
        own = knowledge.home.thicknesses
        if own is not None and len(own) != len(columns):
            text = f"the home column has {len(own)} layers, the region {region!r} {len(columns)}"
            problems.append(InvalidInput(text, "option axon_home"))
            continue
        for donor in used:
            if np.isnan(home_of(donor, columns, knowledge)).any():
                lost[donor.name] = donor
    if lost:
        names = some(f"{d.name} (layer {d.layer or 'not given'})" for d in lost.values())
        problems.append(
            InvalidInput(
                f"the depth of the soma of {len(lost)} donors in their home column is not known, "
                f"or their axons are above it: {names}",
                "option axon_donors",
                "give their layers in the table, or soma_depths in axon_home",
            )
        )
    return problems


def _rule_problems(
    used: Sequence[Donor], regions: Sequence[str], knowledge: Knowledge
) -> list[InvalidInput]:
    problems = []
    without = [donor.name for donor in used if donor.name not in knowledge.annotations]
    if without:
        text = f"{len(without)} donors have no annotation ({some(without)})"
        problems.append(InvalidInput(text, "option placement_annotations"))
    for region in regions:
        known = {str(layer).removeprefix("L") for layer in knowledge.columns[region]}
        unknown = sorted(knowledge.rules.layers() - known)
        if unknown:
            text = f"the region {region!r} has no layer {some(unknown)}, which rules refer to"
            problems.append(InvalidInput(text, "option placement_rules"))
    return problems


def _empty(count: int, settings: ChoiceSettings) -> AxonChoice:
    return AxonChoice(
        names=np.full(count, None, dtype=object),
        scales=np.full(count, np.nan) if settings.scales else None,
        scores=np.full(count, np.nan),
        best=np.full(count, np.nan),
        reasons=np.full(count, None, dtype=object),
    )


def _donor_rows(
    mtype: str, candidates: _Candidates, rows: np.ndarray, sums: np.ndarray, choice: AxonChoice
) -> list[dict[str, Any]]:
    taken = Counter(choice.names[rows].tolist())
    scored = int(np.isfinite(choice.best[rows]).sum())
    return [
        {
            "mtype": mtype,
            "morphology": donor.name,
            "cells": len(rows),
            "chosen": taken[donor.name],
            "mean_score": round(float(total) / scored, 6) if scored else None,
        }
        for donor, total in zip(candidates.donors, sums, strict=True)
    ]


def _rows_by_value(values: np.ndarray) -> dict[str, np.ndarray]:
    """{value: rows} of an object array."""
    import pandas as pd

    return dict(pd.Series(np.arange(len(values))).groupby(values).indices)
