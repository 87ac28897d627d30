"""Choices of a calibration: the same for distributions, parameters and diagnosis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from region_grower_flow.calibration.features import DEFAULT_FEATURE
from region_grower_flow.layout import DEFAULT_REGION

FAIL, SKIP = "fail", "skip"
"""Treatments of cells that cannot be used."""


@dataclass(frozen=True)
class CalibrationSettings:
    """Settings of the calibration of reconstructions.

    Distributions and parameters that are made with the same settings fit each other.

    Attributes:
        region: the key of the result.
        neurite_types: which neurites are considered, see :func:`populations.gather_populations`.
        on_bad_morphology: ``"fail"``: cells that cannot be used are errors; ``"skip"``: they are
            left out and named in the report.
        diametrizer_config: see :func:`diameter_model.resolve_diameter_model`.
        feature: the filtration of the barcodes, which is the metric of growth
            (``trunk_length``: there are none), for all neurite types or as {neurite type:
            filtration}; see :mod:`features`.
        min_basal_trees: NeuroTS grows no cell with fewer than two basal dendrites (it draws again,
            and drops the cell in the end). With 2, cells that have one count as having two; 1,
            NeuroTS's default, leaves them.
        bar_threshold: trees with more terminations than this give barcodes; None: NeuroTS's 2.
            Apical dendrites need a bifurcation for their apical point, so theirs is at least 1.
        inverted: mtypes whose apical dendrites point to the white matter: the orientation that
            NeuroTS gives them by default is turned to it.
        measured: distributions hold the measured trees that growth levers need, too.
        for_neurots: angles and azimuths are such that NeuroTS's growth comes near the cells, see
            :mod:`neurots_growth`.
    """

    region: str = DEFAULT_REGION
    neurite_types: Any = None
    on_bad_morphology: str = FAIL
    diametrizer_config: Any = None
    feature: str | Mapping[str, str] = DEFAULT_FEATURE
    min_basal_trees: int = 1
    bar_threshold: int | None = None
    inverted: Collection[str] = ()
    measured: bool = False
    for_neurots: bool = False
