"""JSON and YAML files that people write: read with every way to be wrong named and located."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import MAX_BYTES, reading, require_regular

if TYPE_CHECKING:
    import yaml

MAX_NODES = 1_000_000
"""Values of a YAML file with its aliases written out: more is a mistake or an attack."""
MAX_DEPTH = 100
"""Levels of nesting of a YAML file."""

_NAN = "NaN"
# A string, or a constant that Python's JSON reader takes though JSON has none of them.
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b')


def load_json(path: PathLike, allow_nan: bool = False) -> Any:
    """Read a JSON file.

    Args:
        path: the file.
        allow_nan: read ``NaN``, which is no JSON but which NeuroTS writes for the angles of a bar
            without bifurcation. Infinity is refused all the same.

    Raises:
        InvalidInput: absent, unreadable, empty, not UTF-8, not JSON (with line and column), a key
            twice in one object, NaN or Infinity, nested too deeply, or larger than MAX_BYTES.
    """
    text = read_text(path)

    def refuse_constant(name: str) -> float:
        if allow_nan and name == _NAN:
            return math.nan
        raise _Constant(name)

    def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise _Duplicate(_first_repeated(key for key, _ in pairs))
        return found

    try:
        return json.loads(text, parse_constant=refuse_constant, object_pairs_hook=unique_keys)
    except json.JSONDecodeError as error:
        problem = f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
    except _Constant as error:
        place = _place_of_constant(text, error.args[0])
        problem = f"{error} at {place} is not a number that JSON knows"
    except _Duplicate as error:
        problem = f"the key {error.args[0]!r} is there twice in one object"
    except RecursionError:
        problem = "nested too deeply to be read"
    except ValueError as error:
        problem = f"not JSON that can be read ({error})"
    raise InvalidInput(problem, where=path)


def load_yaml(path: PathLike) -> Any:
    """Read a YAML file (plain values only: no Python objects).

    Raises:
        InvalidInput: absent, unreadable, empty, not UTF-8, not YAML (with line and column), a key
            twice in one mapping, nested too deeply or too large.
    """
    import yaml

    text = read_text(path)
    try:
        value = _unique_key_loader()(text).get_single_data()
        _check_extent(value, path)
    except yaml.MarkedYAMLError as error:
        raise InvalidInput(_yaml_problem(error), where=path) from error
    except RecursionError as error:
        raise InvalidInput("nested too deeply to be read", where=path) from error
    except (yaml.YAMLError, ValueError, TypeError) as error:
        if isinstance(error, InvalidInput):
            raise
        problem = " ".join(str(error).split())
        raise InvalidInput(f"not YAML that can be read ({problem})", where=path) from error
    if value is None:
        raise InvalidInput("the file is empty", where=path)
    return value


def not_finite(
    value: object, besides: Collection[str] = (), keys: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """The keys, and places in lists, that lead to numbers that are NaN or infinite.

    Args:
        value: of a document.
        besides: keys whose values are not looked at.
        keys: those that lead to the value itself.
    """
    if isinstance(value, float) and not math.isfinite(value):
        yield keys
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in besides:
                yield from not_finite(item, besides, (*keys, key))
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from not_finite(item, besides, (*keys, i))


def is_number(value: object) -> TypeGuard[float]:
    """True for a number of a document; ``true`` and ``false`` are none, but to Python."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def dotted(keys: Iterable[object]) -> str:
    """Keys and places in lists as a text: ``a.b[0]``."""
    return "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys).lstrip(".")


def read_text(path: PathLike) -> str:
    """The UTF-8 text of a regular file of at most MAX_BYTES.

    Raises:
        InvalidInput: see :func:`load_json`.
    """
    path = Path(path)
    try:
        with reading(path, MAX_BYTES):
            text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidInput(
            f"not UTF-8 text (byte {error.start + 1}, line {line})",
            where=path,
            hint="save it as UTF-8",
        ) from error
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"cannot be read ({reason})", where=path) from error
    if not text.strip():
        raise InvalidInput("the file is empty", where=path)
    return text


def require_file(path: Path, extensions: Iterable[str], kind: str, hint: str) -> None:
    """Refuse a path whose extension is none of a kind of files, or that is no file.

    Args:
        path: the Path.
        extensions: those of the kind, with or without their dots.
        kind: what such a file is called.
        hint: of the message on another extension.

    Raises:
        InvalidInput
    """
    if path.suffix.lower().lstrip(".") not in {known.lstrip(".") for known in extensions}:
        problem = f"{path.suffix or 'no extension'} is not a kind of {kind}"
        raise InvalidInput(problem, path, hint)
    if not path.exists():
        raise InvalidInput("there is no such file", path)
    require_regular(path)


class _Constant(ValueError):
    pass


class _Duplicate(ValueError):
    pass


def _first_repeated(keys: Iterable[str]) -> str:
    return next(key for key, count in Counter(keys).items() if count > 1)


def _place_of_constant(text: str, name: str) -> str:
    for match in _STRING_OR_CONSTANT.finditer(text):
        if match.group() == name:
            before = text[: match.start()]
            return (
                f"line {before.count(chr(10)) + 1}, column {match.start() - before.rfind(chr(10))}"
            )
    return "an unknown place"


def _unique_key_loader() -> type[Any]:
    import yaml

    class UniqueKeyLoader(yaml.SafeLoader):
        """A SafeLoader that refuses a key twice, where YAML's reader keeps the last one."""

        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            # PyYAML takes minutes for a few thousand levels: it is stopped on the way down.
            self.depth += 1
            if self.depth > 2 * MAX_DEPTH:
                raise RecursionError
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = {}
            for key_node, _ in node.value:
                if isinstance(key_node, yaml.ScalarNode) and key_node.value != "<<":
                    name = (key_node.tag, key_node.value)
                    if name in seen:
                        raise yaml.constructor.ConstructorError(
                            None,
                            None,
                            f"the key {key_node.value!r} is there twice",
                            key_node.start_mark,
                        )
                    seen[name] = True
            return super().construct_mapping(node, deep)

    return UniqueKeyLoader


def _yaml_problem(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    text = " ".join(str(error.problem or error.context).split())
    if mark is None:
        return f"not YAML: {text}"
    return f"not YAML at line {mark.line + 1}, column {mark.column + 1}: {text}"


def _check_extent(value: Any, path: PathLike) -> None:
    """Refuse what is harmless to read but endless to walk (aliases of aliases, or of itself)."""
    extents: dict[int, tuple[float, float]] = {}

    def extent(item: Any) -> tuple[float, float]:
        """(values, levels) with aliases written out; each object is looked at once."""
        if not isinstance(item, dict | list | tuple | set):
            return 1, 0
        if id(item) not in extents:
            extents[id(item)] = (math.inf, math.inf)  # what a part of itself would meet
            inner = [extent(child) for child in (item.values() if isinstance(item, dict) else item)]
            count = 1 + sum(values for values, _ in inner)
            extents[id(item)] = count, 1 + max((levels for _, levels in inner), default=0)
        return extents[id(item)]

    count, depth = extent(value)
    if depth > MAX_DEPTH or count > MAX_NODES:
        raise InvalidInput(
            f"nested too deeply or too large (more than {MAX_DEPTH} levels or {MAX_NODES:,} "
            "values, aliases written out)",
            where=path,
        )
