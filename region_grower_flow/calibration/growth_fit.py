"""Fitting numbers of growth to the morphometrics of reference cells, by simulated moments.

Cells are grown with common random numbers, so that a small change of a number gives a small change
of the moments. From the usual values the fit takes Gauss-Newton steps, with a Jacobian that is
measured once and then updated by Broyden's rule; a Gaussian prior around the usual values keeps
what the cells do not determine. The best iterate is kept, and it is never worse than the start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from region_grower_flow.calibration.growth_moments import NAMES, growth_table, moments, spreads
from region_grower_flow.morphology import FlatMorphology

COMPARED = (
    "area",
    "mean radial distance",
    "maximum radial distance",
    "mean partition asymmetry",
    "mean remote angle",
    "mean tortuosity",
    "mean tortuosity at 20 um",
    "mean bending over 5 um",
    "extent along x",
    "extent along y",
    "extent along z",
    "mean diameter",
    "maximum diameter",
)
"""The moments of the fit. What it does not compare is left to judge it by."""

AT_ONE_SCALE = tuple(
    name for name in COMPARED if name not in ("mean tortuosity at 20 um", "mean bending over 5 um")
)
"""The moments for growth without ``wander``, which bends sections at one scale only."""

SPREAD = "randomness_spread"
"""The lever that is fitted by the variance of tortuosity between cells, not by moments."""
TORTUOSITY_SLOPE = 1.7
"""Approximate slope of the logarithm of (tortuosity - 1) over that of randomness."""
MOST_SPREAD = 0.6
CUT = 3.0
"""Errors, in spreads of the reference, above which a moment pulls no harder."""
LONGEST_STEP = 0.6
"""Longest step of a lever, in the scale that it is fitted in."""
RESCALED = {
    "randomness": ("mean bending over 5 um", 0.0),
    "wander": ("mean tortuosity at 20 um", 1.0),
}
"""{lever: (moment, its value without)}: beyond that value, it goes by the square of the lever."""
FARTHEST = 1.4
"""A first step goes by that rule, in the scale of the fit."""
FEWEST = 0.5
"""Share of the cells that have to grow for values to be considered."""


Values: TypeAlias = Mapping[int, Mapping[str, float]]
"""{MorphIO's number of a neurite type: {lever: value}}."""


@dataclass(frozen=True)
class Lever:
    """A number of growth that is fitted.

    Attributes:
        name: of the number.
        start: its usual value, the mean of the prior.
        sd: of the prior, in the scale of the fit.
        low, high: its bounds.
        step: by which it is changed to measure the Jacobian, in the scale of the fit.
        log: whether its logarithm is fitted.
    """

    name: str
    start: float
    sd: float
    low: float
    high: float
    step: float
    log: bool = True

    def scaled(self, value: float) -> float:
        """A value in the scale of the fit."""
        return math.log(value) if self.log else value

    def value(self, x: float) -> float:
        """The value within its bounds, from the scale of the fit."""
        value = math.exp(min(x, 50.0)) if self.log else x
        return float(min(max(value, self.low), self.high))


@dataclass
class FitReference:
    """The reference cells that growth is fitted to.

    Attributes:
        count: how many there are, of which each is independent of the others.
        targets, scales: {kind: (F,)} moments and spreads of growth_moments.NAMES.
        varies: {kind: standard deviation of log(tortuosity - 1) between the cells}.
    """

    count: float
    targets: dict[int, np.ndarray]
    scales: dict[int, np.ndarray]
    varies: dict[int, float]

    @classmethod
    def of(cls, tables: Mapping[int, np.ndarray], count: float) -> FitReference:
        """The moments of {kind: growth_table} of the cells."""
        return cls(
            count,
            {kind: moments(table) for kind, table in tables.items()},
            {kind: spreads(table) for kind, table in tables.items()},
            {kind: log_variation(table) for kind, table in tables.items()},
        )


@dataclass
class Fit:
    """Result of a fit.

    Attributes:
        values: {kind: {lever: value}}, with SPREAD.
        losses: of the start and after each step.
        jacobian: {kind: (moments, levers)} at the start.
        before, after: {kind: (F,)} the moments of grown cells at the start and at the values.
        evaluations: how many populations were grown.
        kept: which of the losses is that of the values.
    """

    values: dict[int, dict[str, float]]
    losses: list[float]
    jacobian: Mapping[int, np.ndarray]
    before: dict[int, np.ndarray]
    after: dict[int, np.ndarray]
    evaluations: int
    kept: int = 0


@dataclass
class Fitter:
    """A fit of the numbers of growth of one mtype.

    Attributes:
        grow: function ({kind: {lever: value}}, cells, seed) -> [FlatMorphology].
        reference: FitReference.
        levers: {kind: [Lever]}; kinds are MorphIO's numbers of neurite types.
        spread: the usual SPREAD; None: it is no number of this growth.
        cells, seed: of a grown population.
        steps: of the fit.
        compared: the moments that are compared.
        evaluations: counted here.
    """

    grow: Callable[[Values, int, int], Sequence[FlatMorphology]]
    reference: FitReference
    levers: Mapping[int, Sequence[Lever]]
    spread: float | None = None
    cells: int = 60
    seed: int = 1
    steps: int = 4
    compared: Sequence[str] = COMPARED
    evaluations: int = field(default=0, init=False)

    def fit(self, jacobian: Mapping[int, np.ndarray] | None = None) -> Fit:
        """Fit the levers.

        Args:
            jacobian: of an earlier fit with the same levers, so that it is not measured again.

        Returns:
            Fit.
        """
        here = self._evaluate(self._start())
        if here.loss == math.inf:
            return self._result([here], {})
        tried, damping = [here], 1.0
        there = self._evaluate(self._rescaled(here))
        tried.append(there)
        here = min(tried, key=lambda point: point.loss)
        measured = jacobian or self._jacobian(here)
        slopes = {kind: slope.copy() for kind, slope in measured.items()}
        for _ in range(self.steps):
            there = self._evaluate(self._next(here, slopes, damping))
            tried.append(there)
            if there.loss == math.inf:
                damping *= 4.0
                continue
            for kind, slope in slopes.items():
                _broyden(slope, there.x[kind] - here.x[kind], there.errors[kind], here.errors[kind])
            if there.loss < here.loss:
                here, damping = there, max(damping * 0.7, 0.5)
            else:
                damping *= 3.0
        return self._result(tried, measured)

    def _result(self, tried: Sequence[_Point], jacobian: Mapping[int, np.ndarray]) -> Fit:
        best = min(range(len(tried)), key=lambda place: tried[place].loss)
        values = {kind: self._values(kind, tried[best]) for kind in self.levers}
        losses = [point.loss for point in tried]
        before, after = tried[0].moments, tried[best].moments
        return Fit(values, losses, jacobian, before, after, self.evaluations, best)

    def _start(self) -> _Point:
        x = {k: np.array([v.scaled(v.start) for v in some]) for k, some in self.levers.items()}
        return _Point(x, dict.fromkeys(self.levers, self.spread))

    def _rescaled(self, here: _Point) -> _Point:
        """The point with levers that far as the squares of their moments are off."""
        x = {kind: values.copy() for kind, values in here.x.items()}
        for kind, levers in self.levers.items():
            for place, lever in enumerate(levers):
                name, offset = RESCALED.get(lever.name, (None, 0.0))
                if name is None or not lever.log:
                    continue
                column = NAMES.index(name)
                wanted = self.reference.targets[kind][column] - offset
                found = here.moments[kind][column] - offset
                if wanted > 0.0 and found > 0.0:
                    change = 0.5 * math.log(wanted / found)
                    change = min(max(change, -FARTHEST), FARTHEST)
                    limits = lever.scaled(lever.low), lever.scaled(lever.high)
                    x[kind][place] = min(max(x[kind][place] + change, limits[0]), limits[1])
        return _Point(x, dict(here.spread))

    def _values(self, kind: int, point: _Point) -> dict[str, float]:
        values = {
            lever.name: lever.value(x)
            for lever, x in zip(self.levers[kind], point.x[kind], strict=True)
        }
        spread = point.spread[kind]
        return values if spread is None else values | {SPREAD: float(spread)}

    def _evaluate(self, point: _Point) -> _Point:
        """Grow a population and compare its moments: the point with errors and loss."""
        self.evaluations += 1
        values = {kind: self._values(kind, point) for kind in self.levers}
        grown = self.grow(values, self.cells, self.seed)
        if len(grown) < FEWEST * self.cells:
            return point
        precision, loss = self._precision(), 0.0
        for kind in self.levers:
            table = growth_table(grown, kind)
            point.moments[kind] = moments(table)
            point.varies[kind] = log_variation(table)
            scales, targets = self.reference.scales[kind], self.reference.targets[kind]
            errors = np.nan_to_num((point.moments[kind] - targets) / scales)
            point.errors[kind] = errors[[NAMES.index(name) for name in self.compared]]
            loss += precision * np.sum(np.minimum(point.errors[kind] ** 2, CUT**2))
            loss += np.sum(self._pull(kind, point.x[kind]) ** 2)
        point.loss = float(loss)
        return point

    def _precision(self) -> float:
        return 1.0 / (1.0 / self.reference.count + 1.0 / self.cells)

    def _pull(self, kind: int, x: np.ndarray) -> np.ndarray:
        levers = self.levers[kind]
        starts = np.array([lever.scaled(lever.start) for lever in levers])
        return (x - starts) / np.array([lever.sd for lever in levers])

    def _jacobian(self, here: _Point) -> dict[int, np.ndarray]:
        """{kind: (moments, levers)}: all kinds are changed at once, they grow independently."""
        found = {
            kind: np.zeros((len(self.compared), len(some))) for kind, some in self.levers.items()
        }
        for place in range(max(map(len, self.levers.values()))):
            x = {kind: values.copy() for kind, values in here.x.items()}
            moved = [kind for kind, some in self.levers.items() if place < len(some)]
            for kind in moved:
                x[kind][place] += self.levers[kind][place].step
            there = self._evaluate(_Point(x, dict(here.spread)))
            if there.loss < math.inf:
                for kind in moved:
                    change = there.errors[kind] - here.errors[kind]
                    found[kind][:, place] = change / self.levers[kind][place].step
        return found

    def _next(self, here: _Point, slopes: Mapping[int, np.ndarray], damping: float) -> _Point:
        """The point after a damped Gauss-Newton step."""
        precision, x, spread = self._precision(), {}, dict(here.spread)
        for kind, levers in self.levers.items():
            errors = here.errors[kind]
            weights = np.minimum(1.0, CUT / np.maximum(np.abs(errors), 1e-9))
            slope = slopes[kind]
            variance = np.array([lever.sd for lever in levers]) ** 2
            normal = precision * slope.T @ (weights[:, None] * slope) + np.diag(damping / variance)
            pull = self._pull(kind, here.x[kind]) / np.sqrt(variance)
            force = precision * slope.T @ (weights * errors) + pull
            step = np.clip(np.linalg.solve(normal, -force), -LONGEST_STEP, LONGEST_STEP)
            limits = np.array([[v.scaled(v.low), v.scaled(v.high)] for v in levers]).T
            x[kind] = np.clip(here.x[kind] + step, *limits)
            spread[kind] = self._spread(kind, here)
        return _Point(x, spread)

    def _spread(self, kind: int, here: _Point) -> float | None:
        spread = here.spread[kind]
        wanted, found = self.reference.varies[kind], here.varies[kind]
        if spread is None or not (math.isfinite(wanted) and math.isfinite(found)):
            return spread
        lacking = (wanted**2 - found**2) / TORTUOSITY_SLOPE**2
        return min(math.sqrt(max(spread**2 + lacking, 0.0)), MOST_SPREAD)


@dataclass
class _Point:
    x: dict[int, np.ndarray]
    spread: dict[int, float | None]
    errors: dict[int, np.ndarray] = field(default_factory=dict)
    moments: dict[int, np.ndarray] = field(default_factory=dict)
    varies: dict[int, float] = field(default_factory=dict)
    loss: float = math.inf


def _broyden(slope: np.ndarray, dx: np.ndarray, new: np.ndarray, old: np.ndarray) -> None:
    """Broyden's update of a Jacobian, in place."""
    size = dx @ dx
    if size > 1e-6:
        slope += np.outer(new - old - slope @ dx, dx) / size


def log_variation(table: np.ndarray) -> float:
    """Standard deviation between cells of the logarithm of (tortuosity - 1)."""
    values = table[:, NAMES.index("mean tortuosity")]
    values = values[np.isfinite(values) & (values > 1.0)]
    return float(np.std(np.log(values - 1.0), ddof=1)) if len(values) > 2 else math.nan
