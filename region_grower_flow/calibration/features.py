"""The filtration of barcodes, which is also the metric of growth."""

from __future__ import annotations

from collections.abc import Mapping

from region_grower_flow.errors import InvalidInput, nearest
from region_grower_flow.morphology import NEURITE_TYPES

DEFAULT_FEATURE = "path_distances"
TRUNK_LENGTH = "trunk_length"
FEATURES = (DEFAULT_FEATURE, "radial_distances", TRUNK_LENGTH)


def check_feature(feature: str | Mapping[str, str]) -> None:
    """Check a filtration, or {neurite type: filtration}.

    Raises:
        InvalidInput: it is not one of FEATURES, or the neurite type is unknown.
    """
    by_type = feature if isinstance(feature, dict) else {"basal_dendrite": feature}
    for name, value in by_type.items():
        if name not in NEURITE_TYPES:
            raise InvalidInput(f"unknown neurite type {name!r}", "filtration of barcodes")
        if value not in FEATURES:
            known = ", ".join(FEATURES)
            raise InvalidInput(
                f"unknown filtration of barcodes {value!r}, expected one of {known}",
                hint=nearest(value, FEATURES),
            )
