"""The options of what growth goes by: distributions and parameters, given or made."""

from region_grower_flow import layout
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Choice, Place, Processes, Switch, Text, Whole


class Model(Group):
    """Distributions and parameters: given as files, or made of the reconstructions."""

    TITLE = "Distributions and parameters"

    tmd_parameters = Place["str | None"](
        "JSON file of NeuroTS parameters per region and mtype, or a folder, pattern or index of "
        "files as in synthdb; generated without it"
    )
    tmd_distributions = Place["str | None"](
        "JSON file of NeuroTS distributions per region and mtype, or a folder, pattern or index of "
        "files as in synthdb; extracted without it"
    )
    region = Text[str](
        "Region that the distributions and parameters are written for; 'default' serves every "
        "region without an entry of its own",
        default=layout.DEFAULT_REGION,
    )
    diametrizer_config = Place["str | None"](
        "JSON file of the diametrizer; without it the 'simpler' model is fitted"
    )
    synthesize_axons = Switch(
        "Calibrate axons (of the mtypes most of whose reconstructions have one) and grow them, "
        "instead of grafting them"
    )
    min_basal_trees = Whole[int](
        "Least number of basal dendrites in the distributions; growth needs 2, so 2 keeps mtypes "
        "whose reconstructions have one",
        default=1,
        least=1,
        most=2,
    )
    bar_threshold = Whole["int | None"](
        "Trees with more terminations than this give barcodes (NeuroTS's threshold_sec); without "
        "it 2 as in NeuroTS, and 0 where growth is calibrated",
        optional=True,
        least=0,
        most=1000,
    )
    processes = Processes("examine, extract, calibrate, validate and report")
    extracted_distributions = Place["str | None"](
        "Where the extracted distributions are written (in the work folder)"
    )
    base_parameters = Place["str | None"](
        "JSON file of NeuroTS parameters to start from, instead of NeuroTS's defaults"
    )
    overrides = Place["str | None"](
        "YAML or JSON file, or CSV table (mtype, entry, value), of values that replace generated "
        "parameters, by mtype"
    )
    generated_parameters = Place["str | None"](
        "Where the generated parameters are written (in the work folder)"
    )
    trunk_fits = Choice(
        "Laws of trunk angles in 3D fitted to the reconstructions: none; those asked for by rules, "
        "overrides or base parameters that name a mode without values; or all",
        ("none", "asked", "all"),
    )
    trunk_rules = Place["str | None"](
        "YAML or JSON file of the mode and form of trunk angles, by mtype (or 'default') and "
        "neurite type"
    )
    scaling_rules = Place["str | None"](
        "YAML or JSON file of limits and targets in the layers, by mtype (or 'default') and "
        "neurite type"
    )
    growth_calibration = Choice(
        "Fit growth to the reconstructions: none; within NeuroTS's parameters; or extended, with "
        "growth levers that NeuroTS does not have",
        ("none", "parameters", "extended"),
    )
    path_fit_trees = Choice(
        "Trees of a reconstruction that count in the fit of path distances against extents, for "
        "targets: the first of its type, or all",
        ("first", "all"),
    )
