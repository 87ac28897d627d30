"""What only the compiled engine knows: NeuroTS would fail with it, or grow without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from region_grower_flow.engine.kernels.state import RULES
from region_grower_flow.engine.levers import KEY
from region_grower_flow.engine.parameter_schema import own_methods
from region_grower_flow.options.growth import Growth

LEVERS = "growth levers"


def entries_beyond_neurots(params: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """{keys of an entry of an mtype's parameters: what it is, in words} of what NeuroTS lacks."""
    levers = params.get(KEY)
    found = {(KEY, name): LEVERS for name in (sorted(levers) if isinstance(levers, dict) else ())}
    for kind, neurite in params.items():
        method = neurite.get("growth_method") if isinstance(neurite, dict) else None
        if kind in params.get("grow_types", ()) and str(method) in own_methods():
            found[kind, "growth_method"] = f"the growth method {method!r}"
    return found


def beyond_neurots(params: Mapping[str, Any], growth: Growth) -> list[str]:
    """What the growth of an mtype asks for that NeuroTS lacks, in words; empty for nothing.

    Args:
        params: the mtype's parameters.
        growth: the options of growth. Those that the kernels read are the compiled engine's own:
            they count where they are not at their defaults.
    """
    words = [] if params.get(KEY) is None else [LEVERS]
    words += entries_beyond_neurots(params).values()
    changed = [n for n, option in growth.DECLARED.items() if getattr(growth, n) != option.default]
    words += [f"the option {name}" for name in changed if name in (RULES.names or ())]
    return list(dict.fromkeys(words))
