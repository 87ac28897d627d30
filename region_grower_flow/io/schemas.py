"""Our JSON schemas, and their violations as sentences: the path of the key, what was expected."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import InvalidInput, nearest, some

if TYPE_CHECKING:
    from jsonschema import Draft7Validator, ValidationError

ARROW = " -> "
"""Separator between the keys of a path: ``SSCX -> L5_TPC -> apical_dendrite -> randomness``."""
_MAX_SHOWN = 60
"""Characters of a wrong value that a message shows."""
_KINDS = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


def load_schema(name: str) -> dict[str, Any]:
    """The packaged schema ``name`` (``parameters``, ``distributions``, ``region_structure``)."""
    file = resources.files("region_grower_flow") / "schemas" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


@functools.cache
def library_schema(library: str, name: str) -> dict[str, Any]:
    """A JSON schema that a library ships in its folder ``schemas`` (``neurots``, for one).

    Read without importing the library: that takes seconds, and checks come before all work.
    """
    spec = importlib.util.find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"there is no package {library}", name=library)
    folder = Path(spec.submodule_search_locations[0])
    return json.loads((folder / "schemas" / name).read_text(encoding="utf-8"))


def with_choices(schema: Any, key: str, choices: Iterable[str]) -> Any:
    """The schema with other words for every property of a name that has a list of them."""
    if isinstance(schema, list):
        return [with_choices(each, key, choices) for each in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {name: with_choices(value, key, choices) for name, value in schema.items()}
    if "enum" in changed.get(key, ()):
        changed[key] = {**changed[key], "enum": list(choices)}
    return changed


def validator(schema: Mapping[str, Any]) -> Draft7Validator:
    """A checker of one schema, to be used for many values with :func:`violations`."""
    from jsonschema import Draft7Validator

    return Draft7Validator(schema)


def violations(
    checker: Draft7Validator, value: Any, path: object, prefix: Sequence[object] = ()
) -> list[InvalidInput]:
    """All violations in ``value`` as a list of InvalidInput.

    Args:
        checker: what :func:`validator` returned.
        value: the JSON value.
        path: the file, for the message.
        prefix: the keys that lead to ``value`` in the file.
    """
    errors = sorted(checker.iter_errors(value), key=lambda error: list(map(str, error.path)))
    found: dict[str, InvalidInput] = {}
    for error in chain.from_iterable(map(_specific, errors)):
        problem = violation(path, [*prefix, *error.absolute_path], *_expectation(error))
        found.setdefault(str(problem), problem)
    return list(found.values())


def violation(
    path: object, keys: Iterable[object], expected: str, hint: str | None = None
) -> InvalidInput:
    """An InvalidInput at a key of a file."""
    place = ARROW.join(str(key) for key in keys)
    return InvalidInput(f"{place}: {expected}" if place else expected, where=path, hint=hint)


def shown(value: object) -> str:
    """A wrong value as a message shows it."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def did_you_mean(
    name: object, known: Iterable[object], count: int = 3, likeness: float = 0.5
) -> str:
    """The hint with the names of ``known`` that resemble ``name`` ('' when none does).

    See :func:`region_grower_flow.errors.nearest`.
    """
    words = nearest(name, known, count, likeness)
    return words[:1].upper() + words[1:]


def _specific(error: ValidationError) -> list[ValidationError]:
    """Violations of the form that a value resembles most, where it fits none of several."""
    if not error.context:
        return [error]
    forms: dict[object, list[ValidationError]] = {}
    for inner in error.context:
        forms.setdefault(inner.schema_path[0], []).append(inner)
    likely = [form for form in forms.values() if not any(map(_is_other_form, form))]
    if not likely:
        return [error]
    # A form that one of its key words excludes ("method") is less likely than a faulty one.
    form = min(likely, key=lambda form: (sum(map(_is_other_word, form)), len(form)))
    return list(chain.from_iterable(map(_specific, form)))


def _is_other_form(error: ValidationError) -> bool:
    """The value is of another type than the form, or the form is "nothing at all"."""
    nothing = error.validator == "additionalProperties" and not error.schema.get("properties")
    return not error.path and (error.validator == "type" or nothing)


def _is_other_word(error: ValidationError) -> bool:
    return error.validator in ("enum", "const", "not")


def _expectation(error: ValidationError) -> tuple[str, str | None]:
    rule, limit, value = error.validator, error.validator_value, error.instance
    if rule == "type":
        kinds = limit if isinstance(limit, list) else [limit]
        return f"expected {_words(kinds)}, not {shown(value)}", None
    if rule == "required":
        missing = [key for key in limit if key not in value]
        spare = [key for key in value if key not in error.schema.get("properties", {})]
        return f"{_quoted(missing)} is missing", did_you_mean(missing[0], spare)
    if rule == "additionalProperties":
        return _unknown_keys(error)
    if rule == "enum":
        hint = did_you_mean(value, limit) if isinstance(value, str) else None
        return f"expected {_quoted(limit, ' or ')}, not {shown(value)}", hint
    bounds = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "exclusiveMinimum": "more than {}",
        "minItems": "at least {} items",
        "maxItems": "at most {} items",
        "minLength": "at least {} characters",
    }
    if rule in bounds:
        return f"expected {bounds[rule].format(limit)}, not {shown(value)}", None
    if rule == "uniqueItems":
        return f"expected each item once, not {shown(value)}", None
    if rule in ("oneOf", "anyOf"):
        kinds = [kind for form in error.context for kind in _kinds_of(form)]
        return f"expected {_words(list(dict.fromkeys(kinds)))}, not {shown(value)}", None
    return f"{shown(value)} does not fit ({error.message[:_MAX_SHOWN]})", None


def _kinds_of(error: ValidationError) -> list[str]:
    limit = error.validator_value
    if error.validator != "type":
        return []
    return limit if isinstance(limit, list) else [limit]


def _unknown_keys(error: ValidationError) -> tuple[str, str]:
    known = list(error.schema.get("properties", {}))
    unknown = [str(key) for key in error.instance if key not in known]
    hint = did_you_mean(unknown[0], known)
    plural = "s" if len(unknown) > 1 else ""
    return f"unknown key{plural} {some(map(repr, unknown))}", hint or f"Known are {some(known, 12)}"


def _words(kinds: Iterable[object]) -> str:
    return " or ".join(_KINDS.get(str(kind), str(kind)) for kind in kinds) or "another value"


def _quoted(names: Iterable[object], separator: str = " and ") -> str:
    return separator.join(repr(name) for name in names)
