"""Morphometrics: the features of a cell's dendrites or axon, one value per cell, with NeuroM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from region_grower_flow.calibration.ways import Ways
from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology
from region_grower_flow.validation.cells import ValidationCell, count_with
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.features import FEATURES as FEATURES_TEST
from region_grower_flow.validation.features import feature_tests, feature_verdicts, overall
from region_grower_flow.validation.threads import one_thread
from region_grower_flow.validation.verdict import FAIL, Verdict, too_few

TIER = "morphometrics"


class Feature(NamedTuple):
    """A feature of the trees of one type of a cell.

    Attributes:
        name: as users read it.
        unit: "", "um", "um2" or "rad".
        power: how it grows with the size of the cell: a cell twice as large has 2 ** power times
            the value.
        of_none: its value for a cell without such trees: 0, or NaN where there is no value.
    """

    name: str
    unit: str = ""
    power: int = 0
    of_none: float = float("nan")


FEATURES = (
    Feature("trees", of_none=0),
    Feature("sections", of_none=0),
    Feature("bifurcations", of_none=0),
    Feature("tips", of_none=0),
    Feature("total length", "um", 1, 0),
    Feature("area", "um2", 2, 0),
    Feature("mean path distance", "um", 1),
    Feature("maximum path distance", "um", 1),
    Feature("mean radial distance", "um", 1),
    Feature("maximum radial distance", "um", 1),
    Feature("mean branch order", ""),
    Feature("maximum branch order", ""),
    Feature("mean partition asymmetry", ""),
    Feature("mean remote angle", "rad"),
    Feature("mean tortuosity", ""),
    Feature("extent along x", "um", 1),
    Feature("extent along y", "um", 1),
    Feature("extent along z", "um", 1),
    Feature("mean diameter", "um", 1),
    Feature("maximum diameter", "um", 1),
)
"""All features, in order. Means are over the tips (distances), sections (orders, tortuosity),
bifurcations (asymmetry, angles) or, weighted by length, the segments (diameter)."""

NAMES = tuple(feature.name for feature in FEATURES)


def measure(cell: ValidationCell, neurite_type: str) -> np.ndarray:
    """The features of one neurite type of a cell.

    Args:
        cell: ValidationCell.
        neurite_type: a key of NEURITE_TYPES.

    Returns:
        (F,) in the order of FEATURES. What the cell does not have (angles of a cell without
        bifurcations) is NaN; a true zero is 0.
    """
    return cell.once((TIER, neurite_type), lambda: _measure(cell, neurite_type))


def _measure(cell: ValidationCell, neurite_type: str) -> np.ndarray:
    """(FEATURES,) of the trees of a type, those of none where the cell has no such tree."""
    import neurom
    from neurom import NeuriteType

    if NEURITE_TYPES[neurite_type] not in cell.morphology.types:
        return np.array([feature.of_none for feature in FEATURES])
    neuron = cell.neurom(neurite_type)
    kind = NeuriteType[neurite_type]

    def of(name: str) -> np.ndarray:
        return np.asarray(neurom.get(name, neuron, neurite_type=kind), dtype=float)

    # NeuroM's terminal_path_lengths, each section measured once.
    trees = [Ways.of(tree) for tree in neuron.neurites if tree.type == kind]
    paths = np.array([way.paths[leaf] for way in trees for leaf in way.leaves], dtype=float)
    distances = of("section_term_radial_distances")
    orders = of("section_branch_orders")
    lengths, diameters = of("segment_lengths"), 2 * of("segment_radii")
    return np.array(
        [
            of("number_of_neurites"),
            of("number_of_sections"),
            of("number_of_bifurcations"),
            of("number_of_leaves"),
            of("total_length"),
            _area(cell.morphology, NEURITE_TYPES[neurite_type]),
            _mean(paths),
            paths.max(),
            _mean(distances),
            distances.max(),
            _mean(orders),
            orders.max(),
            _mean(of("partition_asymmetry")),
            _mean(of("remote_bifurcation_angles")),
            _mean(of("section_tortuosity")),
            *_extents(cell.morphology, NEURITE_TYPES[neurite_type]),
            np.sum(diameters * lengths) / lengths.sum() if lengths.sum() > 0 else np.nan,
            diameters.max(),
        ],
        dtype=float,
    )


def _area(morphology: FlatMorphology, kind: int) -> float:
    """The lateral area (um2) of the segments, as NeuroM's total_area but for all at once."""
    points, radii = morphology.points.astype(float), morphology.diameters.astype(float) / 2
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    slants = np.hypot(lengths, np.diff(radii))
    areas = np.pi * (radii[1:] + radii[:-1]) * slants
    section = np.repeat(np.arange(morphology.n_sections), np.diff(morphology.offsets))
    inside = (section[1:] == section[:-1]) & (morphology.types[section[1:]] == kind)
    return areas[inside].sum()


def _extents(morphology: FlatMorphology, kind: int) -> np.ndarray:
    """Extents along x, y and z (um), as NeuroM's total_width, total_height and total_depth."""
    section = np.repeat(np.arange(morphology.n_sections), np.diff(morphology.offsets))
    points = morphology.points[morphology.types[section] == kind].astype(float)
    return points.max(axis=0) - points.min(axis=0)


def _mean(values: np.ndarray) -> float:
    """The mean of the finite values (a section that closes on itself has no tortuosity)."""
    values = values[np.isfinite(values)]
    return values.mean() if len(values) else np.nan


def table(cells: Sequence[ValidationCell], neurite_type: str) -> dict[str, np.ndarray]:
    """{feature: (n,) values, one per cell} of a population."""
    values = np.array([measure(cell, neurite_type) for cell in cells]).reshape(-1, len(NAMES))
    return dict(zip(NAMES, values.T, strict=True))


def rows(
    populations: Mapping[str, Sequence[ValidationCell]], neurite_types: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Rows (dicts) of the features of some populations: one per cell and neurite type.

    Args:
        populations: {name: [ValidationCell]}.
        neurite_types: keys of NEURITE_TYPES.

    Yields:
        {population, cell, neurite_type, then a value per feature} (NaN: it has none).
    """
    for population, cells in populations.items():
        for kind in neurite_types:
            columns = table(cells, kind)
            for place, cell in enumerate(cells):
                about = {"population": population, "cell": cell.name, "neurite_type": kind}
                yield about | {name: float(values[place]) for name, values in columns.items()}


@one_thread
def compare(
    reference: Sequence[ValidationCell],
    synthesized: Sequence[ValidationCell],
    comparison: Comparison,
) -> list[Verdict]:
    """Compare the morphometrics of two populations of one mtype.

    Args:
        reference, synthesized: the cells.
        comparison: its terms.

    Returns:
        For each neurite type the Verdicts on its features, then ``features`` on all of them. A
        type that neither population has gives none.
    """
    mtype, minimum, fitted = comparison.mtype, comparison.minimum, comparison.fitted
    counts = len(reference), len(synthesized)
    both = [*reference, *synthesized]
    found = [kind for kind in comparison.neurite_types if count_with(both, kind)]
    if min(counts) < minimum:
        few = [
            too_few(TIER, FEATURES_TEST, counts, minimum, mtype=mtype, neurite_type=kind)
            for kind in found
        ]
        return [verdict for verdict in few if verdict]
    rng = np.random.default_rng(comparison.seed)

    def verdicts_on(cells: Sequence[ValidationCell]) -> list[Verdict]:
        tests = {
            kind: feature_tests(
                table(reference, kind),
                table(cells, kind),
                rng,
                minimum,
                table(fitted, kind) if fitted else None,
            )
            for kind in found
        }
        return feature_verdicts(TIER, mtype, tests, minimum)

    verdicts, floor = verdicts_on(synthesized), {}
    if fitted:  # how many features copies of the fitted cells fail
        copies = [fitted[place] for place in rng.integers(len(fitted), size=len(synthesized))]
        failed = [v.neurite_type for v in verdicts_on(copies) if v.verdict == FAIL]
        floor = {kind: failed.count(kind) for kind in found}
    result = []
    for kind in found:
        of_kind = [verdict for verdict in verdicts if verdict.neurite_type == kind]
        result += [*of_kind, overall(of_kind, TIER, mtype, kind, floor.get(kind))]
    return result
