"""Groups of options: frozen values, checked when they are made, and their way to JSON and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems, nearest
from region_grower_flow.options.kinds import Option

G = TypeVar("G", bound="Group")


class Group:
    """Base of the groups: a frozen set of the values of the options that a subclass declares.

    Two groups with the same values are equal. Groups may share an option: they name the same one.

    Args:
        **values: {option: value}; the others are at their defaults.

    Raises:
        InvalidInputs: values that are missing, not valid, or of options that do not exist.
    """

    TITLE: ClassVar[str] = ""
    """The heading of the group in help."""

    DECLARED: ClassVar[Mapping[str, Option]] = {}
    """{name: option} in the order of the declarations."""

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Option)}
        inherited = declared(base for base in cls.__bases__ if issubclass(base, Group))
        cls.DECLARED = {**inherited, **own}

    def __init__(self, **values: Any) -> None:
        self._keep(values)

    @classmethod
    def where_known(cls: type[G], values: Mapping[str, Any]) -> G:
        """The group of some values, for stages that do without options that it requires.

        Args:
            values: {option: value}; those that are required and missing are None.

        Raises:
            InvalidInputs: values that are not valid, or of options that do not exist.
        """
        group = cls.__new__(cls)
        group._keep(values, partial=True)
        return group

    def _keep(self, values: Mapping[str, Any], partial: bool = False) -> None:
        problems = Problems()
        checked: dict[str, Any] = {}
        for name in values.keys() - self.DECLARED.keys():
            problem = f"{type(self).__name__} has no such option"
            problems.append(InvalidInput(problem, f"option {name}", nearest(name, self.DECLARED)))
        for name, option in self.DECLARED.items():
            if partial and option.required and values.get(name) is None:
                checked[name] = None
                continue
            if name not in values and option.required:
                problems.append(InvalidInput("must be given", f"option {name}", option.help))
                continue
            checked[name] = problems.attempt(option.check, values.get(name, option.default))
        if problems:
            raise InvalidInputs(problems)
        object.__setattr__(self, "_values", checked)

    @classmethod
    def key(cls) -> str:
        """The name of the group in small letters, as in ``axon_choice``."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    def values(self) -> dict[str, Any]:
        """{option: value} of all options."""
        return self._values  # type: ignore[attr-defined]

    def results(self) -> dict[str, Any]:
        """{option: value} of those that change results."""
        return {n: value for n, value in self.values().items() if self.DECLARED[n].result}

    def replace(self: G, **changes: Any) -> G:
        """A group with some other values."""
        partial = any(self.values()[n] is None for n, o in self.DECLARED.items() if o.required)
        values = {**self.values(), **changes}
        return type(self).where_known(values) if partial else type(self)(**values)

    def to_json(self) -> dict[str, Any]:
        """The values as JSON holds them."""
        return {n: list(v) if isinstance(v, tuple) else v for n, v in self.values().items()}

    @classmethod
    def from_json(cls: type[G], values: Mapping[str, Any]) -> G:
        """The group of such values; raises InvalidInputs."""
        return cls(**values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: use replace({name}=...)")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.values() == self.values()  # type: ignore

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.values().items())))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.values())

    def __repr__(self) -> str:
        given = {n: v for n, v in self.values().items() if v != self.DECLARED[n].default}
        return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in given.items())})"


def _restored(cls: type[G], values: Mapping[str, Any]) -> G:
    return cls.where_known(values)


def declared(groups: Iterable[type[Group]]) -> dict[str, Option]:
    """{name: option} of several groups; of options with the same name the first counts."""
    found: dict[str, Option] = {}
    for group in groups:
        for name, option in group.DECLARED.items():
            found.setdefault(name, option)
    return found


def where_optional(groups: Iterable[type[Group]]) -> tuple[Option, ...]:
    """The options that groups require, for tasks and commands that may do without them."""
    return tuple(o.where_optional() for o in declared(groups).values() if o.required)
