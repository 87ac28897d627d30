"""The terms on which two populations of one mtype are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.verdict import MIN_REFERENCE_CELLS


@dataclass(frozen=True)
class Comparison:
    """The terms on which two populations of one mtype are compared, the same for every tier.

    Attributes:
        neurite_types: keys of NEURITE_TYPES.
        seed: of the resamples, permutations and draws.
        mtype: for the verdicts.
        minimum: number of cells that is needed on each side.
        fitted: the cells that the synthesized ones were grown from, where the reference are others;
            see :mod:`copies`.
        parameters: NeuroTS's of the mtype, for the laws of its trunks; None: there is no one law.
        inverted: True if the mtype is known to have its apical dendrites away from the pia.
    """

    neurite_types: Sequence[str]
    seed: int
    mtype: str | None = None
    minimum: int = MIN_REFERENCE_CELLS
    fitted: Sequence[ValidationCell] = ()
    parameters: Mapping[str, Any] | None = None
    inverted: bool = False
