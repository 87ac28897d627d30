"""Luigi's parameters of the tasks, made of the options that their groups declare.

A value comes from the command line, else from the task's own section of the configuration, else
from the section ``[region_grower_flow]`` that all tasks share, else from the default.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import luigi
from luigi.configuration import get_config
from luigi.parameter import ParameterVisibility
from luigi_tools.parameter import BoolParameter

from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.io.schemas import did_you_mean
from region_grower_flow.options import GROUPS, SECTION
from region_grower_flow.options.former import FORMER_NAMES, former_options, handed_on
from region_grower_flow.options.group import Group, declared
from region_grower_flow.options.kinds import Switch
from region_grower_flow.tasks.sentences import quiet_tracebacks

if TYPE_CHECKING:
    from region_grower_flow.options.kinds import Option


class OptionParameter(luigi.Parameter):
    """The Luigi parameter of an option.

    Args:
        option: its declaration.
    """

    def __init__(self, option: Option) -> None:
        self.option = option
        settings = {} if option.required else {"default": option.default}
        if not option.shown:  # see FlowTask.to_str_params
            settings["visibility"] = ParameterVisibility.HIDDEN
        super().__init__(
            description=option.help, significant=option.identity, positional=False, **settings
        )

    def parse(self, x: Any) -> Any:
        """The value of a text."""
        try:
            return self.option.parse(x)
        except Exception:
            quiet_tracebacks()  # it may be called before any task is built
            raise

    def normalize(self, x: Any) -> Any:
        """Check a value, whoever gives it."""
        try:
            return self.option.check(x)
        except Exception:
            quiet_tracebacks()
            raise

    def serialize(self, x: Any) -> str:
        """The text of a value."""
        return self.option.text(x)

    def _value_iterator(self, task_name: str, param_name: str) -> Iterator[tuple[Any, str | None]]:
        values = list(super()._value_iterator(task_name, param_name))
        yield from values[:-1]
        _check_section()
        yield (self._get_value_from_config(SECTION, param_name), None)
        yield values[-1]

    def _get_value_from_config(self, section: str, name: str) -> Any:
        """The value as Luigi reads it; a % that begins no %(name)s is a % (Luigi: a traceback)."""
        try:
            return super()._get_value_from_config(section, name)
        except configparser.InterpolationSyntaxError:
            text = get_config().get(section, name, raw=True)
            return self.parse(text.replace("%%", "%"))
        except configparser.InterpolationError as error:
            where = f"configuration [{section}] {name}"
            reason = " ".join(str(error).split())
            hint = "set the variable, or write %% for %"
            raise InvalidInput(f"cannot be read ({reason})", where, hint) from error

    def _warn_on_wrong_param_type(self, param_name: str, param_value: Any) -> None:
        """Luigi's own warnings say less than ``normalize``."""


class SwitchParameter(OptionParameter, BoolParameter):
    """The Luigi parameter of a switch: on the command line its name alone means true."""


class GroupParameter(luigi.Parameter):
    """The Luigi parameter of a whole group; where Luigi wants text, it is JSON.

    Args:
        kind: the class of the group.
        partial: whether it may lack options that it requires.
    """

    def __init__(self, kind: type[Group], partial: bool = False) -> None:
        self.kind, self.partial = kind, partial
        self.names = with_former_names(kind.DECLARED).keys()
        words, hidden = f"Options of the group {kind.key()} as JSON", ParameterVisibility.HIDDEN
        super().__init__(description=words, positional=False, visibility=hidden)

    def of(self, family: str, given: Mapping[str, Any]) -> Group:
        """The group with some values, the others from the configuration of a task.

        Args:
            family: the name of the task.
            given: {option: value}; as in a configuration, also under the option's former names.

        Raises:
            InvalidInputs: values that are missing or not valid.
        """
        names = with_former_names(self.kind.DECLARED)
        parameters = [(name, p) for name, p in names.items() if name not in given]
        if self.partial:
            parameters = [(n, p) for n, p in parameters if p.has_task_value(family, n)]
        problems = value_problems(family, parameters, {})
        if problems:
            raise InvalidInputs(problems)
        values = {**{n: p.task_value(family, n) for n, p in parameters}, **given}
        declared_here = self.kind.DECLARED
        values = handed_on(values, declared_here)
        return self._made({n: v for n, v in values.items() if n in declared_here})

    def _made(self, values: Mapping[str, Any]) -> Group:
        return self.kind.where_known(values) if self.partial else self.kind(**values)

    def parse(self, x: str) -> Group:
        """The group of a text."""
        quiet_tracebacks()  # it may be called before any task is built
        try:
            values = json.loads(x)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            where = f"option {self.kind.key()}_options"
            raise InvalidInput(f"{x!r} is no JSON object", where, 'give {"name": value, ...}')
        return self._made(values)

    def serialize(self, x: Group) -> str:
        """The text of a group."""
        return json.dumps(x.to_json())

    def _value_iterator(self, task_name: str, param_name: str) -> Iterator[tuple[Any, str | None]]:
        yield from list(super()._value_iterator(task_name, param_name))[:-1]
        yield (self.of(task_name, {}), None)


def with_former_names(options: Mapping[str, Option]) -> dict[str, OptionParameter]:
    """{name: Luigi parameter} of {name: option}, also under the names that options once had."""
    return {n: as_parameter(o) for n, o in {**options, **former_options(options)}.items()}


def as_parameter(option: Option) -> OptionParameter:
    """The Luigi parameter of an option."""
    kind = SwitchParameter if isinstance(option, Switch) else OptionParameter
    return kind(option)


def value_problems(
    family: str, parameters: Sequence[tuple[str, OptionParameter]], given: Mapping[str, Any]
) -> list[InvalidInput]:
    """The problems of the values of a task's options, as a list of InvalidInput.

    Args:
        family: the name of the task.
        parameters: [(name, parameter)] of the task.
        given: {name: value} of what was given; the others come from the configuration.
    """
    problems: dict[str, InvalidInput] = {}
    known = dict(parameters)
    for name in given.keys() - known.keys():
        hint = did_you_mean(name, known)
        problems[name] = InvalidInput(f"{family} has no such option", f"option {name}", hint)
    for name, parameter in parameters:
        try:
            if name in given:
                parameter.normalize(given[name])
            elif not parameter.has_task_value(family, name):
                problem = f"{family} needs a value for it"
                problems[name] = InvalidInput(problem, f"option {name}", parameter.description)
            else:
                parameter.task_value(family, name)
        except InvalidInput as error:
            found = error.problems if isinstance(error, InvalidInputs) else [error]
            problems.update({str(problem): problem for problem in found})
    return list(problems.values())


def _check_section() -> None:
    """Refuse a key of the shared section that no task knows: it would be ignored silently."""
    config = get_config()
    if not config.has_section(SECTION):
        return
    known = declared(GROUPS)
    keys = {key.replace("-", "_") for key in _keys(config)}
    own = config.defaults() if hasattr(config, "defaults") else ()
    unknown = keys - known.keys() - FORMER_NAMES.keys() - set(own)
    if unknown:
        where = f"configuration [{SECTION}]"
        raise InvalidInputs(
            InvalidInput(f"the key {key!r} is not known", where, did_you_mean(key, known))
            for key in sorted(unknown)
        )


def _keys(config: Any) -> Iterable[str]:
    try:
        return config.options(SECTION)
    except AttributeError:  # Luigi's TOML parser
        return config.data[SECTION]
