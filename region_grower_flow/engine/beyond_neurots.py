"""Features that only the compiled engine has: NeuroTS would fail with them, or grow without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from region_grower_flow.engine.kernels.state import RULES
from region_grower_flow.engine.levers import KEY
from region_grower_flow.engine.parameter_schema import own_methods
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.schemas import violation
from region_grower_flow.options.growth import Growth
from region_grower_flow.options.kinds import Option

LEVERS = "growth levers"


def entries_beyond_neurots(params: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    """{keys of an entry of an mtype's parameters: what it is, in words} of what NeuroTS lacks."""
    levers = params.get(KEY)
    found: dict[tuple[str, ...], str] = {}
    if levers is not None:
        names = sorted(levers) if isinstance(levers, dict) else ()
        found = {(KEY, name): LEVERS for name in names} or {(KEY,): LEVERS}
    for kind, neurite in params.items():
        method = neurite.get("growth_method") if isinstance(neurite, dict) else None
        if kind in params.get("grow_types", ()) and str(method) in own_methods():
            found[kind, "growth_method"] = f"the growth method {method!r}"
    return found


def problems_beyond_neurots(
    entry: tuple[str | None, str, Mapping[str, Any]], path: PathLike | None
) -> list[InvalidInput]:
    """The problems of what NeuroTS lacks in an entry of parameters, (region, mtype, parameters)."""
    region, mtype, params = entry
    hint = "set the option engine to compiled, or leave this out"
    return [
        violation(path, (region, mtype, *keys), f"NeuroTS does not know {what}", hint)
        for keys, what in entries_beyond_neurots(params).items()
    ]


def options_beyond_neurots(
    options: object, declared: Mapping[str, Option[Any]] = Growth.DECLARED
) -> list[str]:
    """Names of the options of growth that the kernels read and that are not at their defaults.

    Args:
        options: has the options of growth as attributes.
        declared: the options of growth, {name: option}.
    """
    changed = [n for n, option in declared.items() if getattr(options, n) != option.default]
    return [name for name in changed if name in (RULES.names or ())]


def beyond_neurots(params: Mapping[str, Any], growth: Growth) -> list[str]:
    """Features, in words, that the growth of an mtype asks for and NeuroTS lacks; empty for none.

    Args:
        params: the mtype's parameters.
        growth: the options of growth. Those that the kernels read are the compiled engine's own:
            they count where they are not at their defaults.
    """
    words = [*entries_beyond_neurots(params).values()]
    words += [f"the option {name}" for name in options_beyond_neurots(growth, growth.DECLARED)]
    return list(dict.fromkeys(words))
