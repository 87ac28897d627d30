"""Luigi parameters of the tasks: each described once, checked when a task is built.

A value comes from the command line, else from the task's own section of the configuration, else
from the section ``[region_grower_flow]`` that all tasks share, else from the default.
"""

import math
from pathlib import Path

import luigi
from luigi.configuration import get_config
from luigi.parameter import ParameterVisibility
from luigi_tools.parameter import BoolParameter

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.io.schemas import did_you_mean
from region_grower_flow.tasks.sentences import quiet_tracebacks

SECTION = "region_grower_flow"
"""The section of the configuration that all tasks share."""

NAMES = set()
"""The names of all options, filled as tasks are defined."""


class Option:
    """What all our parameters share (mixed into a Luigi parameter class).

    Args:
        optional: an empty value means None.
        least, most: the range of a number, both included.
        result: whether the value itself enters fingerprints. Paths do not: the content of what
            they name does. Nor does what only says where or how fast things are made.
        shown: whether logs and the web UI name the option with the task.
    """

    def __init__(
        self, *args, optional=False, least=None, most=None, result=True, shown=False, **kwargs
    ):
        if optional:
            kwargs.setdefault("default", None)
        self.optional, self.least, self.most = optional, least, most
        self.shown = shown
        self.result = result and kwargs.get("significant", True)
        self.name = None
        kwargs.setdefault("positional", False)
        if not shown:  # see FlowTask.to_str_params
            kwargs["visibility"] = ParameterVisibility.HIDDEN
        super().__init__(*args, **kwargs)

    def __set_name__(self, owner, name):
        self.name = name
        NAMES.add(name)
        inherited = getattr(super(), "__set_name__", None)
        if inherited is not None:
            inherited(owner, name)

    def _value_iterator(self, task_name, param_name):
        values = list(super()._value_iterator(task_name, param_name))
        yield from values[:-1]
        _check_section()
        yield (self._get_value_from_config(SECTION, param_name), None)
        yield values[-1]

    def parse(self, x):
        """The value of a text."""
        if self.optional and (x is None or str(x).strip() in ("", "None")):
            return None
        try:
            return super().parse(x)
        except InvalidInput:
            raise
        except (ValueError, TypeError) as error:
            raise self._wrong(x, str(error)) from error

    def normalize(self, x):
        """Check a value, whoever gives it."""
        if x is None and self.optional:
            return None
        try:
            value = super().normalize(x)
        except (ValueError, TypeError) as error:
            raise self._wrong(x, str(error)) from error
        if isinstance(value, float) and not math.isfinite(value):
            raise self._wrong(x, "a finite number is expected")
        if self.least is not None and value < self.least:
            raise self._wrong(x, f"it must be at least {self.least}")
        if self.most is not None and value > self.most:
            raise self._wrong(x, f"it must be at most {self.most}")
        return value

    def serialize(self, x):
        """The text of a value."""
        return "" if x is None else super().serialize(x)

    def _wrong(self, value, problem):
        quiet_tracebacks()  # it may be raised before any task is built
        where = f"option {self.name or 'value'}"
        return InvalidInput(f"{value!r} is not valid: {problem}", where, self.description)

    def _warn_on_wrong_param_type(self, param_name, param_value):
        """Luigi's own warnings say less than ``normalize``."""


def _check_section():
    """Refuse a key of the shared section that no task knows: it would be ignored silently."""
    config = get_config()
    if not config.has_section(SECTION):
        return
    keys = {key.replace("-", "_") for key in _keys(config)}
    unknown = keys - NAMES - set(config.defaults() if hasattr(config, "defaults") else ())
    if unknown:
        where = f"configuration [{SECTION}]"
        raise InvalidInputs(
            InvalidInput(f"the key {key!r} is not known", where, did_you_mean(key, NAMES))
            for key in sorted(unknown)
        )


def value_problems(family, options, given):
    """What is wrong with the values of a task's options, as a list of InvalidInput.

    Args:
        family: the name of the task.
        options: [(name, option)] of the task.
        given: {name: value} of what was given; the others come from the configuration.
    """
    problems = {}
    known = dict(options)
    for name in given.keys() - known.keys():
        hint = did_you_mean(name, known)
        problems[name] = InvalidInput(f"{family} has no such option", f"option {name}", hint)
    for name, option in options:
        try:
            if name in given:
                option.normalize(given[name])
            elif not option.has_task_value(family, name):
                problem = f"{family} needs a value for it"
                problems[name] = InvalidInput(problem, f"option {name}", option.description)
            else:
                option.task_value(family, name)
        except InvalidInput as error:
            problems[str(error)] = error
    return list(problems.values())


def _keys(config):
    try:
        return config.options(SECTION)
    except AttributeError:  # Luigi's TOML parser
        return config.data[SECTION]


class Text(Option, luigi.Parameter):
    """A text, such as a name or a path."""

    def normalize(self, x):
        """Paths may come as :class:`pathlib.Path`; none may hold a NUL."""
        if x is not None and "\0" in str(x):
            raise self._wrong(str(x), "it holds a NUL, which no file name can")
        return super().normalize(x if x is None else str(x))


class Whole(Option, luigi.IntParameter):
    """A whole number."""

    def normalize(self, x):
        """Refuse what is not whole."""
        if isinstance(x, bool) or (x is not None and not isinstance(x, int)):
            try:
                whole = int(x) == float(x) and not isinstance(x, bool)
            except (ValueError, TypeError, OverflowError):
                whole = False
            if not whole:
                raise self._wrong(x, "a whole number is expected")
            x = int(x)
        return super().normalize(x)


class Number(Option, luigi.FloatParameter):
    """A finite number."""

    def normalize(self, x):
        """Refuse what is not a number."""
        if x is not None:
            try:
                x = float(x)
            except (ValueError, TypeError) as error:
                raise self._wrong(x, "a number is expected") from error
        return super().normalize(x)


class Switch(Option, BoolParameter):
    """True or false, false by default."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("default", False)
        super().__init__(*args, **kwargs)


class Choice(Option, luigi.ChoiceParameter):
    """One of some words."""

    def __init__(self, *args, choices, description, **kwargs):
        super().__init__(*args, choices=choices, var_type=str, **kwargs)
        # Luigi's own words have the choices in an order that changes from run to run.
        self.description = f"{description}. Choices: {', '.join(choices)}"

    def normalize(self, x):
        """Refuse other words."""
        if x not in self._choices:
            raise self._wrong(x, "it is not one of the choices")
        return super().normalize(x)


class Extensions(Option, luigi.Parameter):
    """Some of h5, swc and asc, separated by commas or spaces."""

    def parse(self, x):
        """Split the text."""
        return tuple(x.replace(",", " ").split())

    def normalize(self, x):
        """Check each; a dot in front is tolerated, repeats are not kept."""
        words = self.parse(x) if isinstance(x, str) else tuple(x)
        words = tuple(dict.fromkeys(str(word).lstrip(".").lower() for word in words))
        wrong = [word for word in words if word not in layout.MORPHOLOGY_EXTENSIONS]
        if wrong or not words:
            expected = ", ".join(layout.MORPHOLOGY_EXTENSIONS)
            raise self._wrong(x, f"expected one or more of {expected}")
        return words

    def serialize(self, x):
        """Join the words."""
        return ",".join(x)


class WorkOptions:
    """Where intermediates are kept."""

    work_dir = Text(
        default="region_grower_flow_work",
        result=False,
        shown=True,
        description="Folder of the intermediates, logs and manifests",
    )
    worker_log_level = Choice(
        default="info",
        choices=("debug", "info", "warning", "error", "critical"),
        significant=False,
        description="How much the workers log",
    )
    hide_progress_bar = Switch(significant=False, description="Show no progress bar")
    example_dir = Text(
        optional=True,
        significant=False,
        description="Folder of the package's own example inputs, created when it is not there",
    )


class CalibrationOptions(WorkOptions):
    """The reference morphologies and what is made of them."""

    morphologies_dir = Text(
        optional=True,
        result=False,
        description="Folder of the reconstructed morphologies",
    )
    dat_file = Text(
        optional=True,
        result=False,
        description="Table of the reconstructions: name, an integer that is ignored, mtype",
    )
    morphologies_ext = Choice(
        default="h5",
        choices=("h5", "swc", "asc", ".h5", ".swc", ".asc"),
        description="Extension of the reconstructed morphologies",
    )
    region = Text(
        default=layout.DEFAULT_REGION,
        description="Region that the distributions and parameters are written for; 'default' "
        "serves every region without an entry of its own",
    )
    diametrizer_config = Text(
        optional=True,
        result=False,
        description="JSON file of the diametrizer; without it the 'simpler' model is fitted",
    )
    on_bad_morphology = Choice(
        default="fail",
        choices=("fail", "skip"),
        description="What to do with a reconstruction that cannot be used: fail, or leave it out "
        "and say so",
    )
    min_basal_trees = Whole(
        default=1,
        least=1,
        description="Least number of basal dendrites in the distributions; growth needs 2, so 2 "
        "keeps mtypes whose reconstructions have one",
    )
    extraction_processes = Whole(
        optional=True,
        least=1,
        significant=False,
        description="Processes that extract distributions (as many as there are cores)",
    )
    extracted_distributions = Text(
        optional=True,
        result=False,
        description="Where the extracted distributions are written (in the work folder)",
    )


class ParameterOptions(CalibrationOptions):
    """How parameters are generated."""

    base_parameters = Text(
        optional=True,
        result=False,
        description="JSON file of NeuroTS parameters to start from, instead of NeuroTS's defaults",
    )
    overrides = Text(
        optional=True,
        result=False,
        description="YAML or JSON file of values that replace generated parameters, by mtype",
    )
    generated_parameters = Text(
        optional=True,
        result=False,
        description="Where the generated parameters are written (in the work folder)",
    )


class AtlasOptions(WorkOptions):
    """The cells and the space around them."""

    input_cells = Text(
        result=False,
        description="SONATA (.h5) or MVD3 (.mvd3) file of the cells to place: positions, mtypes, "
        "regions",
    )
    atlas = Text(result=False, description="Folder of the atlas")
    atlas_cache = Text(
        optional=True,
        significant=False,
        description="Folder in which the volumes of a remote atlas are kept",
    )
    region_structure = Text(
        default="region_structure.yaml",
        result=False,
        description="YAML file of the regions: layers, thicknesses, boundaries, directions",
    )
    seed = Whole(default=0, least=0, shown=True, description="Seed; each cell adds its row to it")
    min_depth = Number(default=25.0, description="Least depth of a cell in its region (um)")
    max_depth = Number(default=5000.0, description="Greatest depth of a cell in its region (um)")
    morph_axon = Text(
        optional=True,
        result=False,
        description="Table of the axon morphology, and its scale, to graft on each cell",
    )
    max_drop_ratio = Number(
        default=0.0,
        least=0.0,
        most=1.0,
        significant=False,
        description="Greatest ratio, per mtype, of cells without morphology in the axon table",
    )
    synthesize_axons = Switch(description="Grow axons instead of grafting them")


class SynthesisOptions(ParameterOptions, AtlasOptions):
    """How cells are grown."""

    tmd_parameters = Text(
        optional=True,
        result=False,
        description="JSON file of NeuroTS parameters per region and mtype; generated without it",
    )
    tmd_distributions = Text(
        optional=True,
        result=False,
        description="JSON file of NeuroTS distributions per region and mtype; extracted without it",
    )
    base_morph_dir = Text(
        optional=True, result=False, description="Folder of the axon morphologies (h5)"
    )
    out_morph_ext = Extensions(
        default=("h5",), description="Formats of the morphologies: h5, swc, asc"
    )
    max_files_per_dir = Whole(
        optional=True, least=256, description="Greatest number of morphologies in a folder"
    )
    scaling_jitter_std = Number(
        optional=True,
        least=0.0,
        description="Standard deviation of the scale of grafted axons' sections",
    )
    rotational_jitter_std = Number(
        optional=True,
        least=0.0,
        description="Standard deviation (degrees) of the rotation of grafted axons' sections",
    )
    min_hard_scale = Number(
        default=0.2,
        least=0.0,
        description="A neurite that the limits would scale by less than this is removed",
    )
    out_apical_nrn_sections = Text(
        optional=True,
        result=False,
        description="YAML file for NEURON's indices of the sections where apical tufts start",
    )
    out_debug_data = Text(
        optional=True, result=False, description="JSON Lines file for debug data of each cell"
    )
    skip_write = Switch(description="Write no morphology")
    engine = Choice(
        default="compiled",
        choices=("compiled", "neurots"),
        description="What grows cells: the compiled engine, or NeuroTS itself",
    )
    extra_apicals = Choice(
        default="drop",
        choices=("drop", "sample"),
        description="Cells with more trees than their parameters have orientations: drop them, as "
        "region-grower does, or sample the orientations from the reconstructions",
    )
    nb_processes = Whole(
        optional=True,
        least=0,
        significant=False,
        description="Number of MPI workers (as many as there are cores; 0: no MPI)",
    )
    launcher = Text(
        default="auto",
        significant=False,
        description="What starts the workers: mpiexec, srun, inprocess, a command with {n} and "
        "{command}, or auto (mpiexec where MPI works, else inprocess)",
    )
    chunksize = Whole(
        default=20000,
        least=1,
        significant=False,
        description="Cells per chunk: a chunk is one task, one launch of MPI",
    )
    block_size = Whole(
        optional=True,
        least=1,
        significant=False,
        description="Cells that a worker takes at a time (chosen from the costs of the cells)",
    )
    cell_timeout = Number(
        default=3600.0,
        least=0.1,
        significant=False,
        description="Seconds after which a cell is given up",
    )


class OutputOptions(SynthesisOptions):
    """What is written at the end, and where."""

    out_cells = Text(
        result=False, shown=True, description="File of the synthesized cells (.h5 or .mvd3)"
    )
    out_apical = Text(
        optional=True,
        result=False,
        description="YAML file for the points where apical tufts start",
    )
    out_morph_dir = Text(default="out", result=False, description="Folder of the morphologies")
    overwrite = Switch(
        significant=False,
        description="Write into a folder of morphologies that holds files of others",
    )
    container_path = Text(
        optional=True, result=False, description="HDF5 container for all morphologies"
    )
    circuit_config = Text(
        optional=True, result=False, description="SONATA circuit configuration to write"
    )
    out_summary = Text(
        optional=True,
        result=False,
        description="JSON file of the run's summary (beside the cells)",
    )
    max_failure_ratio = Number(
        default=1.0,
        least=0.0,
        most=1.0,
        description="Greatest ratio, per mtype, of cells that could not be grown",
    )

    def places(self):
        """{output: path} of what is written, None for what is not."""
        beside = Path(self.out_cells)
        return {
            "out_cells": self.out_cells,
            "summary": self.out_summary or beside.with_name(f"{beside.stem}_summary.json"),
            "apical": self.out_apical,
            "nrn_sections": self.out_apical_nrn_sections,
            "debug": self.out_debug_data,
            "container": self.container_path,
            "circuit_config": self.circuit_config,
            "morphologies": None if self.skip_write else self.out_morph_dir,
        }

    def held_places(self):
        """What a synthesis holds alone: its work folder and its outputs."""
        return [self.work_dir, *(place for place in self.places().values() if place)]
