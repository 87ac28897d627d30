"""A configuration as values: what a command takes from the file that ``init`` or a person wrote."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems, nearest
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import read_text
from region_grower_flow.options import GROUPS, SECTION
from region_grower_flow.options.former import former_options
from region_grower_flow.options.group import declared

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_INTERPOLATION = configparser.BasicInterpolation()


def read_flow(path: PathLike) -> dict[str, Any]:
    """{option: value} of the section ``[region_grower_flow]`` of a configuration, as it names them.

    As Luigi reads it: ``%%`` is %, ``${NAME}`` is a variable of the environment, and options in
    ``[DEFAULT]`` hold where the section does not have them.

    Raises:
        InvalidInputs: the file is missing or cannot be read, or options are unknown or wrong.
    """
    path = Path(path)
    if not path.is_file():
        hint = "region-grower-flow init writes one from your data"
        raise InvalidInput("there is no such configuration", path, hint)
    known, problems, values = declared(GROUPS), Problems(), {}
    options = {**known, **former_options(known)}
    texts = _toml(path) if path.suffix.lower() == ".toml" else _cfg(path, options)
    for name, text in texts.items():
        name = name.replace("-", "_")
        if name not in options:
            problem = f"the key {name!r} is not known"
            problems.append(InvalidInput(problem, f"{path} [{SECTION}]", nearest(name, known, 1)))
            continue
        found = problems.attempt(options[name].parse, text)
        if found is not None:
            values[name] = found
    if problems:
        raise InvalidInputs(problems)
    return values


class _Parser(configparser.RawConfigParser):
    """A parser that leaves values, and the letters of keys, as they are."""

    def optionxform(self, optionstr: str) -> str:
        """The key as it is."""
        return optionstr


def parsed(path: PathLike, strict: bool = True, hint: str | None = None) -> _Parser:
    """A configuration as its sections have it; raises InvalidInput where it cannot be parsed.

    Args:
        path: of the file.
        strict: whether a section or key that comes twice is refused.
        hint: for the error.
    """
    parser = _Parser(strict=strict, interpolation=None)
    try:
        parser.read_string(read_text(path))
    except configparser.Error as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(f"cannot be parsed ({reason})", path, hint) from error
    return parser


def _cfg(path: Path, options: Container[str]) -> dict[str, str]:
    parser = parsed(path, hint="see configs/")
    if not parser.has_section(SECTION):
        raise InvalidInput(f"has no section [{SECTION}]", path, "region-grower-flow init writes it")
    known = dict(parser.items(SECTION))
    # Other names of [DEFAULT] are there to be named by values.
    given = [name for name in known if name in options or name not in parser.defaults()]
    return {name: _expanded(parser, name, known, path) for name in given}


def _expanded(parser: _Parser, name: str, known: Mapping[str, str], path: Path) -> str:
    """The value of a key with its variables, of the configuration and of the environment."""

    def variable(match: re.Match[str]) -> str:
        if match.group(1) not in os.environ:
            problem = f"the variable {match.group(1)} is not set"
            raise InvalidInput(problem, f"{path} {name}", "set it, or write the value")
        return os.environ[match.group(1)]

    try:
        text = _INTERPOLATION.before_get(parser, SECTION, name, known[name], known)
    except configparser.InterpolationMissingOptionError as error:
        problem = f"there is no {error.reference} in this section or in [DEFAULT]"
        raise InvalidInput(problem, f"{path} {name}", "write %% for %") from error
    except configparser.InterpolationError as error:
        problem = f"cannot be understood ({' '.join(str(error).split())})"
        raise InvalidInput(problem, f"{path} {name}", "write %% for %") from error
    return _VARIABLE.sub(variable, text)


def _toml(path: Path) -> dict[str, Any]:
    try:
        import tomllib
    except ImportError as error:  # Python 3.10
        hint = "write it as .cfg, or use Python 3.11"
        raise InvalidInput("TOML needs Python 3.11", path, hint) from error
    try:
        content = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"is no TOML ({error})", path) from error
    if not isinstance(content.get(SECTION), dict):
        raise InvalidInput(f"has no section [{SECTION}]", path, "region-grower-flow init writes it")
    return content[SECTION]
