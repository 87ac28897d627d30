"""The command line: region-grower's commands, as thin ways to run the tasks."""

import configparser
import importlib.metadata
import logging
import os
import sys
from pathlib import Path

import click

from region_grower_flow import __version__
from region_grower_flow.errors import FlowError, InvalidInput

L = logging.getLogger(__name__)

INVALID, FAILED, INTERRUPTED = 2, 1, 130
"""Exit codes: the inputs are wrong; something went wrong during the work; Ctrl-C."""

_PLAIN = str | int | float | bool | tuple | None
"""What defaults of options are; Luigi marks options without default with an object."""


@click.group()
@click.version_option(__version__)
def main():
    """Grow neurons into a brain atlas."""


class TaskCommand(click.Command):
    """A command whose help texts come from a task's parameters.

    Args:
        task: the name of the task class.
        flags: {option of the task: (flags of the command)}.
        arguments: options of the task that are positional.
    """

    def __init__(self, *args, task, flags, arguments=(), **kwargs):
        self.task_name, self.arguments = task, arguments
        super().__init__(*args, **kwargs)
        self.params = [*self._arguments(), *self._options(flags), *self.params]

    def _arguments(self):
        return [click.Argument([name], required=True) for name in self.arguments]

    def _options(self, flags):
        parameters = dict(_task_class(self.task_name).get_params())
        for name, names in flags.items():
            yield _click_option(name, names, parameters[name])


def _task_class(name):
    try:
        from region_grower_flow import tasks
    except (configparser.Error, UnicodeDecodeError) as error:  # Luigi reads it when it is loaded
        path = os.environ.get("LUIGI_CONFIG_PATH", "luigi.cfg")
        click.echo(f"{path}: cannot be parsed ({' '.join(str(error).split())}).", err=True)
        sys.exit(INVALID)
    return getattr(tasks, name)


def _click_option(name, flags, parameter):
    from region_grower_flow.tasks.options import types

    default = parameter._default
    required = not isinstance(default, _PLAIN)
    text = parameter.description or ""
    if not required and default not in (None, "", False, ()):
        shown = ", ".join(default) if isinstance(default, tuple) else default
        text += f" (default: {shown})"
    settings = {"help": text, "required": required}
    if isinstance(parameter, types.Switch):
        settings.update(is_flag=True, default=False)
    elif isinstance(parameter, types.Extensions):
        settings.update(multiple=True, type=click.Choice(["swc", "asc", "h5"]))
    elif isinstance(parameter, types.Choice):
        settings.update(type=click.Choice(sorted(parameter._choices)))
    elif isinstance(parameter, types.Whole):
        settings.update(type=int)
    elif isinstance(parameter, types.Number):
        settings.update(type=float)
    return click.Option([*flags, name], **settings)


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


@main.command(
    "generate-parameters",
    cls=TaskCommand,
    task="BuildParameters",
    arguments=("morphologies_dir", "dat_file"),
    flags={
        "base_parameters": ("-tp", "--tmd-parameters"),
        "generated_parameters": ("-pf", "--parameter-filename"),
        "overrides": ("--overrides",),
        "trunk_fits": ("--trunk-fits",),
        "trunk_rules": ("--trunk-rules",),
        "scaling_rules": ("--scaling-rules",),
        "path_fit_trees": ("--path-fit-trees",),
        "region_structure": ("--region-structure",),
        **CALIBRATION_FLAGS,
    },
    short_help="Generate the TMD parameter file",
)
def generate_parameters(**values):
    """Generate the JSON file of the TMD parameters of each mtype.

    MORPHOLOGIES_DIR is the folder that contains the cells.

    DAT_FILE is the table with the mtype of each cell: .dat, neuronDB .xml, .csv or .tsv.
    """
    _run("BuildParameters", values, "generated_parameters", "tmd_parameters.json")


@main.command(
    "generate-distributions",
    cls=TaskCommand,
    task="ExtractDistributions",
    arguments=("morphologies_dir", "dat_file"),
    flags={
        "extracted_distributions": ("-df", "--distribution-filename"),
        "extraction_processes": ("--nb-processes",),
        "min_basal_trees": ("--min-basal-trees",),
        **CALIBRATION_FLAGS,
    },
    short_help="Create the TMD distribution file",
)
def generate_distributions(**values):
    """Create the JSON file of the TMD distributions of each mtype.

    MORPHOLOGIES_DIR is the folder that contains the cells.

    DAT_FILE is the table with the mtype of each cell: .dat, neuronDB .xml, .csv or .tsv.
    """
    _run("ExtractDistributions", values, "extracted_distributions", "tmd_distributions.json")


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


def _flag(name):
    """The flag of an option of the task."""
    return "--log-level" if name == "worker_log_level" else "--" + name.replace("_", "-")


@main.command(
    "synthesize-morphologies",
    cls=TaskCommand,
    task="SynthesizeMorphologies",
    flags={name: (_flag(name),) for name in SYNTHESIS_OPTIONS},
    short_help="Synthesize morphologies into an atlas",
)
@click.option("--with-mpi", is_flag=True, help="Accepted for region-grower's sake; see --launcher")
@click.option("--dask-config", help="Accepted for region-grower's sake; there is no Dask here")
@click.option("--show-pip-freeze", is_flag=True, help="Log the versions of all installed packages")
@click.option("--scheduler-url", help="URL of a central Luigi scheduler, to watch the run there")
def synthesize_morphologies(with_mpi, dask_config, show_pip_freeze, scheduler_url, **values):
    """Synthesize one morphology per cell, with TMD parameters and distributions.

    Without --tmd-parameters or --tmd-distributions they are made from the reconstructions
    (--morphologies-dir and --dat-file).
    """
    if with_mpi:
        click.echo(
            "--with-mpi is not needed: run the command itself without mpiexec; it starts "
            "--nb-processes MPI workers through --launcher.",
            err=True,
        )
    if dask_config is not None:
        click.echo(
            "--dask-config has no effect: there is no Dask; see --nb-processes, --launcher and "
            "--chunksize.",
            err=True,
        )
    if show_pip_freeze:
        values["show_versions"] = True
    _run("SynthesizeMorphologies", values, "out_cells", None, scheduler_url)


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


@main.command(
    "validate",
    cls=TaskCommand,
    task="ValidateSynthesis",
    flags={name: (_flag(name),) for name in (*VALIDATION_OPTIONS, *SYNTHESIS_OPTIONS)},
    short_help="Compare synthesized cells with the reference, and say no",
)
@click.option("--scheduler-url", help="URL of a central Luigi scheduler, to watch the run there")
def validate(scheduler_url, **values):
    """Validate the cells of a synthesis, which is made or completed first.

    Give the options of synthesize-morphologies; or --validation-of vacuum for some cells of each
    mtype grown without an atlas. The exit code is not 0 when verdicts are not as --fail-on wants
    them.
    """
    output = "validation_dir"
    if values.get("validation_of") != "vacuum" and values.get("out_cells"):
        output = "out_cells"  # so that the work folder is that of the synthesis
    _run("ValidateSynthesis", values, output, "validation", scheduler_url)


@main.command("status", short_help="Tell what is there, what is stale and why")
@click.option("--work-dir", help="Folder of the intermediates of a run of this command line")
@click.option("--config", help="Luigi's configuration of the run (default: ./luigi.cfg)")
@click.option("--task", help="The task to look at (default: SynthesizeMorphologies)")
def status(work_dir, config, task):
    """Tell for each stage and chunk whether it is fresh, stale (and why), partial or missing.

    Tells what a run would do, too. Runs and writes nothing.
    """
    from region_grower_flow.tasks.status import report

    try:
        for line in report(work_dir, config, task):
            click.echo(line)
    except FlowError as error:
        click.echo(str(error), err=True)
        sys.exit(INVALID)


@main.command("clean", short_help="Remove intermediates, after showing which")
@click.option("--work-dir", help="Folder of the intermediates of a run of this command line")
@click.option("--config", help="Luigi's configuration of the run (default: ./luigi.cfg)")
@click.option("--stale", is_flag=True, help="Remove what no run needs any more (the default)")
@click.option("--all", "all_", is_flag=True, help="Remove all that the package made there")
@click.option("--yes", is_flag=True, help="Do not ask")
def clean(work_dir, config, stale, all_, yes):
    """Remove intermediates, after showing which; outputs and files of others stay.

    --stale (the default) removes what no stage refers to that is up to date and what no run would
    take over. After --all a run makes everything again, and needs --overwrite for the outputs.
    """
    from region_grower_flow.tasks.cleaning import sweeping

    if stale and all_:
        raise click.UsageError("--stale and --all exclude each other")
    try:
        with sweeping(work_dir, config, all_) as sweep:
            if not sweep.files:
                click.echo(f"Nothing to remove in {sweep.folder}.")
                return
            click.echo(f"To be removed from {sweep.folder}:")
            for line in sweep.lines():
                click.echo(line)
            if not yes and not _agreed():
                click.echo("Nothing has been removed.", err=True)
                sys.exit(FAILED)
            sweep.remove()
            click.echo(f"{len(sweep.files)} files removed.")
    except FlowError as error:
        click.echo(str(error), err=True)
        sys.exit(INVALID if isinstance(error, InvalidInput) else FAILED)


def _agreed():
    try:
        return click.confirm("Remove them?")
    except click.Abort:  # nobody is there to answer
        return False


def _run(task_name, values, output, default_output, scheduler_url=None):
    """Run a task; exit with a code that says how it went."""
    values = {name: value for name, value in values.items() if value not in (None, (), "")}
    if default_output:
        values.setdefault(output, default_output)
    if values.pop("show_versions", False):
        _set_up_logging("info")
        L.info("Using the following package versions: %s", _installed())
    path = Path(values[output])
    values.setdefault("work_dir", str(path.with_name(f"{path.stem}_work")))
    _set_up_logging(values.get("worker_log_level", "info"))
    try:
        task_class = _task_class(task_name)
        task = task_class(**{**_defaults(task_class), **values})
        code = run_task(task, scheduler_url)
    except FlowError as error:
        click.echo(str(error), err=True)
        code = INVALID if isinstance(error, InvalidInput) else FAILED
    except KeyboardInterrupt:
        click.echo("Interrupted. What is finished is kept: run again to go on from it.", err=True)
        code = INTERRUPTED
    sys.exit(code)


def _defaults(task_class):
    """The defaults that ``--help`` shows: a luigi.cfg that lies about is for ``luigi`` only."""
    return {
        name: option._default
        for name, option in task_class.get_params()
        if isinstance(option._default, _PLAIN)
    }


def run_task(task, scheduler_url=None):
    """Run a task and what it needs with a local (or the given) scheduler.

    Returns:
        The exit code: 0, or INVALID or FAILED after the sentences have been printed.
    """
    import luigi

    from region_grower_flow.tasks import messages

    # The command has its own logging.
    luigi.configuration.get_config().set("core", "no_configure_logging", "true")
    # To look at a million morphologies takes seconds: no more often than needed.
    done_before = task.complete()
    if done_before and scheduler_url is None:
        return _close(task, done_before)
    failures = messages.collect_failures()
    result = luigi.build(
        [task],
        worker_scheduler_factory=messages.Scheduling(),
        local_scheduler=scheduler_url is None,
        scheduler_url=scheduler_url or "",
        no_lock=True,
        detailed_summary=True,
        workers=1,
    )
    if failures:
        for sentence in dict.fromkeys(map(messages.told, failures)):
            click.echo(sentence, err=True)
        invalid = all(isinstance(failure, InvalidInput) for failure in failures)
        return INVALID if invalid else FAILED
    # Luigi has looked whether the task is complete after it has run.
    if result.status.name not in ("SUCCESS", "SUCCESS_WITH_RETRY"):
        click.echo(f"The run did not finish: {result.status.value[1]}", err=True)
        return FAILED
    return _close(task, done_before)


def _close(task, done_before):
    """Print what a successful run has made."""
    from region_grower_flow.tasks import messages

    for sentence in messages.closing_sentences(task, done_before):
        click.echo(sentence)
    return 0


def _installed():
    found = importlib.metadata.distributions()
    return sorted({f"{d.name}=={d.version}" for d in found}, key=str.lower)


def _set_up_logging(level):
    logging.basicConfig(
        format="%(asctime)s - %(name)s - %(levelname)s - %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
        level=level.upper(),
    )
    # Luigi's own account of its scheduling; failures are told as sentences instead.
    for name in ("luigi", "luigi-interface"):
        logging.getLogger(name).setLevel("DEBUG" if level == "debug" else "CRITICAL")


if __name__ == "__main__":
    main()
