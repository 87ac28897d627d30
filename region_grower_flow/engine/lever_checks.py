"""Growth levers, checked before any cell is grown: what the schema of the parameters cannot say."""

from region_grower_flow.engine.levers import KEY, MEASURED, NO_STRETCH, CellLevers
from region_grower_flow.engine.measured_trees import MeasuredTrees

_METRIC = "path_distances"
_TRUNK_METHODS = ("trunk", "axon_trunk")


def check_levers(params, distribs, report):
    """Add what keeps the levers of an mtype from being used.

    Args:
        params, distribs: the mtype's entries, their forms checked.
        report: has ``parameter(keys, expected, hint)`` and ``distribution(keys, expected, hint)``.
    """
    if params.get(KEY) is None:
        return
    try:
        levers = CellLevers.prepare(params)
    except (TypeError, ValueError) as error:
        report.parameter((KEY,), str(error))
        return
    for kind in levers.types if levers else ():
        if params[kind]["metric"] != _METRIC or params[kind]["growth_method"] in _TRUNK_METHODS:
            report.parameter((KEY, kind), f"growth levers need bar codes of {_METRIC}")
        try:
            MeasuredTrees.prepare(kind, distribs)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            hint = "extract the distributions with measured trees, or leave the levers out"
            report.distribution((MEASURED, kind), str(error), hint)


def refused_levers(params, engine):
    """The neurite types whose levers an engine cannot use.

    Args:
        params: the parameters of an mtype.
        engine: "compiled" or "neurots", which does not know levers.
    """
    return sorted(params.get(KEY) or {}) if engine == "neurots" else []


def stretch_notes(parameters):
    """Sentences on mtypes whose growth is stretched: that can fit an artefact of slices.

    Args:
        parameters: {mtype: its parameters}, the forms of their levers checked.
    """
    for mtype, params in parameters.items():
        for kind, levers in (params.get(KEY) or {}).items():
            factors = levers.get("stretch") if isinstance(levers, dict) else None
            if factors and tuple(factors) != NO_STRETCH:
                shown = ", ".join(f"{factor:g}" for factor in factors)
                yield (
                    f"{mtype}: directions of {kind} are stretched along x, y and z by {shown} "
                    "(lever 'stretch'), which can imitate the flattening of slices."
                )
