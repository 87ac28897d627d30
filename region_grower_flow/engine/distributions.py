"""Random numbers by NeuroTS's distributions (mirrors neurots.morphmath.sample.Distr).

They are prepared once per mtype; drawing takes the cell's generator, in NeuroTS's order of draws.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import DropCell, GrowthFailed

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Params

STANDARD = {"norm": "standard_normal", "uniform": "random", "expon": "standard_exponential"}
"""The method of numpy.random.Generator that each kind of distribution draws with."""


@dataclass(frozen=True)
class Choice:
    """A choice among values with probabilities, as ``Generator.choice(values, p=...)`` makes it.

    Attributes:
        values: the values.
        cumulated: their cumulated probabilities, the last one is 1.
        problem: why NumPy refuses to draw, or None.
    """

    values: list[float]
    cumulated: list[float]
    problem: str | None = None

    @classmethod
    def prepare(cls, values: np.ndarray, probabilities: np.ndarray) -> Choice:
        """Prepare the choice; what NumPy refuses becomes the ``problem`` of each draw."""
        try:
            np.random.default_rng(0).choice(values, p=probabilities)
        except ValueError as error:
            return cls([], [], str(error))
        cumulated = probabilities.cumsum()
        cumulated /= cumulated[-1]
        return cls(values.tolist(), cumulated.tolist())

    def draw(self, rng: np.random.Generator) -> float:
        """One of the values.

        Raises:
            GrowthFailed: where NumPy raises ValueError; nothing is drawn then.
        """
        if self.problem is not None:
            raise GrowthFailed(self.problem)
        return self.values[bisect_right(self.cumulated, rng.random())]


NO_VALUES = Choice([], [], "there are no values")


@dataclass(frozen=True)
class Distribution:
    """A distribution of numbers: ``norm``, ``uniform``, ``expon`` or ``data``.

    Attributes:
        kind: one of these.
        loc, scale: the standard distribution's draws are scaled, then shifted by these.
        all_values, positive_values: the Choices of ``data``.
    """

    kind: str
    loc: float = 0.0
    scale: float = 1.0
    all_values: Choice = NO_VALUES
    positive_values: Choice = NO_VALUES

    @classmethod
    def prepare(
        cls, description: Mapping[str, Any], transform: Callable[[Any], Any] = float
    ) -> Distribution:
        """Prepare a distribution from NeuroTS's ``{kind: parameters}``.

        Args:
            description: the dict; its first entry counts.
            transform: applied to each parameter.

        Raises:
            KeyError, ValueError, TypeError: the description is not one of NeuroTS.
        """
        kind, params = next(iter(description.items()))
        if kind == "norm":
            return cls(kind, transform(params["mean"]), transform(params["std"]))
        if kind == "uniform":
            low, high = transform(params["min"]), transform(params["max"])
            return cls(kind, low, high - low)
        if kind == "expon":
            return cls(kind, transform(params["loc"]), 1.0 / transform(params["lambda"]))
        if kind != "data":
            raise ValueError(f"there is no distribution '{kind}'")
        weights = np.array(params["weights"], dtype=float)
        bins = np.array(params["bins"])
        if transform is not float:
            bins, weights = transform(bins), transform(weights)
        return cls._of_data(bins, weights / np.sum(weights))

    @classmethod
    def _of_data(cls, bins: np.ndarray, weights: np.ndarray) -> Distribution:
        positive = bins > 0
        return cls(
            "data",
            all_values=Choice.prepare(bins, weights),
            positive_values=Choice.prepare(bins[positive], weights[positive]),
        )

    @property
    def middle(self) -> float:
        """About the mean: that of ``norm``, the middle of ``uniform``, 1 for others."""
        return {"norm": self.loc, "uniform": self.loc + 0.5 * self.scale}.get(self.kind, 1.0)

    def draw(self, rng: np.random.Generator) -> float:
        """One number (mirrors Distr.draw)."""
        if self.kind == "data":
            return self.all_values.draw(rng)
        return self.loc + self.scale * getattr(rng, STANDARD[self.kind])()

    def draw_positive(self, rng: np.random.Generator) -> float:
        """One number above 0 (mirrors Distr.draw_positive); a constant when the scale is 0."""
        if self.kind == "data":
            return self.positive_values.draw(rng)
        if self.scale == 0:
            if self.loc >= 0:
                return self.loc
            raise GrowthFailed("a distribution without spread has a negative mean")
        draw = getattr(rng, STANDARD[self.kind])
        value = self.loc + self.scale * draw()
        while value <= 0:
            value = self.loc + self.scale * draw()
        return value


@dataclass(frozen=True)
class Fixed:
    """A number of trees that is known, where a distribution is drawn from."""

    number: int

    def draw(self, _rng: np.random.Generator) -> int:
        """The number."""
        return self.number


@dataclass(frozen=True)
class TrunkDistributions:
    """Distributions of the trunks of one neurite type; None where the file has no entry."""

    number: Distribution | Fixed
    relative_angles: Distribution | None
    absolute_angles: Distribution | None
    azimuths: Distribution | None

    @classmethod
    def prepare(cls, distributions: Params) -> TrunkDistributions:
        """Prepare them from the distributions of a neurite type."""
        trunk = distributions.get("trunk", {})
        azimuth = trunk.get("azimuth")
        return cls(
            Distribution.prepare(distributions["num_trees"]),
            _optional(trunk.get("orientation_deviation")),
            _optional(trunk.get("absolute_elevation_deviation")),
            None if azimuth is None else Distribution.prepare(azimuth, np.cos),
        )

    def draw_number(self, rng: np.random.Generator) -> int:
        """The number of trees (mirrors sample.n_neurites)."""
        return int(self.number.draw(rng))

    def draw_relative(self, number: int, rng: np.random.Generator) -> list[float]:
        """Angles between trunks; the last one is their sum (mirrors sample.trunk_angles)."""
        angles = [_given(self.relative_angles).draw(rng) for _ in range(number - 1)]
        return [*angles, sum(angles)]

    def draw_absolute(self, number: int, rng: np.random.Generator) -> list[float]:
        """Angles to an orientation (mirrors sample.trunk_absolute_angles)."""
        return [_given(self.absolute_angles).draw(rng) for _ in range(number)]

    def draw_azimuths(self, number: int, rng: np.random.Generator) -> list[float]:
        """Angles to the z axis (mirrors sample.azimuth_angles)."""
        return [arccos(_given(self.azimuths).draw(rng)) for _ in range(number)]


def _given(distribution: Distribution | None) -> Distribution:
    if distribution is None:
        raise DropCell("the distributions lack angles that the orientation of trunks is drawn from")
    return distribution


def arccos(cosine: float) -> float:
    """The angle, NaN where there is none (as NumPy, where ``math.acos`` raises)."""
    return math.acos(cosine) if -1.0 <= cosine <= 1.0 else math.nan


def _optional(description: Mapping[str, Any] | None) -> Distribution | None:
    return None if description is None else Distribution.prepare(description)
