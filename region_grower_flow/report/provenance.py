"""Provenance of a page's numbers: versions, fingerprints, options."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from region_grower_flow.report.templates import DASH


class Provenance(NamedTuple):
    """Contents of the last section of a page.

    Attributes:
        fingerprint: of the stage, or None.
        tables: [(heading, [(name, value as text)])].
        json: all of it as text; empty for none.
    """

    fingerprint: str | None
    tables: list[tuple[str, list[tuple[str, str]]]]
    json: str


def provenance_of(provenance: Mapping[str, Any] | None, options: Mapping[str, Any]) -> Provenance:
    """The Provenance to show.

    Args:
        provenance: a JSON-able dict; ``fingerprint``, ``recipe`` (with ``packages``) and
            ``seconds`` get tables of their own.
        options: {name: value}.
    """
    provenance = dict(provenance or {})
    recipe = provenance.get("recipe") or {}
    packages = provenance.get("versions") or provenance.get("packages") or recipe.get("packages")
    tables = {
        "Options": options,
        "Versions of packages": packages,
        "Files that were read": recipe.get("files"),
    }
    return Provenance(
        provenance.get("fingerprint") or recipe.get("fingerprint"),
        [(heading, _pairs(values)) for heading, values in tables.items() if values],
        json_words(provenance) if provenance else "",
    )


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, value_words(value)) for name, value in sorted(values.items())]


def value_words(value: object) -> str:
    """An option's value as text; a dash for None."""
    if value is None:
        return DASH
    if isinstance(value, dict | list | tuple):
        return json_words(value, indent=None)
    return str(value)


def json_words(value: object, indent: int | None = 1) -> str:
    """A value as JSON, keys in order."""
    return json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False, default=str)
