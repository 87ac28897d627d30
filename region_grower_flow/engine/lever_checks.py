"""Growth levers, checked before any cell is grown: what the schema of the parameters cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from region_grower_flow.engine.kernels.state import METHODS, TRUNK
from region_grower_flow.engine.levers import KEY, MEASURED, NO_STRETCH, CellLevers
from region_grower_flow.engine.measured_trees import MeasuredTrees

if TYPE_CHECKING:
    from region_grower_flow.engine.check_report import ProblemReport
    from region_grower_flow.engine.model import Params

_METRIC = "path_distances"


def check_levers(params: Params, distribs: Params, report: ProblemReport) -> None:
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
        method = METHODS[params[kind]["growth_method"]]
        if params[kind]["metric"] != _METRIC or method == TRUNK:
            report.parameter((KEY, kind), f"growth levers need barcodes of {_METRIC}")
        try:
            MeasuredTrees.prepare(kind, distribs)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            hint = "extract the distributions with measured trees, or leave the levers out"
            report.distribution((MEASURED, kind), str(error), hint)


def stretch_notes(parameters: Mapping[str, Params]) -> Iterator[str]:
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
