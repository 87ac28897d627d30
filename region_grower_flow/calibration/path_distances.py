"""Length of the path to a dendrite's farthest tip for the height that it spans.

Synthesis stretches barcodes until a dendrite reaches its target layer. It knows the height to
span (the *extent*, um along the axis that points to the pia), and needs the path length that goes
with it: a line through the origin, fitted to the reference trees of each mtype and neurite type.

Mirrors synthesis_workflow.fit_utils: the extent is the greatest value of TMD's feature
``projection``, the path length that of ``path_distances``; trees whose error is above the 90th
percentile of all errors are left out of a second fit. What differs: least squares in closed form
(``curve_fit`` stops within about 1e-9 of it), cells without such a tree are left out rather than
ending the fit of their mtype, and number, residuals and R2 are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from region_grower_flow.calibration.mending import open_as_used
from region_grower_flow.calibration.morphologies import DENDRITES
from region_grower_flow.calibration.populations import Population
from region_grower_flow.errors import InvalidInput

OUTLIER_PERCENTILE = 90
FIRST, ALL = "first", "all"
TREES = (FIRST, ALL)
"""Trees of a cell that count: the first of its type in the file, as in the reference, or all."""


@dataclass(frozen=True)
class PathFit:
    """A fit of path distances against extents.

    Attributes:
        extents: (N,) um, of the trees in their order.
        path_distances: (N,) um.
        used: (N,) whether the final fit uses the tree.
        slope: of the line through the origin; None when there is no tree or no extent.
        r2: share of the variance of the used trees that the line explains; None for fewer than 2.
    """

    extents: np.ndarray
    path_distances: np.ndarray
    used: np.ndarray
    slope: float | None
    r2: float | None

    @property
    def residuals(self) -> np.ndarray:
        """(N,) um: path distances minus the line's."""
        return self.path_distances - (self.slope or 0.0) * self.extents

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: the fit and its data."""
        used = self.residuals[self.used]
        rms = float(np.sqrt(np.mean(used**2))) if len(used) else None
        return {
            "slope": self.slope,
            "intercept": 0,
            "n_trees": len(self.extents),
            "n_used": int(self.used.sum()),
            "r2": self.r2,
            "rms_residual": rms,
            "relative_residual": rms and rms / float(np.mean(self.path_distances[self.used])),
            "extents": self.extents.tolist(),
            "path_distances": self.path_distances.tolist(),
            "used": self.used.tolist(),
        }


def fit_line(
    extents: np.ndarray, path_distances: np.ndarray, percentile: float = OUTLIER_PERCENTILE
) -> PathFit:
    """Fit a line through the origin twice, the second time without outliers.

    Args:
        extents: (N,) um.
        path_distances: (N,) um.
        percentile: trees with an absolute error above this percentile of all are left out.

    Returns:
        PathFit
    """
    extents = np.asarray(extents, dtype=np.float64)
    path_distances = np.asarray(path_distances, dtype=np.float64)
    used = np.ones(len(extents), dtype=bool)
    slope = _slope(extents, path_distances)
    if slope is not None:
        errors = np.abs(slope * extents - path_distances)
        used = errors <= np.percentile(errors, percentile)
        slope = _slope(extents[used], path_distances[used])
    if slope is None:
        return PathFit(extents, path_distances, np.zeros(len(extents), dtype=bool), None, None)
    r2 = _explained(extents[used], path_distances[used], slope)
    return PathFit(extents, path_distances, used, slope, r2)


def _slope(x: np.ndarray, y: np.ndarray) -> float | None:
    square = float(x @ x)
    return float(x @ y) / square if square > 0.0 else None


def _explained(x: np.ndarray, y: np.ndarray, slope: float) -> float | None:
    total = float(np.sum((y - y.mean()) ** 2))
    if len(y) < 2 or total == 0.0:
        return None
    return 1.0 - float(np.sum((y - slope * x) ** 2)) / total


def measure_trees(paths: Iterable[str], trees: str = FIRST) -> dict[str, np.ndarray]:
    """Extents and path distances of the dendrites of some cells.

    Args:
        paths: the files of the cells.
        trees: ``"first"`` or ``"all"``, see TREES.

    Returns:
        {neurite type: (N, 2) float64: extent and path distance (um)}

    Raises:
        InvalidInput: a file cannot be read.
    """
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in DENDRITES}
    for path in paths:
        neuron = _load(path)
        for name in DENDRITES:
            own = getattr(neuron, name)
            found[name] += [measure_tree(tree) for tree in (own[:1] if trees == FIRST else own)]
    return {name: np.array(rows, dtype=np.float64).reshape(-1, 2) for name, rows in found.items()}


def measure_tree(tree: Any) -> tuple[float, float]:
    """(extent, path distance) of a TMD tree, both in um and at least 0.

    The greatest number in a barcode is the greatest value at a bifurcation or tip (the
    trunk's bar begins at 0): so the barcode itself is not needed.
    """
    ends = tree.get_bif_term() != 1
    extents, paths = tree.get_point_projection(), tree.get_point_path_distances()
    return max(0.0, float(np.max(extents[ends]))), max(0.0, float(np.max(paths[ends])))


def _load(path: str) -> Any:
    import morphio
    from tmd.io.io import load_neuron_from_morphio

    morphio.set_maximum_warnings(0)
    return load_neuron_from_morphio(open_as_used(path))


def fit_path_distances(
    populations: Mapping[str, Population], trees: str = FIRST
) -> dict[str, dict[str, PathFit]]:
    """Fit the dendrites of all mtypes.

    Args:
        populations: {mtype: Population}.
        trees: ``"first"`` or ``"all"``.

    Returns:
        {mtype: {neurite type: PathFit}} for the dendrites that the mtype grows.

    Raises:
        InvalidInput: ``trees`` is neither, or a file cannot be read.
    """
    if trees not in TREES:
        raise InvalidInput(f"{trees!r} is neither {FIRST!r} nor {ALL!r}", "trees of a path fit")
    fits = {}
    for mtype, population in populations.items():
        if population.cells:
            measured = measure_trees(population.paths, trees)
            fits[mtype] = {
                name: fit_line(*measured[name].T)
                for name in DENDRITES
                if name in population.neurite_types
            }
    return fits


def sentences(fits: Mapping[str, Mapping[str, PathFit]]) -> Iterator[str]:
    """The fits for a terminal, a sentence per mtype and neurite type."""
    for mtype, by_type in fits.items():
        for name, fit in by_type.items():
            kind = name.removesuffix("_dendrite")
            if fit.slope is None:
                yield f"{mtype}, {kind}: no slope, none of {len(fit.extents)} trees rises."
                continue
            r2 = "" if fit.r2 is None else f", R2 {fit.r2:.2f}"
            yield (
                f"{mtype}, {kind}: path distance = {fit.slope:.3f} x extent "
                f"({int(fit.used.sum())} of {len(fit.extents)} trees{r2})."
            )
