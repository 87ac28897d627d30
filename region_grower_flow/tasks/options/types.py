"""Luigi parameters of the tasks: each described once, checked when a task is built.

A value comes from the command line, else from the task's own section of the configuration, else
from the section ``[region_grower_flow]`` that all tasks share, else from the default.
"""

import math
import re

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
        description: for help, docs and the commented configuration.
        optional: an empty value means None.
        least, most: the range of a number, both included.
        result: whether the value itself enters fingerprints. What only says where or how fast
            things are made does not.
        shown: whether logs and the web UI name the option with the task.
        **luigi_options: ``default``, ``significant`` and others of Luigi's parameters.
    """

    def __init__(
        self,
        description,
        *,
        optional=False,
        least=None,
        most=None,
        result=True,
        shown=False,
        **luigi_options,
    ):
        if optional:
            luigi_options.setdefault("default", None)
        self.optional, self.least, self.most = optional, least, most
        self.shown = shown
        self.result = result and luigi_options.get("significant", True)
        self.name = None
        if not shown:  # see FlowTask.to_str_params
            luigi_options["visibility"] = ParameterVisibility.HIDDEN
        super().__init__(description=description, positional=False, **luigi_options)

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
    """A text, such as a name."""

    def normalize(self, x):
        """Paths may come as :class:`pathlib.Path`; none may hold a NUL."""
        if x is not None and "\0" in str(x):
            raise self._wrong(str(x), "it holds a NUL, which no file name can")
        return super().normalize(x if x is None else str(x))


class Place(Text):
    """A file or folder. Its path enters no fingerprint: the content of what is read does.

    It need not be given, unless it is told to be no ``optional`` one.
    """

    def __init__(self, description, **settings):
        settings.setdefault("optional", "default" not in settings)
        super().__init__(description, result=False, **settings)

    def normalize(self, x):
        """Refuse an empty path where there must be one: it would mean the current folder."""
        if not self.optional and not str(x or "").strip():
            raise self._wrong(x, "a path is expected")
        return super().normalize(x)


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


class Seed(Whole):
    """The seed of random numbers."""

    def __init__(self, description, **settings):
        super().__init__(description, default=0, least=0, **settings)


class Processes(Whole):
    """How many processes do some work; no result depends on it."""

    def __init__(self, work, otherwise="as many as there are cores"):
        description = f"Processes that {work} ({otherwise})"
        super().__init__(description, optional=True, least=1, significant=False)


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


class Ratio(Number):
    """A number from 0 to 1."""

    def __init__(self, description, **settings):
        super().__init__(description, least=0.0, most=1.0, **settings)


class Switch(Option, BoolParameter):
    """True or false, false by default."""

    def __init__(self, description, **settings):
        super().__init__(description, **{"default": False, **settings})


class Choice(Option, luigi.ChoiceParameter):
    """One of some words, the first by default."""

    def __init__(self, description, choices, **settings):
        settings.setdefault("default", choices[0])
        super().__init__(description, choices=choices, var_type=str, **settings)
        self.words = tuple(choices)
        # Luigi's own words have the choices in an order that changes from run to run.
        self.description = f"{description}. Choices: {', '.join(choices)}"

    def normalize(self, x):
        """Refuse other words."""
        if x not in self._choices:
            raise self._wrong(x, "it is not one of the choices")
        return super().normalize(x)


class _Listed(Option, luigi.Parameter):
    """Several values in one text."""

    separator = r"[,\s]+"
    """Between the values (a regular expression)."""

    def parse(self, x):
        """Split a text."""
        words = re.split(self.separator, x or "")
        return tuple(word.strip() for word in words if word.strip())

    def serialize(self, x):
        """Join the values."""
        return ",".join(str(value) for value in x or ())

    def values(self, x):
        """What was given, whether as a text or one by one."""
        return self.parse(x) if isinstance(x, str) else tuple(() if x is None else x)


class Names(_Listed):
    """Some names, separated by commas; none by default."""

    separator = ","

    def __init__(self, description, **settings):
        super().__init__(description, **{"default": (), **settings})

    def normalize(self, x):
        """A tuple of names, each once."""
        words = self.values(x)
        if not all(isinstance(word, str) and word for word in words):
            raise self._wrong(x, "names separated by commas are expected")
        return tuple(dict.fromkeys(words))


class Extensions(_Listed):
    """Some of h5, swc and asc, separated by commas or white space."""

    def normalize(self, x):
        """Check each; a dot in front is tolerated, repeats are not kept."""
        words = dict.fromkeys(str(word).lstrip(".").lower() for word in self.values(x))
        if not words or words.keys() - set(layout.MORPHOLOGY_EXTENSIONS):
            expected = ", ".join(layout.MORPHOLOGY_EXTENSIONS)
            raise self._wrong(x, f"expected one or more of {expected}")
        return tuple(words)


class Numbers(_Listed):
    """Some finite numbers, separated by commas or white space; None for none.

    Args:
        count: how many there must be, None for any number of them.
    """

    def __init__(self, description, *, count=None, **settings):
        self.count = count
        super().__init__(description, optional=True, **settings)

    def normalize(self, x):
        """A tuple of numbers, None for none."""
        try:
            values = tuple(float(value) for value in self.values(x))
        except (ValueError, TypeError) as error:
            raise self._wrong(x, "numbers are expected") from error
        if not values:
            return None
        if not all(map(math.isfinite, values)):
            raise self._wrong(x, "finite numbers are expected")
        if self.count is not None and len(values) != self.count:
            raise self._wrong(x, f"{self.count} numbers are expected")
        if self.least is not None and min(values) < self.least:
            raise self._wrong(x, f"they must be at least {self.least}")
        return values
