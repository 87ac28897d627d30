"""Cells of an mtype for a fit of growth: reconstructions read once, and grown ones by the dozen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from region_grower_flow.calibration.dataset import Dataset, variant_groups
from region_grower_flow.calibration.growth_values import NONE, with_values
from region_grower_flow.calibration.mending import open_as_used
from region_grower_flow.calibration.populations import Population
from region_grower_flow.errors import FlowError, GrowthFailed
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology

ATTEMPTS = 10
"""Attempts to grow a cell; a synthesis makes as many."""


@dataclass(frozen=True)
class GrowthCell:
    """A reconstruction that growth is calibrated by.

    Attributes:
        name: of the cell.
        path: of its file.
        group: the same for all variants of one reconstruction.
    """

    name: str
    path: str
    group: str


def cells_of(population: Population, dataset: Dataset) -> tuple[GrowthCell, ...]:
    """The GrowthCells of a population's cells.

    Args:
        population: Population of the mtype.
        dataset: the Dataset, which knows variants.
    """
    cells = dataset.mtypes.get(population.mtype, ())
    known = dict(zip((cell.name for cell in cells), variant_groups(cells), strict=True))
    return tuple(
        GrowthCell(cell.name, str(cell.path), known.get(cell.name) or cell.name)
        for cell in population.cells
    )


def read_centered(path: PathLike) -> FlatMorphology:
    """A FlatMorphology, mended as for the extraction, with the center of its soma at the origin."""
    return FlatMorphology.from_morphio(open_as_used(path)).centered()


def independent(cells: Sequence[GrowthCell]) -> int:
    """Number of GrowthCells that are no variants of another."""
    return len({cell.group for cell in cells})


def folds(cells: Sequence[GrowthCell], count: int = 5) -> np.ndarray:
    """(cells,) the fold of each cell: variants of one reconstruction are in one.

    The order is that of a hash of the names, whatever the order of the table.
    """
    groups = sorted(
        {cell.group for cell in cells},
        key=lambda group: hashlib.sha256(f"fold {group}".encode()).digest(),
    )
    fold_of = {group: place % count for place, group in enumerate(groups)}
    return np.array([fold_of[cell.group] for cell in cells])


@dataclass
class Grower:
    """Grows populations of one mtype with changing numbers.

    Attributes:
        params, distributions: of the mtype.
        mode: of growth_values; NONE: as the parameters are.
        kept: see growth_values.with_values.
    """

    params: Mapping[str, Any]
    distributions: Mapping[str, Any]
    mode: str
    kept: frozenset[tuple[str, str]] = frozenset()
    _prepared: Any = field(default=None, init=False, repr=False)

    def grow(
        self, values: Mapping[int, Mapping[str, float]], count: int, seed: int
    ) -> list[FlatMorphology]:
        """Grow cells with common random numbers: fewer, where growth fails.

        Args:
            values: {MorphIO's number of a neurite type: {name: value}}.
            count, seed: of the population.

        Returns:
            [FlatMorphology], somas at the origin, the pia along +y.
        """
        from region_grower_flow.engine import GrowthSite, grow

        prepared = self._prepare(values)
        site = GrowthSite(np.zeros(3), np.eye(3))
        found = []
        for place in range(count):
            rng = np.random.default_rng((seed, place))
            for _ in range(ATTEMPTS):
                try:
                    grown = grow(prepared, site, rng).morphology
                    # A barcode of an axon can hold angles that are no numbers; such cells are
                    # dropped by a synthesis.
                    found += [grown] if np.isfinite(grown.points).all() else []
                    break
                except (GrowthFailed, ValueError):
                    continue
                except FlowError:
                    break
        return found

    def _prepare(self, values: Mapping[int, Mapping[str, float]]) -> Any:
        from region_grower_flow import engine
        from region_grower_flow.engine import diameters
        from region_grower_flow.engine.mtype import with_levers

        params = self._params(values)
        if self._prepared is None:
            model = diameters.prepare(params, self.distributions)
            self._prepared = engine.prepare(params, self.distributions, model)
            return self._prepared
        if self._prepared.unsupported or self._prepared.levers is None:
            return engine.prepare(params, self.distributions, self._prepared.diameters)
        return with_levers(self._prepared, params)

    def _params(self, values: Mapping[int, Mapping[str, float]]) -> Mapping[str, Any]:
        if self.mode == NONE:
            return self.params
        named = {name: values[kind] for name, kind in NEURITE_TYPES.items() if kind in values}
        return with_values(self.params, self.mode, named, self.kept)


def of_some_cells(
    distributions: Mapping[str, Any], kept: np.ndarray, counts: Mapping[str, np.ndarray]
) -> dict[str, Any] | None:
    """Distributions of some of the cells only; None where these cannot be told.

    The trees, their numbers and the somas are those of the cells; what else NeuroTS draws from
    (directions of trunks, its diameter models) stays that of all.

    Args:
        distributions: of the mtype.
        kept: (cells,) bool.
        counts: {neurite type: (cells,) number of trees}.
    """
    found = deepcopy({key: value for key, value in distributions.items() if key != "measured"})
    measured = distributions.get("measured")
    if measured:
        if len(measured["cells"]) != len(kept):
            return None
        found["measured"] = _measured_of(measured, kept)
        radii = [cell["soma_radius"] for cell in found["measured"]["cells"]]
        found["soma"]["size"] = {
            "norm": {"mean": float(np.mean(radii)), "std": float(np.std(radii))}
        }
    for name, numbers in counts.items():
        entry = found.get(name) or {}
        codes = entry.get("persistence_diagram")
        if codes is None:
            continue
        if len(codes) == numbers.sum():
            owners = np.repeat(np.arange(len(numbers)), numbers)
            chosen = [code for code, owner in zip(codes, owners, strict=True) if kept[owner]]
            entry["persistence_diagram"] = chosen or codes
        elif not measured:
            return None
        values, weights = np.unique(numbers[kept], return_counts=True)
        data = {"bins": values.tolist(), "weights": weights.tolist()}
        entry["num_trees"] = {"data": data}
    return found


def _measured_of(measured: Mapping[str, Any], kept: np.ndarray) -> dict[str, Any]:
    places = np.cumsum(kept) - 1
    found = {"cells": [cell for cell, keep in zip(measured["cells"], kept, strict=True) if keep]}
    for name, trees in measured.items():
        if name != "cells":
            found[name] = [
                {**tree, "cell": int(places[tree["cell"]])} for tree in trees if kept[tree["cell"]]
            ]
    return found


def tree_counts(
    morphologies: Sequence[FlatMorphology], names: Iterable[str]
) -> dict[str, np.ndarray]:
    """{neurite type: (cells,) number of trees} of FlatMorphologies."""
    return {
        name: np.array(
            [
                int(np.sum((m.parents < 0) & (np.asarray(m.types) == NEURITE_TYPES[name])))
                for m in morphologies
            ]
        )
        for name in names
    }
