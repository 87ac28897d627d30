"""Laws of the angles of trunks in 3D, to the pia or to the apical dendrite.

Mirrors neurots.generate.orientations, which fits a law to a histogram of the distributions where
the parameters give none.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Params

ANGLE_MODES = frozenset({"apical_constraint", "pia_constraint", "normal_pia_constraint"})
"""Modes that draw 3D angles; either all neurite types of a cell have one of them, or none."""

FITTED_FROM = {"apical_constraint": "apical_3d_angles", "pia_constraint": "pia_3d_angles"}
"""{mode: the histogram of trunk angles that its law is fitted to, where none is given}."""

FORMS = {"flat": 0, "step": 2, "double_step": 4}
"""{form of a law: the number of its parameters}."""

RANGE = np.linspace(0.0, np.pi, 100)
"""Angles on which an angle's probability is compared with its maximum."""


@dataclass(frozen=True)
class AngleLaw:
    """The probability of a 3D angle to a reference direction, up to a factor.

    Mirrors neurots.generate.orientations.get_probability_function without density.

    Attributes:
        form: "flat", "step" or "double_step".
        params: (scale, rate) of each sigmoid.
        peak: the largest value on RANGE.
    """

    form: str
    params: tuple[float, ...]
    peak: float

    @classmethod
    def prepare(cls, values: Mapping[str, Any]) -> AngleLaw:
        """Prepare the law of an ``orientation``'s values.

        Raises:
            KeyError, TypeError, ValueError: NeuroTS could not use them.
        """
        form, params = values["form"], tuple(values["params"])
        if len(params) != FORMS.get(form):
            raise ValueError(f"there is no angle law '{form}' with {len(params)} parameters")
        law = cls(form, params, 1.0)
        if form == "flat":
            return law
        return cls(form, params, max(law._sigmoids(angle) for angle in RANGE))

    def probability(self, angle: float) -> float:
        """The probability to accept an angle (radians)."""
        if self.form == "flat":
            return 1.0
        return min(max(self._sigmoids(angle) / self.peak, 0.0), 1.0)

    def _sigmoids(self, angle: float) -> float:
        if self.form == "step":
            scale, rate = self.params
            return expit((angle - scale) / rate)
        low, rate_low, high, rate_high = self.params
        return 0.5 * (expit((angle - low) / rate_low) + expit((-angle - high) / rate_high))


FLAT = AngleLaw("flat", (), 1.0)
"""The law by which all angles are alike."""


def expit(x: float) -> float:
    """The logistic function of a number, as ``scipy.special.expit`` computes it.

    SciPy's import takes longer than all cells of a small run.
    """
    try:
        return 1.0 / (1.0 + math.exp(-x))
    except OverflowError:
        return 0.0


def lacks_law(orientation: object) -> bool:
    """True for an orientation by 3D angles whose law NeuroTS fits itself, before it grows."""
    if not isinstance(orientation, dict) or orientation.get("mode") not in FITTED_FROM:
        return False
    values = orientation.get("values") or {}
    return "params" not in values and "direction" not in values


def with_laws(params: Params, distributions: Params) -> Params:
    """The parameters, laws of 3D angles that they lack fitted as NeuroTS does (a copy then)."""
    if not any(lacks_law((params[kind] or {}).get("orientation")) for kind in params["grow_types"]):
        return params
    from neurots.generate.orientations import fit_3d_angles

    return fit_3d_angles(copy.deepcopy(params), distributions)
