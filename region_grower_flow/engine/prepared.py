"""An mtype that is prepared for growth: what its cells have in common, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from region_grower_flow.engine.apical import ApicalPoint
from region_grower_flow.engine.bar_profiles import NO_PROFILES, Profiles
from region_grower_flow.engine.distributions import Distribution
from region_grower_flow.engine.kernels import state
from region_grower_flow.engine.kin import NO_KIN, Kin
from region_grower_flow.engine.levers import CellLevers
from region_grower_flow.engine.measured_trees import MeasuredTrees
from region_grower_flow.engine.model import Diametrizer, Params
from region_grower_flow.engine.trunks import TrunkRules
from region_grower_flow.options.growth import Growth


@dataclass(frozen=True)
class PreparedType:
    """Preparation that the trees of one neurite type share.

    Attributes:
        kind: the neurite type.
        trunks: TrunkRules.
        step: Distribution of step lengths.
        method: growth method (a constant of kernels.state).
        barcodes: barcodes, (n, 6) float64 each.
        first_barcode: index of the first one among all of the mtype.
        longest: for each barcode its longest bar's end (um).
        apical_points: for each barcode an ApicalPoint; None unless it is looked for.
        tuftless_offset: um by which the apical point lies before the last bifurcation.
        section_type: MorphIO's type of its sections.
        measured: MeasuredTrees behind the barcodes of a type with levers, else None.
    """

    kind: str
    trunks: TrunkRules
    step: Distribution
    method: int
    barcodes: list[np.ndarray]
    first_barcode: int
    longest: list[float]
    apical_points: list[ApicalPoint] | None
    tuftless_offset: float
    section_type: int
    measured: MeasuredTrees | None = None

    @property
    def trees(self) -> MeasuredTrees:
        """The measured trees of a type with levers."""
        assert self.measured is not None, "levers need measured trees"
        return self.measured


NOT_DRAWN = Distribution("norm")


@dataclass
class PreparedMtype:
    """All that the growth of an mtype's cells needs and that does not depend on the cell.

    Beyond ``unsupported`` nothing is filled in for an mtype that the compiled engine cannot grow.

    Attributes:
        params, distributions: NeuroTS's, of the mtype.
        diameters: what diametrizes its cells.
        growth: the options of growth.
        unsupported: why the compiled engine cannot grow this mtype, or None.
        soma_size: Distribution of soma radii (um).
        types: PreparedType of each type to grow, in NeuroTS's order.
        rules: RULES records, one of each type.
        steps: (n, 2) float64, lengths and cumulated probabilities of ``data`` step sizes.
        barcodes: BARCODE_BAR records, all bars of all barcodes.
        first_bars: (D + 1,) int64, where each barcode begins.
        apical_type: the section type whose trees have apical points, None without apicals.
        by_mode: the first type's trunks are oriented by a mode.
        pia_matters: some type's orientation has a mode, so the pia's direction is used.
        levers: CellLevers, None where the mtype grows as in NeuroTS.
        kin: Kin of the reconstructed cells, NO_KIN without levers.
        profiles: the diameters along all bars, none without levers.
    """

    params: Params
    distributions: Params
    diameters: Diametrizer
    growth: Growth = Growth()
    unsupported: str | None = None
    soma_size: Distribution = NOT_DRAWN
    types: list[PreparedType] = field(default_factory=list)
    rules: np.ndarray = field(default_factory=lambda: np.empty(0, state.RULES))
    steps: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    barcodes: np.ndarray = field(default_factory=lambda: np.empty(0, state.BARCODE_BAR))
    first_bars: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    apical_type: int | None = None
    by_mode: bool = False
    pia_matters: bool = False
    levers: CellLevers | None = None
    kin: Kin = NO_KIN
    profiles: Profiles = NO_PROFILES
