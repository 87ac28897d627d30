"""Layers by name or by number, as region structures, directions and parameters give them.

A number is the place of a layer in the list of its region, from 1 at the top, as region-grower
takes it: in the layers 2, 3, 5 the number 1 is layer 2. A text is a name. Names are resolved region
by region, since regions that share parameters have their own layers.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

from region_grower_flow.io.schemas import did_you_mean

CONSTRAINTS = "context_constraints"

Layer: TypeAlias = int | str
"""A layer by its place in its region, or by its name."""


def layer_number(layer: Layer, layers: Sequence[Layer]) -> int | None:
    """The place of a layer in its region's list, from 1 at the top.

    Args:
        layer: a number (such a place) or a name.
        layers: the layers of the region from the top down, numbers or names.

    Returns:
        int, or None when the region has no such layer.
    """
    if isinstance(layer, str):
        names = [str(name) for name in layers]
        return names.index(layer) + 1 if layer in names else None
    return layer if 1 <= layer <= len(layers) else None


def absent_layer(layer: Layer, layers: Sequence[Layer]) -> tuple[str, str | None]:
    """Sentence about a layer that its region does not have: (problem, hint or None)."""
    if not isinstance(layer, str):
        return f"layer {layer} of a region that has {len(layers)} layers", None
    names = [str(name) for name in layers]
    problem = f"layer {layer!r} of a region that has the layers {', '.join(names)}"
    return problem, did_you_mean(layer, names, count=1) or None


def constrained_layers(
    params: Mapping[str, Any],
) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """((neurite type, limit), the mapping with the layer) of an mtype's ``context_constraints``."""
    for kind, limits in (params.get(CONSTRAINTS) or {}).items():
        for name, place in (limits or {}).items():
            if isinstance(place, dict) and "layer" in place:
                yield (kind, name), place


def with_layer_numbers(
    params: Mapping[str, Any], layers: Sequence[Layer] | None
) -> Mapping[str, Any]:
    """Parameters whose constraints name layers by the numbers of a region.

    Args:
        params: parameters of an mtype; they are not changed.
        layers: the layers of the region, or None.

    Returns:
        the same parameters where nothing has to be resolved, else a copy. A name that the region
        does not have stays.
    """
    named = [place for _, place in constrained_layers(params) if isinstance(place["layer"], str)]
    if not named or not layers:
        return params
    params = {**params, CONSTRAINTS: deepcopy(params[CONSTRAINTS])}
    for _, place in constrained_layers(params):
        place["layer"] = layer_number(place["layer"], layers) or place["layer"]
    return params
