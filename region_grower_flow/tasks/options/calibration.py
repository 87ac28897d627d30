"""The options of what is made of reconstructions: distributions and parameters."""

from region_grower_flow import layout
from region_grower_flow.tasks.options.types import (
    Choice,
    Names,
    Place,
    Processes,
    Seed,
    Switch,
    Text,
    Whole,
)
from region_grower_flow.tasks.options.work import WorkOptions


class ReferenceOptions:
    """Which reconstructions are calibrated, and how they are prepared."""

    mtypes = Names(
        "Mtypes to calibrate, or to grow without an atlas, separated by commas (all)",
    )
    substitutions = Place(
        "YAML or JSON file of mtypes that borrow the reconstructions of others: "
        "{mtype that has cells: [mtypes that borrow]}"
    )
    morphology_frame = Choice(
        "Reconstructions straight from an image: use them as they are given, or copies with the "
        "soma at the origin, or copies that are also turned so that the apical dendrite is along "
        "+y",
        layout.MORPHOLOGY_FRAMES,
    )
    inverted_mtypes = Names(
        "The mtypes whose apical dendrites point away from the pia, separated by commas: where "
        "copies are turned, theirs are along -y"
    )
    reference_part = Choice(
        "Reconstructions of each mtype that are used: all, or one of two halves, to fit on one and "
        "to validate on the other",
        ("all", "fit", "test"),
    )
    split_seed = Seed("Seed of the two halves of the reconstructions")


class CalibrationOptions(ReferenceOptions, WorkOptions):
    """The reference morphologies and what is made of them."""

    morphologies_dir = Place("Folder of the reconstructed morphologies")
    dat_file = Place(
        "Table of the reconstructions and their mtypes: dat (name, an integer that is ignored, "
        "mtype), neuronDB XML, or CSV or TSV with a header"
    )
    morphologies_ext = Choice(
        "Extension of the reconstructed morphologies that the table names without their paths",
        ("h5", "swc", "asc", ".h5", ".swc", ".asc"),
    )
    region = Text(
        "Region that the distributions and parameters are written for; 'default' serves every "
        "region without an entry of its own",
        default=layout.DEFAULT_REGION,
    )
    diametrizer_config = Place(
        "JSON file of the diametrizer; without it the 'simpler' model is fitted"
    )
    on_bad_morphology = Choice(
        "What to do with a reconstruction that cannot be used: fail, or leave it out and say so",
        ("fail", "skip"),
    )
    synthesize_axons = Switch(
        "Calibrate axons (of the mtypes most of whose reconstructions have one) and grow them, "
        "instead of grafting them"
    )
    min_basal_trees = Whole(
        "Least number of basal dendrites in the distributions; growth needs 2, so 2 keeps mtypes "
        "whose reconstructions have one",
        default=1,
        least=1,
        most=2,
    )
    extraction_processes = Processes("extract distributions", "as many as pay, up to the cores")
    extracted_distributions = Place(
        "Where the extracted distributions are written (in the work folder)"
    )


class ParameterOptions(CalibrationOptions):
    """How parameters are generated."""

    base_parameters = Place(
        "JSON file of NeuroTS parameters to start from, instead of NeuroTS's defaults"
    )
    overrides = Place(
        "YAML or JSON file, or CSV table (mtype, entry, value), of values that replace generated "
        "parameters, by mtype"
    )
    generated_parameters = Place("Where the generated parameters are written (in the work folder)")


class FitOptions:
    """Fits and rules that complete the parameters."""

    trunk_fits = Choice(
        "Laws of trunk angles in 3D fitted to the reconstructions: none; those asked for by rules, "
        "overrides or base parameters that name a mode without values; or all",
        ("none", "asked", "all"),
    )
    trunk_rules = Place(
        "YAML or JSON file of the mode and form of trunk angles, by mtype (or 'default') and "
        "neurite type"
    )
    scaling_rules = Place(
        "YAML or JSON file of limits and targets in the layers, by mtype (or 'default') and "
        "neurite type"
    )
    path_fit_trees = Choice(
        "Trees of a reconstruction that count in the fit of path distances against extents, for "
        "targets: the first of its type, or all",
        ("first", "all"),
    )


class BuildOptions(FitOptions, ParameterOptions):
    """How parameters are generated and completed."""
