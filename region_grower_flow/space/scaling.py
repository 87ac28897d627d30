"""Scaling of barcodes so that a cell fits the layers where it grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import DropCell
from region_grower_flow.morphology import NEURITE_TYPES, FlatMorphology

if TYPE_CHECKING:
    from region_grower_flow.space.layers import LayerContext

MIN_PATH_DISTANCE = 1.0
"""A barcode is never scaled to less than this length (um)."""

MIN_THICKNESS = 1.0
"""Layers thinner than this (um) cannot scale a barcode."""

TARGET_TYPES = ("apical_dendrite", "basal_dendrite")
"""Neurite types that ``extent_to_target`` can scale."""


@dataclass(frozen=True)
class BarcodeScaling:
    """Scaling of one neurite type's barcode to the space of the cell.

    Mirrors region-grower's ``modify.scale_default_barcode`` (``kind="default"``: the thickness of
    the layers at the cell against that of the model) and ``modify.scale_target_barcode``
    (``kind="target"``: the longest bar gets a given length).

    Attributes:
        kind: ``"default"`` or ``"target"``.
        reference: depth (um) of the lower boundary of the cell's layer in the model; default only.
        target: the same depth (um) in the atlas at the cell; default only.
        path_distance: length (um) that the longest bar gets; target only.
        extent: distance (um) to the target along the axis, for the debug data; target only.
        fit: (slope, intercept) of path distances against extents, for the debug data; target only.
    """

    kind: str
    reference: float = 1.0
    target: float = 1.0
    path_distance: float = 0.0
    extent: float | None = None
    fit: tuple[float, float] | None = None

    def ratio(self, longest_bar: float) -> float:
        """The factor for bifurcations and terminations of a barcode with this longest bar (um)."""
        if self.kind == "target":
            return self.path_distance / longest_bar
        if self.reference != 1.0 and self.target != 1.0:
            fits = min(self.reference / longest_bar, 1.0)
            return fits * self.target / self.reference
        return 1.0


def barcode_scaling(params: Mapping[str, Any], layers: LayerContext) -> dict[str, BarcodeScaling]:
    """The scaling of each neurite type of a cell.

    Mirrors ``SpaceWorker._correct_position_orientation_scaling`` and ``modify.input_scaling``,
    with their order: when basal dendrites have a target, apical ones fall back to the layers.

    Args:
        params: NeuroTS parameters of the mtype (``grow_types``, ``context_constraints``).
        layers: the cell's LayerContext.

    Returns:
        {neurite type: BarcodeScaling}; axons are not scaled.

    Raises:
        DropCell: a target is nearer than 1 um, or the layers are thinner than that.
    """
    target, reference = layers.target_and_reference()
    scaling = _scalings(params, layers, "apical_dendrite", target, reference)
    if _target_of(params, "basal_dendrite") is not None:
        scaling.update(_scalings(params, layers, "basal_dendrite", target, reference))
    return scaling


def limits(
    params: Mapping[str, Any], layers: LayerContext, morphology: FlatMorphology
) -> dict[str, tuple[float | None, float | None]]:
    """The least and greatest extent of each neurite type along the axis.

    Mirrors the head of ``SpaceWorker._post_growth_rescaling``.

    Returns:
        {neurite type: (least or None, greatest or None)} in um, for the types with hard limits
        that the morphology has.

    Raises:
        DropCell: a limit's layer has no thickness or is NaN at the cell.
    """
    return {
        kind: (
            layers.distance_to(constraint.get("hard_limit_min")),
            layers.distance_to(constraint.get("hard_limit_max")),
        )
        for kind, constraint in params.get("context_constraints", {}).items()
        if constraint and NEURITE_TYPES[kind] in morphology.types
    }


def _target_of(params: Mapping[str, Any], kind: str | None) -> Any:
    return params.get("context_constraints", {}).get(kind, {}).get("extent_to_target")


def _scalings(
    params: Mapping[str, Any],
    layers: LayerContext,
    target_kind: str | None,
    target: float,
    reference: float,
) -> dict[str, BarcodeScaling]:
    """One pass of ``modify.input_scaling``, with the target of one neurite type."""
    extent = layers.distance_to(_target_of(params, target_kind))
    scaling = {}
    for kind in params["grow_types"]:
        if kind == target_kind and extent is not None:
            scaling[kind] = _to_target(_target_of(params, kind), extent, kind)
        elif kind != "axon":
            if target < MIN_THICKNESS:
                raise DropCell(
                    f"the layers down to the cell's are {target:.3f} um thick, less than the "
                    f"{MIN_THICKNESS} um that barcodes need"
                )
            scaling[kind] = BarcodeScaling("default", float(reference), float(target))
    return scaling


def _to_target(constraint: Mapping[str, Any], extent: float, kind: str) -> BarcodeScaling:
    path_distance = constraint["slope"] * extent + constraint["intercept"]
    if path_distance < MIN_PATH_DISTANCE:
        raise DropCell(
            f"the path distance to the target of its {kind} is {path_distance:.3f} um, "
            f"less than {MIN_PATH_DISTANCE} um"
        )
    fit = float(constraint["slope"]), float(constraint["intercept"])
    return BarcodeScaling("target", 1.0, 1.0, float(path_distance), float(extent), fit)
