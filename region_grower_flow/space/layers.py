"""Depths and layers at one cell: what scaling and limits ask of the space around it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import DropCell

if TYPE_CHECKING:
    from region_grower_flow.io.table import Cell

DEPTH_DECIMALS = 3
"""Depths are compared after rounding to 0.001 um, so that a cell on a boundary counts as inside."""
_FACTOR = 10.0**DEPTH_DECIMALS


def rounded(depth: float) -> float:
    """A depth as ``numpy.round`` gives it, which takes ten times as long for one number."""
    scaled = depth * _FACTOR
    return round(scaled) / _FACTOR if math.isfinite(scaled) else depth


@dataclass(frozen=True)
class LayerContext:
    """The layers above and below one cell.

    Mirrors the parts of region-grower's ``SpaceContext`` that deal with layers.

    Attributes:
        depth: the cell's depth below the top of the region (um); NaN where there are no layers.
        layer_depths: depths (um) of the layers' boundaries at the cell, from the top (0) down, one
            more than there are layers; None in a region without layers.
        model_depths: depths (um) of the lower boundaries of the layers in the model (the summed
            ``thicknesses`` of the region structure); None in a region without them.
        names: what the layers are called, from the top down; None: by their numbers.
    """

    depth: float
    layer_depths: list[float] | None
    model_depths: list[float] | None
    names: list[str] | None = None

    @classmethod
    def of(cls, cell: Cell) -> LayerContext:
        """The LayerContext of a :class:`~region_grower_flow.io.table.Cell`."""
        depths = cell.region_meta.get("cortical_depths")
        return cls(cell.depth, cell.layer_depths, depths, cell.layer_names)

    def target_and_reference(self) -> tuple[float, float]:
        """Depth of the lower boundary of the cell's layer: in the atlas, and in the model (um).

        Mirrors ``SpaceContext.lookup_target_reference_depths``; (1, 1) means "do not scale".

        Raises:
            DropCell: the cell lies below its region's layers.
        """
        if self.model_depths is None:
            return 1.0, 1.0
        depths = self.layer_depths[1:] if self.layer_depths else []
        depth = rounded(self.depth)
        for layer_depth, model_depth in zip(depths, self.model_depths, strict=False):
            if depth <= rounded(layer_depth):
                return layer_depth, model_depth
        if math.isnan(depth):
            raise DropCell("the atlas has no value (NaN) for the depth of the soma")
        raise DropCell(
            f"the soma's depth of {self.depth:.1f} um is outside of the layers of its region"
        )

    def distance_to(self, constraint: Mapping[str, Any] | None) -> float | None:
        """Distance (um) along the axis from the soma up to a ``{"layer", "fraction"}`` constraint.

        Mirrors ``SpaceContext.distance_to_constraint``. None when there is no constraint or there
        are no layers.

        Raises:
            DropCell: the layer has no thickness, or a placement hint is NaN.
        """
        if not constraint or not self.layer_depths:
            return None
        if all(map(math.isnan, self.layer_depths)):
            return None
        distance = self.depth - self._position(constraint["layer"], constraint["fraction"])
        if math.isnan(distance):
            raise DropCell("some placement hints of the atlas are NaN at the cell")
        return distance

    def _position(self, layer: int, fraction: float) -> float:
        """Depth (um) of a fraction (0 bottom, 1 top) of a layer (1 is the uppermost)."""
        depths = self.layer_depths or []
        count = len(depths) - 1
        names = self.names or range(1, count + 1)
        if isinstance(layer, str):  # the names that the region has are numbers by now
            known = ", ".join(map(str, names))
            raise DropCell(f"its parameters ask for layer {layer}, its region has {known}")
        if not 1 <= layer <= count:
            raise DropCell(f"its parameters ask for layer {layer}, its region has {count}")
        thickness = depths[layer] - depths[layer - 1]
        if thickness <= 0:
            name = names[layer - 1]
            raise DropCell(f"layer {name} has a thickness of {thickness:.3f} um at the cell")
        return depths[layer - 1] + (1.0 - fraction) * thickness
