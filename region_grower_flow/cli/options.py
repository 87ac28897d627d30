"""The tasks' options as those of commands: each is described once, where the task has it."""

import configparser
import os
import sys

import click

import region_grower_flow
from region_grower_flow.cli.running import INVALID, PLAIN

WORK_FLAGS = {
    "work_dir": ("--work-dir",),
    "worker_log_level": ("--log-level",),
    "hide_progress_bar": ("--hide-progress-bar",),
}

CALIBRATION_FLAGS = {
    "diametrizer_config": ("-dc", "--diametrizer-config"),
    "morphologies_ext": ("-e", "--ext"),
    "region": ("--region",),
    "on_bad_morphology": ("--on-bad-morphology",),
    "mtypes": ("--mtypes",),
    "substitutions": ("--substitutions",),
    "morphology_frame": ("--morphology-frame",),
    "inverted_mtypes": ("--inverted-mtypes",),
    "reference_part": ("--reference-part",),
    "split_seed": ("--split-seed",),
    "synthesize_axons": ("--synthesize-axons",),
    **WORK_FLAGS,
}

PARAMETER_FLAGS = {
    "base_parameters": ("-tp", "--tmd-parameters"),
    "generated_parameters": ("-pf", "--parameter-filename"),
    "overrides": ("--overrides",),
    "trunk_fits": ("--trunk-fits",),
    "trunk_rules": ("--trunk-rules",),
    "scaling_rules": ("--scaling-rules",),
    "path_fit_trees": ("--path-fit-trees",),
    "region_structure": ("--region-structure",),
    **CALIBRATION_FLAGS,
}

DISTRIBUTION_FLAGS = {
    "extracted_distributions": ("-df", "--distribution-filename"),
    "extraction_processes": ("--nb-processes",),
    "min_basal_trees": ("--min-basal-trees",),
    **CALIBRATION_FLAGS,
}

SYNTHESIS_OPTIONS = (
    "input_cells",
    "tmd_parameters",
    "tmd_distributions",
    "morph_axon",
    "base_morph_dir",
    "atlas",
    "atlas_cache",
    "seed",
    "out_cells",
    "out_apical",
    "out_apical_nrn_sections",
    "out_morph_dir",
    "out_morph_ext",
    "max_files_per_dir",
    "overwrite",
    "max_drop_ratio",
    "scaling_jitter_std",
    "rotational_jitter_std",
    "out_debug_data",
    "nb_processes",
    "worker_log_level",
    "min_depth",
    "max_depth",
    "skip_write",
    "min_hard_scale",
    "region_structure",
    "container_path",
    "hide_progress_bar",
    "chunksize",
    "synthesize_axons",
    # What region-grower does not have.
    "work_dir",
    "launcher",
    "max_failure_ratio",
    "engine",
    "extra_apicals",
    "cell_timeout",
    "block_size",
    "circuit_config",
    "out_summary",
    "morphologies_dir",
    "dat_file",
    "morphologies_ext",
    "diametrizer_config",
    "overrides",
    "trunk_fits",
    "trunk_rules",
    "scaling_rules",
    "path_fit_trees",
    "min_basal_trees",
)

VALIDATION_OPTIONS = (
    "validation_of",
    "holdout",
    "fail_on",
    "validation_dir",
    "validation_sample",
    "structure_sample",
    "validation_seed",
    "validation_processes",
    "vacuum_cells",
    "vacuum_dir",
    "mtypes",
    "split_seed",
    "region",
)


def flags_of(names):
    """{option of a task: (flags)} of options whose flags are their names."""
    return {name: ("--" + name.replace("_", "-"),) for name in names} | {
        name: flags for name, flags in WORK_FLAGS.items() if name in names
    }


class TaskCommand(click.Command):
    """A command whose help texts come from a task's parameters.

    Args:
        task: the name of the task class.
        flags: {option of the task: (flags of the command)}.
        arguments: options of the task that are positional.
        defaults: {option: what help says of the command's own default}.
    """

    def __init__(self, *args, task, flags, arguments=(), defaults=None, **kwargs):
        super().__init__(*args, **kwargs)
        parameters = dict(task_class(task).get_params())
        defaults = {"work_dir": "beside the output", **(defaults or {})}
        self.params = [
            *(click.Argument([name], required=True) for name in arguments),
            *(click_option(n, f, parameters[n], defaults.get(n)) for n, f in flags.items()),
            *self.params,
        ]


def task_class(name):
    """The class of a task; ends the process when Luigi cannot read its configuration."""
    try:
        return getattr(region_grower_flow, name)
    except (configparser.Error, UnicodeDecodeError) as error:  # Luigi reads it when it is loaded
        path = os.environ.get("LUIGI_CONFIG_PATH", "luigi.cfg")
        click.echo(f"{path}: cannot be parsed ({' '.join(str(error).split())}).", err=True)
        sys.exit(INVALID)


def click_option(name, flags, parameter, default=None):
    """A task's option as an option of a command.

    Args:
        name: of the option.
        flags: those of the command.
        parameter: the Luigi parameter.
        default: what help says of the default, None for that of the task.
    """
    from region_grower_flow.tasks.options import types

    settings = {"help": _help(parameter, default)}
    settings["required"] = not isinstance(parameter._default, PLAIN)
    if isinstance(parameter, types.Switch):
        settings.update(is_flag=True, default=False)
    elif isinstance(parameter, types.Extensions):
        settings.update(multiple=True, type=click.Choice(["swc", "asc", "h5"]))
    elif isinstance(parameter, types.Choice):
        settings.update(type=click.Choice(parameter.words))
    elif isinstance(parameter, types.Whole):
        settings.update(type=int)
    elif isinstance(parameter, types.Number):
        settings.update(type=float)
    return click.Option([*flags, name], **settings)


def _help(parameter, default):
    """The description of an option, with its default where that can be told."""
    text = parameter.description.partition(". Choices: ")[0]  # click lists them itself
    if default is not None:
        text = text.removesuffix(" (in the work folder)")
    else:
        default = parameter._default
        if isinstance(default, bool) or not isinstance(default, str | int | float | tuple):
            return text
        default = parameter.serialize(default)
    return f"{text} (default: {default})" if default else text
