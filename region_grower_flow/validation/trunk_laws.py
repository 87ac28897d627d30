"""The laws by which trunks leave the soma, read from NeuroTS's parameters, and draws from them.

Mirrors neurots.generate.orientations.OrientationManager as far as directions are drawn one by one.
The directions of its other modes (``sample_pairwise_angles``, around a primary orientation) have no
law of their own: they are compared with the reference cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

GRID = np.linspace(0.0, np.pi, 4001)
"""Angles (rad) on which laws are integrated."""

QUANTILES = 4000
STEPS = (np.arange(QUANTILES) + 0.5) / QUANTILES
"""Cumulative probabilities of the angles that stand for a law."""

PIA = np.array([0.0, 1.0, 0.0])

ANGLE_MODES = ("pia_constraint", "apical_constraint")


@dataclass(frozen=True)
class TrunkLaw:
    """Law of the directions of one neurite type's trunks.

    Attributes:
        angles: (K,) angles (rad) to the reference direction at equal steps of their cumulative
            probability; None for fixed directions.
        to_apical: the reference direction is that of the first apical trunk, else the pia.
        fixed: (V, 3) unit vectors of the trunks in order, or None.
    """

    angles: np.ndarray | None = None
    to_apical: bool = False
    fixed: np.ndarray | None = None

    def draw(
        self, count: int, number: int, rng: np.random.Generator, apical: np.ndarray | None
    ) -> np.ndarray:
        """(count, number, 3) unit vectors: ``count`` times the trunks of a cell.

        Args:
            count: number of draws of the cell.
            number: of its trunks.
            rng: numpy Generator.
            apical: (count, 3) directions of the cell's first apical trunk, or None.
        """
        if self.fixed is not None:
            chosen = self.fixed[np.arange(number) % len(self.fixed)]
            return np.broadcast_to(chosen, (count, number, 3))
        assert self.angles is not None  # of a law that is not fixed
        polar = self.angles[rng.integers(len(self.angles), size=(count, number))]
        around = rng.uniform(0, 2 * np.pi, size=(count, number))
        local = np.stack(
            [np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], axis=-1
        )
        if not self.to_apical or apical is None:
            return local
        return np.einsum("ckj,cji->cki", local, frames(apical))


def frames(directions: np.ndarray) -> np.ndarray:
    """(n, 3, 3) orthonormal frames, whose rows are x, y and z axis, y along each direction."""
    helpers = np.where(
        np.abs(directions[:, :1]) < 0.9, np.array([[1.0, 0, 0]]), np.array([[0, 0, 1.0]])
    )
    z = np.cross(helpers, directions)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return np.stack([np.cross(directions, z), directions, z], axis=1)


def read_law(parameters: Mapping[str, Any]) -> TrunkLaw | None:
    """The law of one neurite type's parameters, None where they have none.

    Args:
        parameters: NeuroTS's parameters of the neurite type.

    Raises:
        KeyError, TypeError, ValueError: NeuroTS could not use them.
    """
    orientation = parameters.get("orientation")
    if isinstance(orientation, list):
        return None if parameters.get("trunk_absolute_orientation") else _fixed(orientation)
    if not isinstance(orientation, dict):
        return None
    mode = orientation.get("mode")
    values: Any = orientation.get("values")
    if mode == "use_predefined":
        return _fixed(values["orientations"])
    if mode == "uniform":
        return TrunkLaw(_quantiles(np.sin(GRID)))
    if mode == "normal_pia_constraint":
        return TrunkLaw(_normal(values["direction"]))
    if mode in ANGLE_MODES and values and "form" in values:
        density = _acceptance(values["form"], values.get("params", [])) * np.sin(GRID)
        return TrunkLaw(_quantiles(density), mode == "apical_constraint")
    return None


def _fixed(vectors: Any) -> TrunkLaw:
    vectors = np.asarray(vectors, dtype=float).reshape(-1, 3)
    return TrunkLaw(fixed=vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _acceptance(form: str, params: Sequence[float]) -> np.ndarray:
    """NeuroTS's probability to accept an angle (get_probability_function without density)."""
    from scipy.special import expit

    if form == "flat":
        return np.ones_like(GRID)
    if form == "step":
        scale, rate = params
        return expit((GRID - scale) / rate)
    if form == "double_step":
        low, rate_low, high, rate_high = params
        return expit((GRID - low) / rate_low) + expit((-GRID - high) / rate_high)
    raise ValueError(f"there is no angle law '{form}'")


def _quantiles(density: np.ndarray) -> np.ndarray:
    """(QUANTILES,) angles at equal steps of the cumulative probability of a density on GRID."""
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.interp(STEPS, cumulative / cumulative[-1], GRID)


def _normal(direction: Mapping[str, Any]) -> np.ndarray:
    """Angles of mode normal_pia_constraint: normal, or exponential about the pia, clipped."""
    from scipy.stats import expon, norm

    # NeuroTS keeps the first of several means and deviations.
    mean, std = (np.ravel(direction[key])[0] for key in ("mean", "std"))
    if std == 0:
        return np.clip(np.full(QUANTILES, float(mean)), 0, np.pi)
    law = expon(scale=std) if mean == 0 else norm(mean, std)
    return np.clip(law.ppf(STEPS), 0, np.pi)
