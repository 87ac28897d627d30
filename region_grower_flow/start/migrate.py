"""A configuration of synthesis-workflow as one of ours, and what has no counterpart."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options import SECTION
from region_grower_flow.options.validation import ATLAS, VACUUM
from region_grower_flow.start.files import LUIGI
from region_grower_flow.start.flow_file import parsed

OPTIONS = {
    ("CircuitConfig", "circuit_somata_path"): "input_cells",
    ("CircuitConfig", "atlas_path"): "atlas",
    ("CircuitConfig", "cell_composition_path"): "densities",
    ("CircuitConfig", "region_structure_path"): "region_structure",
    ("BuildCircuit", "density_factor"): "density_factor",
    ("BuildCircuit", "seed"): "placement_seed",
    ("BuildCircuit", "mtype_taxonomy_file"): "mtype_taxonomy",
    ("SliceCircuit", "n_cells"): "slice_n_cells",
    ("SliceCircuit", "mtypes"): "slice_mtypes",
    ("SliceCircuit", "sliced_circuit_path"): "sliced_cells",
    ("CreateAtlasPlanes", "plane_type"): "planes_type",
    ("CreateAtlasPlanes", "plane_count"): "planes_count",
    ("CreateAtlasPlanes", "slice_thickness"): "planes_thickness",
    ("CreateAtlasPlanes", "centerline_axis"): "planes_axis",
    ("BuildMorphsDF", "neurondb_path"): "dat_file",
    ("BuildMorphsDF", "morphology_dirs"): "morphologies_dir",
    ("ApplySubstitutionRules", "substitution_rules_path"): "substitutions",
    ("AddScalingRulesToParameters", "scaling_rules_path"): "scaling_rules",
    ("OverwriteCustomParameters", "custom_parameters_path"): "overrides",
    ("SynthesisConfig", "tmd_parameters_path"): "tmd_parameters",
    ("SynthesisConfig", "tmd_distributions_path"): "tmd_distributions",
    ("SynthesisConfig", "mtypes"): "mtypes",
    ("BuildAxonMorphologies", "axon_morphs_path"): "chosen_axons",
    ("BuildAxonMorphologies", "axon_cells_path"): "axon_donors",
    ("BuildAxonMorphologies", "annotations_path"): "placement_annotations",
    ("BuildAxonMorphologies", "placement_rules_path"): "placement_rules",
    ("BuildAxonMorphologies", "placement_alpha"): "axon_alpha",
    ("BuildAxonMorphologies", "placement_seed"): "placement_seed",
    ("Synthesize", "out_circuit_path"): "out_cells",
    ("Synthesize", "axon_morphs_base_dir"): "base_morph_dir",
    ("Synthesize", "apical_points_path"): "out_apical",
    ("Synthesize", "max_drop_ratio"): "max_drop_ratio",
    ("Synthesize", "scaling_jitter_std"): "scaling_jitter_std",
    ("Synthesize", "rotational_jitter_std"): "rotational_jitter_std",
    ("Synthesize", "seed"): "seed",
    ("RunnerConfig", "nb_jobs"): "nb_processes",
    ("PathConfig", "ext"): "out_morph_ext",
    ("VacuumSynthesize", "n_cells"): "vacuum_cells",
    ("VacuumSynthesize", "vacuum_synth_morphology_path"): "vacuum_dir",
}
"""{(section, key) of synthesis-workflow: our option}; docs/howto/migration.rst has differences."""
REPORTS = {
    "with_collage": "PlotCollage",
    "with_morphometrics": "PlotMorphometrics",
    "with_density_profiles": "PlotDensityProfiles",
    "with_path_distance_fits": "PlotPathDistanceFits",
    "with_scale_statistics": "PlotScales",
    "with_score_matrix_reports": "PlotScoreMatrix",
    "with_vacuum_morphologies": "PlotVacuumMorphologies",
    "with_trunk_validation": "ValidateTrunks",
}
"""{switch of their validations: our report}; there all but the last are on by default."""
VALIDATIONS = {
    "ValidateSynthesis": (ATLAS, ("with_vacuum_morphologies",)),
    "ValidateVacuumSynthesis": (
        VACUUM,
        ("with_collage", "with_path_distance_fits", "with_scale_statistics"),
    ),
}
"""{their validation: (our report_of, switches that it does not have)}."""
PLACING = {"BuildCircuit", "SliceCircuit"}
"""Their sections of cells that are placed before they are grown."""
SLICE_OF_THEIRS = 2.0
"""A slice is as thick to either side of its plane as slice_thickness says there."""
_LUIGI_SECTIONS = ("core", "worker", "retcode", "logging", "scheduler", "DEFAULT")
_HARMLESS = {
    "url": "nothing is fetched: name the files",
    "version": "nothing is fetched: name the files",
    "branch": "nothing is fetched: name the files",
    "git_synthesis_input_path": "nothing is fetched: name the files",
    "region": "planes_region cuts slices of a region",
    "hemisphere": "planes_hemisphere and slice_hemisphere",
    "result_path": "each output has an option of its own",
    "morphology_path": "dat_file names the morphologies",
    "with_morphology_validation_reports": "region-grower-flow validate does this, with verdicts",
    "trunk_method": "trunk_fits = all fits laws of trunk angles",
    "realistic_diameters": "lines are as wide as neurites",
    "linewidth": "lines are as wide as neurites",
    "diameter_scale": "lines are as wide as neurites",
    "axon_method": "morph_axon grafts, synthesize_axons grows them",
    "debug_region_grower_scales": "out_debug_data names a file (JSON Lines)",
    "boundary_thickness": "boundary_distance is in um, not voxels",
    "collageconfig_path": "neurocollage reads it; collages here have options of their own",
}


Origin = tuple[str, str, str]
"""Where an option comes from, and its value: (section, key, value) of synthesis-workflow."""


def migrate(path: PathLike) -> tuple[str, list[tuple[str, str, str, str]], list[str]]:
    """Translate a configuration of synthesis-workflow.

    Returns:
        (text of ours, [(section, key, value, why)] of what has no counterpart, [sentence to know]).

    Raises:
        InvalidInput: it cannot be read, or nothing in it is synthesis-workflow's.
    """
    parser = parsed(path, strict=False)
    found: dict[str, Origin] = {}
    left = []
    for section in parser.sections():
        if section in _LUIGI_SECTIONS:
            continue
        items = dict(parser.items(section))
        if section in VALIDATIONS and "reports" not in found:
            found.update(_reports(section, items))
        for key, value in items.items():
            if section in VALIDATIONS and key in REPORTS:
                continue
            option = OPTIONS.get((section, key))
            if option == "input_cells" and PLACING & set(parser.sections()):
                option = "placed_cells"  # which the steps before the synthesis write and read
            if option is None:
                why = _HARMLESS.get(key, "see docs/howto/migration.rst")
                left.append((section, key, value, why))
            elif option not in found:
                found[option] = (section, key, value)
            elif value != found[option][-1]:
                of, name, given = found[option]
                why = f"{option} is {given}, of [{of}] {name}: here it decides both"
                left.append((section, key, value, why))
    if not found:
        raise InvalidInput("holds no option of synthesis-workflow that we have, too", path)
    lines = [f"# From {Path(path).name}, a configuration of synthesis-workflow.", f"[{SECTION}]"]
    for option, (section, key, value) in found.items():
        lines += [f"# [{section}] {key}".rstrip(), f"{option} = {_value(option, value)}"]
    told = list(notes(found, parser.sections()))
    lines += [f"# {note}" for note in told]
    lines += [f"# no counterpart: [{s}] {k} = {v}  ({why})" for s, k, v, why in left]
    return "\n".join(lines) + "\n" + LUIGI, left, told


def _reports(section: str, switches: Mapping[str, str]) -> dict[str, Origin]:
    """{option: (section, key, value)} of the reports that a validation there makes."""
    shown, lacking = VALIDATIONS[section]
    wanted = [
        report
        for key, report in REPORTS.items()
        if key not in lacking and _is_on(switches.get(key, key != "with_trunk_validation"))
    ]
    keys = ", ".join(key for key in switches if key in REPORTS)
    found = {"report_of": (section, "", shown)} if shown != ATLAS else {}
    return {**found, "reports": (section, keys, ",".join(wanted))} if keys else found


def _is_on(value: object) -> bool:
    return str(value).strip().lower() in ("true", "1", "yes", "on")


def notes(found: Container[str], sections: Iterable[str]) -> Iterator[str]:
    """Sentences on how to run it, and on defaults of theirs that are not ours.

    Args:
        found: {option: where it comes from}.
        sections: names of the sections there.
    """
    if PLACING & set(sections):
        yield (
            "Cells are placed, then grown, by: luigi --module region_grower_flow "
            "SynthesizeFromDensities (densities is the cell composition)."
        )
        if "density_factor" not in found:
            yield "density_factor is 1 here, 0.5 there."
        if "slice_n_cells" not in found:
            yield "slice_n_cells: all cells here, 10 of each mtype there."
    if "reports" in found:
        yield "Reports are made by: luigi --module region_grower_flow MakeReports."


def _value(option: str, value: str) -> str:
    text = " ".join(str(value).split())
    if option == "planes_type":
        return text.removeprefix("centerline_")
    if option == "planes_thickness":
        try:
            return f"{SLICE_OF_THEIRS * float(text):g}"
        except ValueError:
            return text  # a run says what is wrong
    if option in ("mtypes", "slice_mtypes", "out_morph_ext"):
        return ",".join(w.strip(" \"'") for w in text.strip("[]()").split(",") if w.strip(" \"'"))
    if option == "morphologies_dir" and text.startswith("{"):
        # {format: folder}: the first folder.
        return text.strip("{}").split(",")[0].split(":", 1)[-1].strip(" \"'")
    return text
