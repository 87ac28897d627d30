"""Topology: the barcodes of trees, as persistence images and by number and length of bars.

The unit is one tree; permutations and resamples take the trees of a cell together, as these are
alike. TMD reads the barcodes of cells (``get_persistence_diagram``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology
from region_grower_flow.validation import copies
from region_grower_flow.validation.cells import ValidationCell, of_type
from region_grower_flow.validation.clustered import compare_clustered
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.features import feature_verdicts
from region_grower_flow.validation.persistence import image_distances
from region_grower_flow.validation.statistics import (
    PERMUTATIONS,
    DistanceTest,
    FeatureTest,
    benjamini_hochberg,
    compare_distances,
)
from region_grower_flow.validation.threads import one_thread
from region_grower_flow.validation.verdict import (
    FAIL,
    MIN_REFERENCE_CELLS,
    NO_POWER,
    PASS,
    Verdict,
    too_few,
)

TIER = "topology"

RATIO, ENERGY = "image distance ratio", "energy distance"
"""The names of the tests on persistence images."""

MAX_RATIO = 1.05
"""Largest mean distance synthesized-reference over reference-reference that passes."""

MIN_P = 0.01
"""Corrected p-values below show a difference: of the energy distance, and of a ratio above 1.05."""

FILTRATION = "path_distances"
"""The metric along a tree, as of NeuroTS's default barcodes."""


Trees: TypeAlias = Sequence[np.ndarray]
"""The bars of each of some trees, (n, >= 2): end and start of a bar (um)."""


def barcodes(
    cell: ValidationCell, neurite_type: str, filtration: str = FILTRATION
) -> list[np.ndarray]:
    """The barcodes of the trees of one type of a cell.

    Args:
        cell: ValidationCell.
        neurite_type: a key of NEURITE_TYPES.
        filtration: of TMD, "path_distances" or "radial_distances".

    Returns:
        [(n, 2)]: for each tree the end and the start of its bars, in um from its root.
    """
    return cell.once(
        (TIER, neurite_type, filtration), lambda: _barcodes(cell, neurite_type, filtration)
    )


def _barcodes(cell: ValidationCell, neurite_type: str, filtration: str) -> list[np.ndarray]:
    from tmd.Topology.methods import get_persistence_diagram

    if NEURITE_TYPES[neurite_type] not in cell.morphology.types:
        return []
    morphology = of_type(cell.morphology, neurite_type)
    if filtration == "path_distances":
        morphology = straightened(morphology)
    neuron = ValidationCell(cell.name, morphology).tmd()
    return [
        np.array(get_persistence_diagram(tree, feature=filtration), dtype=float)
        for tree in getattr(neuron, neurite_type)
    ]


def straightened(morphology: FlatMorphology) -> FlatMorphology:
    """A FlatMorphology with sections of two points, which have the lengths of the sections.

    Its path distances are those of the morphology, and TMD needs a fiftieth of the time for them.
    """
    lengths = np.add.reduceat(np.append(morphology.steps, 0.0), morphology.offsets[:-1])
    ends = np.zeros((morphology.n_sections, 2, 3), dtype=np.float32)
    for section, (parent, length) in enumerate(zip(morphology.parents, lengths, strict=True)):
        ends[section, 0, 0] = 0.0 if parent < 0 else ends[parent, 1, 0]
        ends[section, 1, 0] = ends[section, 0, 0] + length
    return dataclasses.replace(
        morphology,
        points=ends.reshape(-1, 3),
        diameters=np.ones(2 * morphology.n_sections, dtype=np.float32),
        offsets=2 * np.arange(morphology.n_sections + 1),
    )


def cells_of_barcodes(distributions: Mapping[str, Any]) -> int | None:
    """The number of cells that the barcodes of distributions come from, None where unknown.

    Args:
        distributions: NeuroTS's distributions of a neurite type, whose number of trees is weighted
            by cells.
    """
    try:
        weights = np.asarray(distributions["num_trees"]["data"]["weights"], dtype=float)
    except (KeyError, TypeError, ValueError):
        return None
    whole = len(weights) and np.isfinite(weights).all() and (weights == np.rint(weights)).all()
    return int(weights.sum()) if whole else None


def untestable(
    counts: Sequence[int | None],
    kind: str,
    mtype: str | None,
    minimum: int = MIN_REFERENCE_CELLS,
    detail: str | None = None,
) -> list[Verdict]:
    """The verdicts on too few cells or trees: one for each test on images, none where all is well.

    Args:
        counts: (reference, synthesized) cells or trees; None where unknown.
        kind, mtype: for the verdicts.
        minimum: that is needed of each.
        detail: a better sentence than that of ``too_few``.
    """
    known = tuple(minimum if count is None else count for count in counts)
    about = {"mtype": mtype, "neurite_type": kind}
    found = [too_few(TIER, test, known, minimum, **about) for test in (RATIO, ENERGY)]
    counted: dict[str, Any] = {"n_reference": counts[0], "n_synthesized": counts[1]}
    return [
        dataclasses.replace(verdict, detail=detail or verdict.detail, **counted)
        for verdict in found
        if verdict
    ]


def bar_features(barcodes: Trees) -> dict[str, np.ndarray]:
    """{feature: (trees,)}: number of bars, their total length, the longest one (um)."""
    lengths = [np.abs(bars[:, 0] - bars[:, 1]) for bars in barcodes]
    return {
        "bars per tree": np.array([len(bars) for bars in lengths], dtype=float),
        "total bar length": np.array([bars.sum() for bars in lengths]),
        "longest bar": np.array([bars.max() for bars in lengths]),
    }


def compare(
    reference: Sequence[ValidationCell],
    synthesized: Sequence[ValidationCell],
    comparison: Comparison,
) -> list[Verdict]:
    """Compare the topology of two populations of one mtype.

    Args:
        reference, synthesized: the cells.
        comparison: its terms; as many trees as cells are needed on each side.

    Returns:
        For each neurite type the Verdicts on images, then those on the features of bars.
    """
    counts, kinds = (len(reference), len(synthesized)), comparison.neurite_types
    populations = [reference, synthesized, *([comparison.fitted] if comparison.fitted else [])]
    if min(counts) < comparison.minimum:
        found = [k for k in kinds if any(barcodes(c, k) for g in populations for c in g)]
        return [
            verdict
            for kind in found
            for verdict in untestable(counts, kind, comparison.mtype, comparison.minimum)
        ]
    trees = [
        {kind: [bars for cell in cells for bars in barcodes(cell, kind)] for kind in kinds}
        for cells in populations
    ]
    owners = [
        {kind: np.repeat(np.arange(len(cells)), _tree_counts(cells, kind)) for kind in kinds}
        for cells in populations
    ]
    fitted = trees[2] if comparison.fitted else None
    return compare_trees(trees[0], trees[1], comparison, owners, fitted)


def _tree_counts(cells: Sequence[ValidationCell], kind: str) -> list[int]:
    return [len(barcodes(cell, kind)) for cell in cells]


@one_thread
def compare_trees(
    reference: Mapping[str, Trees],
    synthesized: Mapping[str, Trees],
    comparison: Comparison,
    owners: Sequence[Mapping[str, np.ndarray]] | None = None,
    fitted: Mapping[str, Trees] | None = None,
) -> list[Verdict]:
    """Compare trees by their barcodes, e.g. those of distributions where there are no cells.

    Args:
        reference, synthesized: {neurite type: [(n, >= 2) bars of a tree]}; what follows end and
            start of a bar (its angles) is left out.
        comparison: its terms, of which the fitted cells are not looked at.
        owners: (reference, synthesized, fitted where given) {neurite type: (trees,) number of each
            tree's cell}; None where cells are not known: each tree counts as one, which finds more
            differences than there are.
        fitted: the trees of the cells that were fitted, where the reference are others.

    Returns:
        The Verdicts, as of :func:`compare`.
    """
    rng = np.random.default_rng(comparison.seed)
    mtype, minimum = comparison.mtype, comparison.minimum
    image_tests, feature_tests, verdicts = {}, {}, []
    for kind in comparison.neurite_types:
        trees = _plain(reference.get(kind, [])), _plain(synthesized.get(kind, []))
        counts = tuple(map(len, trees))
        if max(counts) == 0:
            continue
        cells = _owners(owners, kind, counts)
        n_cells = tuple(len(np.unique(of_trees)) for of_trees in cells[:2])
        if min(n_cells) < minimum:
            detail = _few_words(n_cells, minimum, kind, owners is None)
            verdicts += untestable(n_cells, kind, mtype, minimum, detail)
            continue
        if fitted is not None and len(np.unique(cells[2])) >= copies.MIN_FITTED:
            known = _plain(fitted[kind])
            image_tests[kind] = counts, _above_floor(trees, known, cells, rng)
            feature_tests[kind] = _feature_tests((*trees, known), cells, rng, minimum)
            continue
        image_tests[kind] = counts, compare_distances(image_distances(*trees), cells[:2], rng)
        feature_tests[kind] = _feature_tests(trees, cells[:2], rng, minimum)
    of_features = feature_verdicts(TIER, mtype, feature_tests, minimum)
    for kind, of_images in _image_verdicts(image_tests, mtype).items():
        verdicts += [*of_images, *(v for v in of_features if v.neurite_type == kind)]
    return verdicts


def _above_floor(
    trees: Sequence[Trees], fitted: Trees, cells: Sequence[np.ndarray], rng: np.random.Generator
) -> DistanceTest:
    """The DistanceTest of reference and synthesized trees above the floor of copies."""
    sizes = tuple(map(len, trees))
    own = (np.arange(sum(sizes)) < sizes[0])[None].astype(float)
    found = copies.energies_and_ratios(image_distances(*trees), own, 1 - own)
    return copies.compare_distances(
        [values[0] for values in found],
        image_distances(trees[0], fitted),
        (cells[0], cells[2]),
        len(np.unique(cells[1])),
        rng,
        PERMUTATIONS,
    )


def _feature_tests(
    trees: Sequence[Trees], cells: Sequence[np.ndarray], rng: np.random.Generator, minimum: int
) -> list[FeatureTest]:
    tables = [bar_features(group) for group in trees]
    compare_one = compare_clustered if len(trees) == 2 else copies.compare
    return [
        compare_one(name, tuple(table[name] for table in tables), cells, rng, minimum)
        for name in tables[0]
    ]


def _image_verdicts(
    tests: Mapping[str, tuple[tuple[int, ...], DistanceTest]], mtype: str | None
) -> dict[str, list[Verdict]]:
    """{neurite type: [Verdict]} of {neurite type: (numbers of trees, DistanceTest)}."""
    of_ratio, of_energy = (
        benjamini_hochberg([getattr(found, name) for _, found in tests.values()]).tolist()
        for name in ("ratio_p", "p")
    )
    verdicts = {}
    for place, (kind, (counts, found)) in enumerate(tests.items()):
        about: dict[str, Any] = {"mtype": mtype, "neurite_type": kind}
        about |= {"n_reference": counts[0], "n_synthesized": counts[1]}
        verdicts[kind] = [
            _of_ratio(found, of_ratio[place], about),
            _of_energy(found, of_energy[place], about),
        ]
    return verdicts


def _plain(barcodes: Trees) -> list[np.ndarray]:
    return [np.asarray(bars, dtype=float)[:, :2] for bars in barcodes if len(bars)]


def _owners(
    owners: Sequence[Mapping[str, np.ndarray]] | None, kind: str, counts: Sequence[int]
) -> tuple[np.ndarray, ...]:
    if owners is None:
        return tuple(map(np.arange, counts))
    return tuple(np.asarray(group.get(kind, []), dtype=int) for group in owners)


def _few_words(counts: Sequence[int], minimum: int, kind: str, of_trees: bool) -> str:
    what = "trees" if of_trees else f"cells with {kind.replace('_', ' ')}s"
    return (
        f"{counts[0]} reference and {counts[1]} synthesized {what}, where at least {minimum}"
        " of each are needed"
    )


def _of_ratio(found: DistanceTest, p_adjusted: float, about: Mapping[str, Any]) -> Verdict:
    detail = (
        f"synthesized trees are {found.ratio:.3f} times as far from reference trees as these are"
        " from each other"
    )
    verdict = PASS
    if found.ratio > MAX_RATIO:
        differs = p_adjusted < MIN_P
        verdict = FAIL if differs else NO_POWER
        if not differs:
            detail += ", but so few cells may be by chance"
        detail += f" (corrected p {p_adjusted:.2g})"
    return Verdict(
        TIER,
        RATIO,
        verdict,
        statistic=found.ratio,
        p=found.ratio_p,
        p_adjusted=p_adjusted,
        threshold={"ratio": MAX_RATIO, "p_adjusted": MIN_P},
        detail=detail,
        values={"null95": found.ratio_null95},
        **about,
    )


def _of_energy(found: DistanceTest, p_adjusted: float, about: Mapping[str, Any]) -> Verdict:
    differs = p_adjusted < MIN_P
    detail = (
        "the barcodes of synthesized and reference trees are distributed differently"
        if differs
        else "the barcodes show no difference between synthesized and reference trees"
    )
    return Verdict(
        TIER,
        ENERGY,
        FAIL if differs else PASS,
        statistic=found.energy,
        p=found.p,
        p_adjusted=p_adjusted,
        threshold={"p_adjusted": MIN_P},
        detail=f"{detail} (corrected p {p_adjusted:.2g})",
        **about,
    )
