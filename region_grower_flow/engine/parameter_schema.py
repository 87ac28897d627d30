"""The schema of an mtype's parameters: that of NeuroTS, with the growth methods of the engine."""

from __future__ import annotations

import functools
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


def neurite_keys() -> list[str]:
    """The keys that the parameters of a neurite type may have."""
    return list(parameters_schema()["definitions"][NEURITE]["properties"])
