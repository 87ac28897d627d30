"""A configuration of synthesis-workflow as one of ours, and what has no counterpart."""

import configparser
from pathlib import Path

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.documents import read_text
from region_grower_flow.options.documents import SECTION
from region_grower_flow.start.files import LUIGI

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
    ("BuildAxonMorphologies", "placement_seed"): "axon_seed",
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
_LUIGI_SECTIONS = ("core", "worker", "retcode", "logging", "scheduler", "DEFAULT")
_HARMLESS = {
    "url": "nothing is fetched: name the files",
    "version": "nothing is fetched: name the files",
    "branch": "nothing is fetched: name the files",
    "axon_method": "morph_axon grafts, synthesize_axons grows them",
    "debug_region_grower_scales": "out_debug_data names a file (JSON Lines)",
    "boundary_thickness": "boundary_distance is in um, not voxels",
    "collageconfig_path": "neurocollage reads it; collages here have options of their own",
}


def migrate(path):
    """Translate a configuration of synthesis-workflow.

    Returns:
        (text of ours, [(section, key, value, why)] of what has no counterpart).

    Raises:
        InvalidInput: it cannot be read, or nothing in it is synthesis-workflow's.
    """
    parser = configparser.RawConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    try:
        parser.read_string(read_text(path))
    except configparser.Error as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(f"cannot be parsed ({reason})", path) from error
    found, left = {}, []
    for section in parser.sections():
        if section in _LUIGI_SECTIONS:
            continue
        for key, value in parser.items(section):
            option = OPTIONS.get((section, key))
            if option is None:
                why = _HARMLESS.get(key, "see docs/howto/migration.rst")
                left.append((section, key, value, why))
            elif option in found:
                left.append((section, key, value, f"{option} is given already"))
            else:
                found[option] = (section, key, value)
    if not found:
        raise InvalidInput("holds no option of synthesis-workflow that has one here", path)
    lines = [f"# From {Path(path).name}, a configuration of synthesis-workflow.", f"[{SECTION}]"]
    for option, (section, key, value) in found.items():
        lines += [f"# [{section}] {key}", f"{option} = {_value(option, value)}"]
    lines += [f"# no counterpart: [{s}] {k} = {v}  ({why})" for s, k, v, why in left]
    return "\n".join(lines) + "\n" + LUIGI, left


def _value(option, value):
    text = " ".join(str(value).split())
    if option in ("mtypes", "slice_mtypes", "out_morph_ext"):
        return ",".join(w.strip(" \"'") for w in text.strip("[]()").split(",") if w.strip(" \"'"))
    if option == "morphologies_dir" and text.startswith("{"):
        # {format: folder}: the first folder.
        return text.strip("{}").split(",")[0].split(":", 1)[-1].strip(" \"'")
    return text
