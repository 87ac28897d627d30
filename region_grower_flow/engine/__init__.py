"""Growth of one cell: compiled, or by NeuroTS itself (see :func:`grow`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from region_grower_flow.engine.model import BarcodeScaling, Diametrizer, Grown, GrowthSite, Params
from region_grower_flow.engine.warm import warm_up
from region_grower_flow.errors import DropCell, some
from region_grower_flow.options.growth import Growth

if TYPE_CHECKING:
    import numpy as np

    from region_grower_flow.engine.prepared import PreparedMtype

__all__ = ["ENGINES", "BarcodeScaling", "Grown", "GrowthSite", "grow", "prepare", "warm_up"]

ENGINES = ("compiled", "neurots")


def prepare(
    params: Params,
    distributions: Params,
    diameters: Diametrizer | None = None,
    growth: Growth = Growth(),
) -> PreparedMtype:
    """Prepare an mtype once: see :func:`region_grower_flow.engine.mtype.prepare_mtype`."""
    from region_grower_flow.engine.mtype import prepare_mtype

    return prepare_mtype(params, distributions, diameters, growth)


def grow(
    prepared: PreparedMtype, site: GrowthSite, rng: np.random.Generator, engine: str = "compiled"
) -> Grown:
    """Grow and diametrize one cell.

    Args:
        prepared: what :func:`prepare` made of the mtype.
        site: the GrowthSite of the cell.
        rng: the cell's :class:`numpy.random.Generator`.
        engine: "compiled", or "neurots" to let NeuroTS grow the cell. What cannot be grown
            compiled is grown by NeuroTS too, unless it asks for what NeuroTS does not know; the
            result's ``fallback`` says why.

    Returns:
        Grown, in the atlas's coordinates. Same generator state, same cell, whichever engine.

    Raises:
        GrowthFailed: this attempt failed; another one with the same generator may do better.
        DropCell: the cell cannot be grown.
    """
    reason = None
    if engine == "compiled":
        reason = prepared.unsupported or _unsupported_site(site)
        if reason is None:
            from region_grower_flow.engine.compiled import grow_compiled

            return grow_compiled(prepared, site, rng)
    from region_grower_flow.engine.beyond_neurots import beyond_neurots
    from region_grower_flow.engine.reference import grow_with_neurots

    lacking = beyond_neurots(prepared.params, prepared.growth)
    if lacking:
        why = f", but {reason}" if reason else ""
        raise DropCell(f"only the compiled engine knows {some(lacking)}{why}")
    grown = grow_with_neurots(prepared.params, prepared.distributions, site, rng)
    grown.fallback = reason
    return grown


def _unsupported_site(site: GrowthSite) -> str | None:
    """Reason why this cell cannot be grown compiled though its mtype can, or None."""
    for constraint in site.constraints:
        params = constraint.entry.get("params_section") or {}
        if params.get("max_tries", 1) < 1 or params.get("randomness_increase", 1) <= 0:
            return "a space constraint without tries or without randomness"
    return None
