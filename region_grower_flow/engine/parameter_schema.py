"""The schema of an mtype's parameters: that of NeuroTS, with the growth methods of the engine."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from region_grower_flow.engine.kernels.state import METHODS, NEEDED
from region_grower_flow.io.schemas import library_schema, with_choices

NEURITE = "neurite"
"""The definition of the parameters of one neurite type."""


@functools.cache
def parameters_schema() -> dict[str, Any]:
    """NeuroTS's schema, to which all growth methods and the numbers that they need are known."""
    schema = with_choices(library_schema("neurots", "parameters.json"), "growth_method", METHODS)
    neurite = schema["definitions"][NEURITE]
    own = {key: {"type": "number"} for keys in NEEDED.values() for key in keys}
    neurite["properties"] = {**own, **neurite["properties"]}
    return schema


@functools.cache
def own_methods() -> frozenset[str]:
    """The growth methods of the engine that NeuroTS does not have."""
    neurite = library_schema("neurots", "parameters.json")["definitions"][NEURITE]
    return frozenset(METHODS) - {*neurite["properties"]["growth_method"]["enum"]}


def lacking(neurite: Mapping[str, Any]) -> list[str]:
    """Sentences on the keys that the growth method of a neurite type needs and that are absent."""
    method = neurite.get("growth_method", "")
    needed = [key for key in NEEDED.get(method, ()) if key not in neurite]
    return [f"the growth method {method!r} needs {key!r}" for key in needed]


def neurite_keys() -> list[str]:
    """The keys that the parameters of a neurite type may have."""
    return list(parameters_schema()["definitions"][NEURITE]["properties"])
