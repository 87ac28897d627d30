"""Preparation of an mtype, once for all of its cells: arrays instead of JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.engine.angle_laws import with_laws
from region_grower_flow.engine.apical import ApicalPoint
from region_grower_flow.engine.bar_profiles import profile_table
from region_grower_flow.engine.distributions import Distribution, TrunkDistributions
from region_grower_flow.engine.kernels import state
from region_grower_flow.engine.kin import Kin
from region_grower_flow.engine.levers import KEY, MEASURED, CellLevers, TypeLevers
from region_grower_flow.engine.measured_trees import MeasuredTrees
from region_grower_flow.engine.prepared import PreparedMtype, PreparedType
from region_grower_flow.engine.trunks import TrunkRules
from region_grower_flow.options.growth import Growth

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Diametrizer, Params

METRICS = {
    "path_distances": state.PATH_DISTANCES,
    "radial_distances": state.RADIAL_DISTANCES,
    "trunk_length": state.TRUNK_LENGTH,
}
BRANCHINGS = {
    "bio_oriented": state.BIO_ORIENTED,
    "symmetric": state.SYMMETRIC,
    "directional": state.DIRECTIONAL,
    "random": state.RANDOM,
}
STEPS = {
    "norm": state.NORM,
    "uniform": state.UNIFORM,
    "expon": state.EXPON,
    "data": state.DATA,
}
LEGACY_NAMES = {"apical", "basal"}

BAR_COLUMNS = 6
"""Columns of a barcode: termination, bifurcation, four angles."""

TUFTLESS_STEPS = 10
"""Steps of the apical point before the last bifurcation, where there is no tuft."""


def prepare_mtype(
    params: Params,
    distributions: Params,
    diameters: Diametrizer | None = None,
    growth: Growth = Growth(),
) -> PreparedMtype:
    """Prepare an mtype for growth.

    Nothing raises here: what the compiled engine cannot grow (or NeuroTS could not) is left to
    NeuroTS, with the reason in ``unsupported``.

    Args:
        params: NeuroTS parameters of the mtype, left as they are.
        distributions: NeuroTS distributions of the mtype, left as they are.
        diameters: an object with ``apply(morphology, apical_sections, rng)`` that sets a
            FlatMorphology's diameters; NeuroTS's own diametrizers when None.
        growth: the options of growth: those that RULES has a field for reach the kernels.

    Returns:
        PreparedMtype.
    """
    with contextlib.suppress(KeyError, TypeError, AttributeError):  # told by what follows
        params = with_laws(params, distributions)
    if diameters is None:
        from region_grower_flow.engine.neurots_diameters import NeurotsDiameters

        diameters = NeurotsDiameters(params, distributions)
    prepared = PreparedMtype(params, distributions, diameters, growth)
    try:
        _fill(prepared)
    except KeyError as error:
        prepared.unsupported = f"the inputs of the mtype have no {error}"
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        prepared.unsupported = f"{error}"
    return prepared


def with_levers(prepared: PreparedMtype, params: Params) -> PreparedMtype:
    """A copy of a PreparedMtype with other numbers of growth, for fits that try many.

    Args:
        prepared: a PreparedMtype with levers and without ``unsupported``.
        params: its parameters with other values of ``randomness``, ``targeting``, ``step_size``
            and of levers; what else differs is not heeded.

    Raises:
        KeyError, TypeError, ValueError: they cannot be used.
    """
    if params[KEY].get("kin") != prepared.params[KEY].get("kin"):
        raise ValueError("another 'kin' needs a preparation of its own")
    levers = CellLevers.prepare(params)
    if levers is None:
        raise ValueError("the parameters have no levers")
    steps: list[tuple[float, float]] = []
    rules = _rules_of_options(len(prepared.types), prepared.growth)
    types = []
    for i, neurite in enumerate(prepared.types):
        entry = params[neurite.kind]
        neurite = replace(neurite, step=Distribution.prepare(entry["step_size"]))
        _fill_rules(rules[i], entry, neurite, steps)
        if neurite.kind in levers.types:
            levers.types[neurite.kind].fill(rules[i], neurite.step.middle)
        types.append(neurite)
    return replace(
        prepared,
        params=params,
        levers=levers,
        types=types,
        rules=state.as_records(rules.view(np.ndarray)),
        steps=np.array(steps, dtype=np.float64).reshape(-1, 2),
    )


def _fill(prepared: PreparedMtype) -> None:
    params, distributions = prepared.params, prepared.distributions
    kinds = params["grow_types"]
    if LEGACY_NAMES & {*params, *kinds}:
        raise ValueError("neurite types have their former names (apical, basal)")
    prepared.soma_size = Distribution.prepare(distributions["soma"]["size"])
    prepared.levers = CellLevers.prepare(params)
    with_levers = {} if prepared.levers is None else prepared.levers.types
    steps: list[tuple[float, float]] = []
    n_barcodes = 0
    rules = _rules_of_options(len(kinds), prepared.growth)
    for i, kind in enumerate(kinds):
        measured = MeasuredTrees.prepare(kind, distributions) if kind in with_levers else None
        neurite = _prepare_type(kind, params[kind], distributions[kind], n_barcodes, measured)
        _fill_rules(rules[i], params[kind], neurite, steps)
        if kind in with_levers:
            with_levers[kind].fill(rules[i], neurite.step.middle)
        prepared.types.append(neurite)
        n_barcodes += len(neurite.barcodes)
    barcodes = [barcode for neurite in prepared.types for barcode in neurite.barcodes]
    prepared.rules = state.as_records(rules.view(np.ndarray))
    prepared.steps = np.array(steps, dtype=np.float64).reshape(-1, 2)
    prepared.barcodes = _sorted_barcodes(prepared.types, with_levers)
    prepared.first_bars = np.cumsum([0, *map(len, barcodes)]).astype(np.int64)
    if prepared.levers is not None:
        prepared.kin = _kin(prepared, prepared.levers.kin)
        prepared.profiles = profile_table(
            (neurite.barcodes, neurite.measured) for neurite in prepared.types
        )
    if "apical_dendrite" in kinds:
        prepared.apical_type = int(params["apical_dendrite"]["tree_type"])
    for neurite in prepared.types:
        if neurite.method == state.TRUNK and neurite.section_type == prepared.apical_type:
            raise ValueError("an apical dendrite that is a mere trunk has no apical point")
    modes = [isinstance(params[kind]["orientation"], dict) for kind in kinds]
    prepared.by_mode = bool(modes) and modes[0]
    prepared.pia_matters = any(modes)


def _kin(prepared: PreparedMtype, share: float | None) -> Kin:
    """The Kin of an mtype with levers; also where it has no measured trees, to draw from."""
    measured = {
        neurite.kind: neurite.measured for neurite in prepared.types if neurite.measured is not None
    }
    cells = prepared.distributions.get(MEASURED, {}).get("cells") or [{"soma_radius": 0.0}]
    radii = [float(cell["soma_radius"]) for cell in cells]
    return Kin.prepare(measured, radii, share)


def _prepare_type(
    kind: str,
    params: Params,
    distributions: Params,
    first_barcode: int,
    measured: MeasuredTrees | None,
) -> PreparedType:
    method = state.METHODS[params["growth_method"]]
    if params.get("modify"):
        raise ValueError(f"{kind} has a 'modify' of its own")
    if measured is not None:
        _check_levers(kind, params)
        barcodes = measured.barcodes
    else:
        barcodes = [] if method == state.TRUNK else _barcodes(kind, distributions)
    step = Distribution.prepare(params["step_size"])
    apical_points, offset = None, 0.0
    if method in state.APICAL_METHODS:
        if params.get("has_apical_tuft", False):
            apical_points = [ApicalPoint.prepare(barcode) for barcode in barcodes]
        else:
            offset = TUFTLESS_STEPS * float(params["step_size"]["norm"]["mean"])
    return PreparedType(
        kind=kind,
        trunks=TrunkRules.prepare(kind, params, TrunkDistributions.prepare(distributions)),
        step=step,
        method=method,
        barcodes=barcodes,
        first_barcode=first_barcode,
        longest=[float(barcode[:, 0].max()) for barcode in barcodes],
        apical_points=apical_points,
        tuftless_offset=offset,
        section_type=int(params["tree_type"]),
        measured=measured,
    )


def _check_levers(kind: str, params: Params) -> None:
    """Levers are for types that grow by path distances along barcodes."""
    if (
        state.METHODS[params["growth_method"]] == state.TRUNK
        or params["metric"] != "path_distances"
    ):
        raise ValueError(f"growth levers of {kind} need barcodes of path distances")


def _barcodes(kind: str, distributions: Params) -> list[np.ndarray]:
    barcodes = [np.array(d, dtype=float) for d in distributions["persistence_diagram"]]
    for barcode in barcodes:
        if barcode.ndim != 2 or barcode.shape[1] != BAR_COLUMNS or not len(barcode):
            raise ValueError(f"a barcode of {kind} is not made of bars with angles")
        if not np.isfinite(barcode[:, :2]).all():
            raise ValueError(f"a barcode of {kind} has bars that are no numbers")
    return barcodes


def _sorted_barcodes(types: Sequence[PreparedType], levers: Mapping[str, TypeLevers]) -> np.ndarray:
    """All barcodes of the PreparedTypes one after the other, as BARCODE_BAR records.

    Args:
        types: PreparedTypes.
        levers: {neurite type: TypeLevers} of those with levers.
    """
    barcodes = [barcode for neurite in types for barcode in neurite.barcodes]
    records = np.zeros(sum(map(len, barcodes)), state.BARCODE_BAR)
    records["bend"] = records["bend_ahead"] = 1.0
    first = 0
    for barcode in barcodes:
        place = np.argsort(barcode[:, 1], kind="stable")
        part = records[first : first + len(barcode)]
        part["place"] = place
        part["term"], part["bif"] = barcode[place, 0], barcode[place, 1]
        part["angles"] = barcode[place, 2:]
        part["by_term"] = np.argsort(part["term"], kind="stable")
        first += len(barcode)
    first = 0
    for neurite in types:
        n_bars = sum(map(len, neurite.barcodes))
        if neurite.measured is not None:
            neurite.measured.fill(records[first : first + n_bars], levers[neurite.kind].bending)
        first += n_bars
    return state.as_records(records)


def _rules_of_options(count: int, growth: Growth) -> np.recarray:
    """RULES records with the options of growth that have a field there; all else is 0."""
    rules = np.zeros(count, state.RULES).view(np.recarray)
    for name in set(state.RULES.names or ()) & growth.DECLARED.keys():
        rules[name] = getattr(growth, name)
    return rules


def _fill_rules(
    rules: Any, params: Params, neurite: PreparedType, steps: list[tuple[float, float]]
) -> None:
    """Fill the RULES record of a type and append its lengths to ``steps``."""
    rules.randomness = np.clip(float(params["randomness"]), 0.0, 1.0)
    rules.targeting = np.clip(float(params["targeting"]), 0.0, 1.0)
    rules.history = np.clip(1.0 - rules.randomness - rules.targeting, 0.0, 1.0)
    if not np.isclose(rules.randomness + rules.targeting + rules.history, 1.0):
        raise ValueError(f"randomness and targeting of {neurite.kind} add up to more than 1")
    rules.method = neurite.method
    rules.metric = METRICS[params["metric"]]
    if (neurite.method == state.TRUNK) != (rules.metric == state.TRUNK_LENGTH):
        raise ValueError(f"growth method and metric of {neurite.kind} do not go together")
    rules.branching = BRANCHINGS[params["branching_method"]]
    rules.section_type = neurite.section_type
    if neurite.method == state.TRUNK:
        axon = params["growth_method"] == "axon_trunk"
        rules.num_seg = 1 if axon else int(np.ceil(params["num_seg"]))
    if "major_termination_length" in params:
        if neurite.method == state.TRUNK:
            raise ValueError(f"the trunk of {neurite.kind} has a major_termination_length")
        rules.has_major_termination = 1
        rules.major_termination_length = float(params["major_termination_length"])
    if neurite.method == state.TMD_GRADIENT:
        rules.bias, rules.bias_length = float(params["bias"]), float(params["bias_length"])
    _fill_step(rules, neurite.step, steps)


def _fill_step(rules: Any, step: Distribution, steps: list[tuple[float, float]]) -> None:
    constant = step.kind != "data" and step.scale == 0
    rules.step_kind = state.CONSTANT if constant else STEPS[step.kind]
    rules.step_loc, rules.step_scale = step.loc, step.scale
    rules.first_step = len(steps)
    if step.kind == "data":
        steps.extend(zip(step.positive_values.values, step.positive_values.cumulated, strict=True))
    rules.last_step = len(steps)
