"""The kinds of options: what values they take, from texts and from Python, and as texts again."""

from __future__ import annotations

import copy
import math
import os
import re
from collections.abc import Iterable
from typing import Any, Generic, TypeVar, overload

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput

T = TypeVar("T")

_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*\}|\$[A-Z_]\w*")
"""A variable of the environment in a path; ``$x`` in small letters may be a name of a file."""


class _Required:
    """The default of an option that must be given."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()


class Option(Generic[T]):
    """One option: a descriptor of a :class:`~region_grower_flow.options.group.Group`.

    Of a group's instance it gives the value, of the class itself.

    Args:
        description: for help, docs and the commented configuration.
        default: the value where none is given; without one it must be given.
        optional: an empty value means None, which is the default.
        least, most: the range of a number, both included.
        result: whether the value enters fingerprints. A place does not (the content of what is
            read does), nor what only says how fast things are made.
        identity: whether the value tells one task from another for Luigi's scheduler.
        shown: whether logs and the web UI name it with the task.
    """

    def __init__(
        self,
        description: str,
        *,
        default: Any = REQUIRED,
        optional: bool = False,
        least: float | None = None,
        most: float | None = None,
        result: bool = True,
        identity: bool = True,
        shown: bool = False,
    ) -> None:
        if optional and default is REQUIRED:
            default = None
        self.description, self.default, self.optional = description, default, optional
        self.least, self.most, self.shown = least, most, shown
        self.result, self.identity = result and identity, identity
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Option[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance.values()[self.name]

    def __set__(self, instance: object, value: object) -> None:
        raise AttributeError(f"{type(instance).__name__} is frozen: use replace({self.name}=...)")

    @property
    def required(self) -> bool:
        """True for an option without a default."""
        return self.default is REQUIRED

    @property
    def help(self) -> str:
        """The description, with the choices where there are some."""
        return self.description

    def but(self, **changes: Any) -> Option[T]:
        """The same option, with another default or description, for another group."""
        other = copy.copy(self)
        vars(other).update(changes)
        return other

    def where_optional(self, description: str | None = None) -> Option[Any]:
        """The same option for a group or task that does without it: it is None unless given."""
        description = description or self.description
        return self.but(default=None, optional=True, description=description)

    def parse(self, text: Any) -> Any:
        """The value of a text; raises InvalidInput."""
        if self.optional and (text is None or str(text).strip() in ("", "None")):
            return None
        try:
            # TOML has lists, numbers and booleans, which are values already.
            is_value = isinstance(text, list | tuple | bool)
            return self.check(text if is_value else self._parsed(text))
        except InvalidInput:
            raise
        except (ValueError, TypeError) as error:
            raise self.wrong(text, str(error)) from error

    def check(self, value: Any) -> Any:
        """The value as it is kept, whoever gives it; raises InvalidInput."""
        if value is None and self.optional:
            return None
        value = self._checked(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise self.wrong(value, "a finite number is expected")
        if isinstance(value, int | float):
            if self.least is not None and value < self.least:
                raise self.wrong(value, f"it must be at least {self.least}")
            if self.most is not None and value > self.most:
                raise self.wrong(value, f"it must be at most {self.most}")
        return value

    def text(self, value: Any) -> str:
        """The text of a value, which ``parse`` reads again."""
        return "" if value is None else str(value)

    def wrong(self, value: object, problem: str) -> InvalidInput:
        """The error of a value that does not do."""
        where = f"option {self.name or 'value'}"
        return InvalidInput(f"{value!r} is not valid: {problem}", where, self.help)

    def _parsed(self, text: Any) -> Any:
        return text

    def _checked(self, value: Any) -> Any:
        return value


class Text(Option[T]):
    """A text, such as a name."""

    def _checked(self, value: Any) -> Any:
        if "\0" in str(value):
            raise self.wrong(str(value), "it holds a NUL, which no file name can")
        if isinstance(value, list | tuple | dict):
            raise self.wrong(value, "one text is expected")
        return None if value is None else str(value)


class Place(Text[T]):
    """A file or folder. Its path enters no fingerprint: the content of what is read does.

    It need not be given, unless it is told to be no ``optional`` one.
    """

    def __init__(self, description: str, **settings: Any) -> None:
        settings.setdefault("optional", "default" not in settings)
        super().__init__(description, **{"result": False, **settings})

    def _checked(self, value: Any) -> Any:
        """Refuse an empty path where there must be one: it would mean the current folder."""
        empty = not str("" if value is None else value).strip()
        if empty and self.optional:
            return None
        if empty:
            raise self.wrong(value, "a path is expected")
        return self._expanded(super()._checked(value))

    def _expanded(self, path: str) -> str:
        """The path with ``~`` and variables of the environment in place, as a shell would do."""
        path = os.path.expandvars(path)
        unset = _VARIABLE.search(path)
        if unset:
            raise self.wrong(path, f"the variable {unset.group()} is not set")
        if path.startswith("~"):
            path = os.path.expanduser(path)
            if path.startswith("~"):
                raise self.wrong(path, "there is no such user (~)")
        return path


class Whole(Option[T]):
    """A whole number."""

    def _parsed(self, text: Any) -> Any:
        try:
            return text if isinstance(text, int) else int(str(text))
        except ValueError:
            raise self.wrong(text, "a whole number is expected") from None

    def _checked(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        try:
            whole = int(value) == float(value) and not isinstance(value, bool)
        except (ValueError, TypeError, OverflowError):
            whole = False
        if not whole:
            raise self.wrong(value, "a whole number is expected")
        return int(value)


class Seed(Whole[int]):
    """The seed of random numbers."""

    def __init__(self, description: str, **settings: Any) -> None:
        super().__init__(description, **{"default": 0, "least": 0, **settings})


class Processes(Whole["int | None"]):
    """Number of processes that do some work; no result depends on it."""

    def __init__(self, work: str, otherwise: str = "as many as there are cores") -> None:
        description = f"Processes that {work} ({otherwise})"
        super().__init__(description, optional=True, least=1, identity=False)


class Number(Option[T]):
    """A finite number."""

    def _checked(self, value: Any) -> Any:
        try:
            return float(value)
        except (ValueError, TypeError) as error:
            raise self.wrong(value, "a number is expected") from error


class Ratio(Number[float]):
    """A number from 0 to 1."""

    def __init__(self, description: str, **settings: Any) -> None:
        super().__init__(description, least=0.0, most=1.0, **settings)


class Switch(Option[bool]):
    """True or false, false by default."""

    def __init__(self, description: str, **settings: Any) -> None:
        super().__init__(description, **{"default": False, **settings})

    def _parsed(self, text: Any) -> Any:
        return {"true": True, "false": False}.get(str(text).strip().lower(), text)

    def _checked(self, value: Any) -> Any:
        value = self._parsed(value) if isinstance(value, str) else value
        if not isinstance(value, bool):
            raise self.wrong(value, "true or false is expected")
        return value

    def text(self, value: Any) -> str:
        """The value in small letters, as configurations write it."""
        return str(value).lower()


class Choice(Option[str]):
    """One of some words, the first by default."""

    def __init__(self, description: str, words: Iterable[str], **settings: Any) -> None:
        self.words = tuple(words)
        super().__init__(description, **{"default": self.words[0], **settings})

    @property
    def help(self) -> str:
        """The description and the words."""
        return f"{self.description}. Choices: {', '.join(self.words)}"

    def _checked(self, value: Any) -> Any:
        if value not in self.words:
            raise self.wrong(value, "it is not one of the choices")
        return value


class _Listed(Option[T]):
    """Several values in one text."""

    separator = r"[,\s]+"
    """Separator of the values (a regular expression)."""

    def _parsed(self, text: Any) -> Any:
        words = re.split(self.separator, text or "")
        return tuple(word.strip() for word in words if word.strip())

    def text(self, value: Any) -> str:
        """The values, joined."""
        return ",".join(str(each) for each in value or ())

    def _each(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, str):
            return self._parsed(value)
        return () if value is None else tuple(value)


class Names(_Listed["tuple[str, ...]"]):
    """Some names, separated by commas; none by default."""

    separator = ","

    def __init__(self, description: str, **settings: Any) -> None:
        super().__init__(description, **{"default": (), **settings})

    def _checked(self, value: Any) -> Any:
        words = self._each(value)
        if not all(isinstance(word, str) and word for word in words):
            raise self.wrong(value, "names separated by commas are expected")
        return tuple(dict.fromkeys(words))


class Extensions(_Listed["tuple[str, ...]"]):
    """Some formats of morphologies, separated by commas or white space."""

    def _checked(self, value: Any) -> Any:
        words = dict.fromkeys(str(word).lstrip(".").lower() for word in self._each(value))
        if not words or words.keys() - set(layout.MORPHOLOGY_EXTENSIONS):
            expected = ", ".join(layout.MORPHOLOGY_EXTENSIONS)
            raise self.wrong(value, f"expected one or more of {expected}")
        return tuple(words)


class Numbers(_Listed["tuple[float, ...] | None"]):
    """Some finite numbers, separated by commas or white space; None for none.

    Args:
        count: how many there must be, None for any number of them.
    """

    def __init__(self, description: str, *, count: int | None = None, **settings: Any) -> None:
        self.count = count
        super().__init__(description, optional=True, **settings)

    def _checked(self, value: Any) -> Any:
        try:
            numbers = tuple(float(each) for each in self._each(value))
        except (ValueError, TypeError) as error:
            raise self.wrong(value, "numbers are expected") from error
        if not numbers:
            return None
        if not all(map(math.isfinite, numbers)):
            raise self.wrong(value, "finite numbers are expected")
        if self.count is not None and len(numbers) != self.count:
            raise self.wrong(value, f"{self.count} numbers are expected")
        if self.least is not None and min(numbers) < self.least:
            raise self.wrong(value, f"they must be at least {self.least}")
        return numbers
