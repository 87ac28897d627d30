"""Tasks with options: each as a parameter of its own, or in whole groups."""

from __future__ import annotations

import functools
import operator
import os
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import luigi
from luigi.parameter import ParameterVisibility

from region_grower_flow.errors import InvalidInputs, Problems
from region_grower_flow.options.former import FORMER_NAMES, handed_on
from region_grower_flow.options.group import Group, declared
from region_grower_flow.options.kinds import Option
from region_grower_flow.record.fingerprint import digest_of
from region_grower_flow.tasks.options import GroupParameter, value_problems, with_former_names
from region_grower_flow.tasks.recipes import HasRecipe
from region_grower_flow.tasks.sentences import quiet_tracebacks

G = TypeVar("G", bound=Group)


class TakesOptions(HasRecipe, luigi.Task):
    """A task with the options of its groups, which are its attributes.

    Of a task that people name each option is a parameter, so that it has a flag and a key in the
    configuration. Inner stages receive the groups whole, from the stage that requires them.
    """

    other_options: ClassVar[tuple[Option, ...]] = ()
    """Options that stand for those of the groups with the same names, or beside them."""

    whole_groups: ClassVar[bool] = False
    """True for an inner stage: it has a parameter for each group, and not for each option."""

    partial_groups: ClassVar[bool] = False
    """True where whole groups may lack options that they require."""

    options: ClassVar[Mapping[str, Option]] = {}
    """{name: option} of all options, in the order of their declarations."""

    single_options: ClassVar[Mapping[str, Option]] = {}
    """{name: option} of those that are of no group, or other than in their groups."""

    group_parameters: ClassVar[Mapping[str, GroupParameter]] = {}
    """{name: parameter} of the groups that are received whole."""

    ignore_unconsumed: ClassVar[set[str]] = set()
    """Keys of the task's section of the configuration that are no parameters."""

    _parameters: ClassVar[tuple[tuple[str, Any], ...]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Option)}
        single = {**{option.name: option for option in cls.other_options}, **own}
        cls.single_options = single = {**cls.single_options, **single}
        cls.options = {**declared(cls.groups), **single}
        if cls.partial_groups:
            cls.options = {n: _not_required(option) for n, option in cls.options.items()}
        cls.group_parameters = {}
        parameters: dict[str, Any] = with_former_names(cls.options)
        if cls.whole_groups:
            parameters = {**parameters, **cls._by_group(single)}
        for name, parameter in parameters.items():
            setattr(cls, name, parameter)
            if hasattr(parameter, "__set_name__"):  # descriptors, from Luigi 3.8 on
                parameter.__set_name__(cls, name)

    @classmethod
    def _by_group(cls, single: Mapping[str, Option]) -> dict[str, Any]:
        """{name: attribute}: parameters of groups, and their options, which are read from these."""
        attributes: dict[str, Any] = dict.fromkeys(FORMER_NAMES)
        for kind in cls.groups:
            name = f"{kind.key()}_options"
            attributes[name] = GroupParameter(kind, cls.partial_groups)
            for option in kind.DECLARED.keys() - single.keys() - attributes.keys():
                attributes[option] = property(operator.attrgetter(f"{name}.{option}"))
        parameters = {n: p for n, p in attributes.items() if isinstance(p, GroupParameter)}
        cls.group_parameters, cls.ignore_unconsumed = parameters, set(cls.options)
        return attributes

    @classmethod
    def get_params(cls) -> list[tuple[str, Any]]:
        """The parameters, in the order of their declarations: found once for each class.

        Luigi looks at all attributes of the class for each task that is made: half of its time.
        """
        if "_parameters" not in vars(cls):
            cls._parameters = tuple(super().get_params())
        return list(cls._parameters)

    @classmethod
    def get_param_values(
        cls, params: Any, args: Any, kwargs: dict[str, Any]
    ) -> list[tuple[str, Any]]:
        """The values of all parameters; what is wrong with them is said all at once.

        Raises:
            InvalidInputs: values that are missing, not valid, or of options that do not exist.
        """
        quiet_tracebacks()
        kwargs = cls._gathered(kwargs)
        try:
            values = super().get_param_values(params, args, kwargs)
            return list(handed_on(dict(values), cls.options).items())
        except (luigi.parameter.ParameterException, ValueError):
            problems = value_problems(cls.get_task_family(), params, kwargs)
            if problems:
                raise InvalidInputs(problems) from None
            raise

    @classmethod
    def _gathered(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters by name, of these and of single options, which are put into their groups."""
        gathered, own, problems = dict(given), dict(cls.get_params()), Problems()
        for name, parameter in cls.group_parameters.items():
            single = {n: given[n] for n in parameter.names & given.keys() - own}
            if single and name in given:
                gathered[name] = problems.attempt(given[name].replace, **single)
            elif single:
                gathered[name] = problems.attempt(parameter.of, cls.get_task_family(), single)
            for option in single:
                gathered.pop(option, None)
        if problems:
            raise InvalidInputs({str(problem): problem for problem in problems}.values())
        return gathered

    def clone(self, cls: Any = None, **changes: Any) -> Any:
        """A task of another class, or this one, with the same options but for some changes."""
        kind = type(self) if cls is None else cls
        whole = kind.group_parameters if issubclass(kind, TakesOptions) else {}
        if whole:
            groups = {name: self.group(parameter.kind) for name, parameter in whole.items()}
            changes = kind._gathered({**groups, **changes})
        return super().clone(kind, **changes)

    def group(self, kind: type[G]) -> G:
        """The values of a group of options; raises InvalidInputs where a needed one is absent."""
        if kind not in self._groups:
            self._groups[kind] = kind(**{name: getattr(self, name) for name in kind.DECLARED})
        return self._groups[kind]

    @functools.cached_property
    def _groups(self) -> dict[type[Group], Any]:
        """{kind: group} of those that are there: a merge hands the same ones to all chunks."""
        return {p.kind: getattr(self, name) for name, p in self.group_parameters.items()}

    def shown_options(self) -> list[str]:
        """The names of the options that tell the task from others, for people."""
        return [name for name, option in self.options.items() if option.shown]

    def __repr__(self) -> str:
        """The stage in logs: its name and what tells it from others."""
        values = [f"{name}={getattr(self, name)}" for name in self.shown_options()]
        return f"{self.task_family}({', '.join(values)})"

    def _get_param_visibilities(self) -> dict[str, Any]:
        # The web UI knows a task's options from this alone.
        shown = self.shown_options()
        seen = {True: ParameterVisibility.PUBLIC, False: ParameterVisibility.HIDDEN}
        return {name: seen[name in shown].serialize() for name in self.options}

    def to_str_params(
        self, only_significant: bool = False, only_public: bool = False
    ) -> dict[str, str]:
        """The options as texts; those that make up the task's identity are all significant ones.

        Luigi's web UI lists all public options, some forty here, so all are hidden but for the few
        that tell one task from another. Luigi leaves hidden options out of a task's identity: there
        one digest stands for them.
        """
        texts = {
            name: option.text(getattr(self, name))
            for name, option in self.options.items()
            if option.identity or not only_significant
        }
        if not only_public:
            return texts
        public = {name: texts[name] for name in self.shown_options() if name in texts}
        if only_significant:
            # "~" comes last in Luigi's names, which show three options.
            # Two projects of the same relative paths are two sets of tasks for a scheduler.
            public["~others"] = digest_of([os.path.realpath(self.work_dir), texts])[:16]
        return public

    @classmethod
    def from_str_params(cls, params_str: Mapping[str, str]) -> Any:
        """The task with options as texts, see :meth:`to_str_params`."""
        known = cls.options.items()
        return cls(**{n: option.parse(params_str[n]) for n, option in known if n in params_str})


def _not_required(option: Option) -> Option:
    return option.where_optional() if option.required else option


def handed_down(stage: TakesOptions, parameters: Mapping[str, GroupParameter]) -> dict[str, Group]:
    """{name: group} of a stage's options, for a task with such parameters: what the stage does not
    have is at its default.
    """
    return {
        name: parameter.kind.where_known(
            {n: getattr(stage, n) for n in parameter.kind.DECLARED if n in stage.options}
        )
        for name, parameter in parameters.items()
    }
