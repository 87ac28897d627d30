"""One attempt at a cell: grown, brought into its limits, grafted, written.

What is imported here is needed by every cell: :mod:`~region_grower_flow.cell.synthesis` imports
this module with its first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow import engine, layout
from region_grower_flow.cell.limits import fit_to_limits
from region_grower_flow.cell.order import nrn_ordered
from region_grower_flow.engine.kernels.geometry import fill_h5_tables
from region_grower_flow.io.morphologies import (
    encode,
    morphology_name,
    relative_stem,
    write_contents,
)
from region_grower_flow.io.morphology_h5 import blank_h5, check_sections
from region_grower_flow.io.nrn import apical_nrn_sections
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.space.layers import LayerContext
from region_grower_flow.space.scaling import MIN_PATH_DISTANCE, MIN_THICKNESS, limits

if TYPE_CHECKING:
    from region_grower_flow.cell.inputs import CellInputs
    from region_grower_flow.engine.model import Grown, GrowthSite
    from region_grower_flow.io.table import Cell

H5 = "h5"


def attempt_cell(inputs: CellInputs, cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
    """Make a cell and write it; returns what its record says of it.

    Raises:
        GrowthFailed, ValueError: another attempt may do better.
        DropCell, InvalidInput: the cell cannot be made.
        OutputFailed: its morphology cannot be written.
    """
    settings = inputs.settings
    layers, entry = LayerContext.of(cell), inputs.entry(cell)
    site, donor = inputs.site(cell, entry.params, layers), inputs.donor(cell)
    prepared = inputs.prepared(entry)
    grown = engine.grow(prepared, site, rng, engine=settings.growth.engine)
    morphology, changes, kept = fit_to_limits(
        grown.morphology,
        limits(prepared.params, layers, grown.morphology),
        site.y_direction,
        settings.growth.min_hard_scale,
        -site.position,
    )
    sections = [s for s in grown.apical_sections if s is not None and kept[s] >= 0]
    apical_points = [morphology.section(kept[s])[-1].tolist() for s in sections]
    if donor is not None:
        morphology = _graft(inputs, cell, morphology, donor, rng)
    result = {
        "apical_sections": [None if s is None else int(s) for s in grown.apical_sections],
        "apical_points": apical_points,
        "engine": grown.engine,
        "fallback": grown.fallback,
        **_write(inputs, cell, morphology, apical_points),
    }
    if settings.debug:
        result["debug"] = _debug_data(site, grown, changes)
    return result


def _graft(
    inputs: CellInputs,
    cell: Cell,
    morphology: FlatMorphology,
    donor: FlatMorphology,
    rng: np.random.Generator,
) -> FlatMorphology:
    from region_grower_flow.cell.axon import place_axon

    growth = inputs.settings.growth
    return place_axon(
        morphology,
        donor,
        cell.orientation,
        scale=None if np.isnan(cell.axon_scale) else cell.axon_scale,
        rotational_jitter_std=growth.rotational_jitter_std,
        scaling_jitter_std=growth.scaling_jitter_std,
        rng=rng,
    )


def _write(
    inputs: CellInputs, cell: Cell, morphology: FlatMorphology, apical_points: Sequence[Any]
) -> dict[str, Any]:
    settings = inputs.settings
    stem = relative_stem(morphology_name(inputs.seed(cell)), settings.directory_depth)
    result: dict[str, Any] = {"name": stem, "files": {}, "apical_NRN_sections": None}
    if settings.skip_write:
        return result
    extensions = settings.growth.out_morph_ext
    contents = {}
    if not settings.nrn_sections and tuple(extensions) == (H5,):
        contents = encode_in_order(morphology)
    if not contents:
        ordered, _ = nrn_ordered(morphology)
        contents = {extension: encode(ordered, extension) for extension in extensions}
        if settings.nrn_sections:
            text = next(e for e in extensions if e in layout.NEURON_EXTENSIONS)
            result["apical_NRN_sections"] = apical_nrn_sections(ordered, apical_points, text)
    if inputs.shard is not None:
        result["shard"] = inputs.shard.append(contents[H5])
    else:
        result["files"] = write_contents(settings.morphologies, stem, contents)
    return result


def encode_in_order(morphology: FlatMorphology) -> dict[str, Any]:
    """{"h5": the file of a morphology, its trees in NEURON's order}, made in one pass.

    Empty where the layout of HDF5 is not known: then it is made step by step.

    Raises:
        DropCell: MorphIO would not read it.
    """
    soma = morphology.soma_points, morphology.soma_diameters
    blank = blank_h5(len(morphology.points), morphology.n_sections, *soma)
    if blank is None:
        return {}
    content, points, structure = blank
    first = len(points) - len(morphology.points)
    arrays = morphology.points, morphology.diameters, morphology.offsets
    sound = fill_h5_tables(*arrays, morphology.types, morphology.parents, first, points, structure)
    if not sound or not np.isfinite(points[:first]).all():
        check_sections(morphology)
    return {H5: content}


def _scaling_inputs(neurite_type: str, scaling: Any) -> dict[str, Any]:
    """The numbers that a barcode was scaled by, under the reference's names."""
    if scaling.kind == "default":
        return {
            "target_thickness": scaling.target,
            "reference_thickness": scaling.reference,
            "min_target_thickness": MIN_THICKNESS,
        }
    slope, intercept = scaling.fit
    return {
        "fit_slope": slope,
        "fit_intercept": intercept,
        f"{neurite_type.removesuffix('_dendrite')}_target_extent": scaling.extent,
        "target_path_distance": scaling.path_distance,
        "min_target_path_distance": MIN_PATH_DISTANCE,
    }


def _debug_data(site: GrowthSite, grown: Grown, changes: Any) -> dict[str, Any]:
    """The reference's debug infos, as JSON."""
    inputs = {}
    for kind, log in grown.scaling_log.items():
        found = [(name, each) for name, each in site.scaling.items() if each.kind == kind]
        if not found:
            continue
        name, scaling = found[0]
        inputs[f"{kind}_func"] = {"inputs": _scaling_inputs(name, scaling), "scaling": log}
    debug: dict[str, Any] = {"input_scaling": inputs}
    if changes:
        debug["neurite_hard_limit_rescaling"] = changes
    names = [c.mesh_name for c in site.constraints if getattr(c, "mesh_name", None)]
    if names:
        debug["mesh_name"] = names[-1]
    return debug
