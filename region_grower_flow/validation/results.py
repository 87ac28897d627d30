"""Results of a validation: every verdict with its numbers, and tables for figures.

``validation.json`` is :meth:`Results.as_dict`:

* ``version``: of this shape.
* ``options``: {name: value} of what was asked.
* ``parts``: the names of the comparisons, in order: ``full`` (all reconstructions) and, with the
  hold-out, ``holdout`` (grown from one half of them, compared with the other half).
* ``populations``: {part: {mtype: {``n_reference``, ``n_synthesized``, ``asked``, ``dropped``,
  ``reasons`` {reason: cells}, ``neurite_types``, ``reference`` ("cells" or "barcodes"),
  ``notes`` [sentence], ``sentence`` (the outcome in words)}}}.
* ``counts``: {part: {tier: {verdict: number of tests}}}.
* ``verdicts``: a list of dicts, :data:`VERDICT_KEYS` each.
* ``tables``: {name: {``file`` (CSV beside the JSON), ``columns``, ``rows`` (their number)}}.
* ``provenance``: recipe, versions of packages, seconds.

Numbers that are not finite are null.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.csv_files import csv_text
from region_grower_flow.options.validation import TIERS
from region_grower_flow.validation.body import SOMA, THINNEST
from region_grower_flow.validation.features import FEATURES as FEATURES_TEST
from region_grower_flow.validation.verdict import FAIL, NO_POWER, NOT_TESTABLE, PASS, Verdict

VERSION = 1

JSON_NAME = "validation.json"
MTYPES_NAME = "validation_mtypes.csv"

FULL, HOLDOUT = "full", "holdout"
"""Parts: all reconstructions; grown from one half of them and compared with the other half."""

REFERENCE, SYNTHESIZED = "reference", "synthesized"
"""Populations, in tables."""

VERDICT_KEYS = ("part", *(each.name for each in fields(Verdict)))

CELLS_TABLE = "cells"
"""Table of morphometrics: part, mtype, population ("reference" or "synthesized"), cell,
neurite_type, then a column per feature."""

DEPTHS_TABLE = "depths"
"""Table of length (um per cell) against depth: part, mtype, neurite_type, from_um, to_um (depth
below the top of the region, in vacuum: below the soma), reference, synthesized."""

LAYERS_TABLE = "layers"
"""Table of the fraction of length in each layer: part, mtype, neurite_type, layer, reference,
synthesized."""

PROFILES_TABLE = "profiles"
"""Table of what is reported without a threshold: part, mtype, neurite_type, n_reference,
n_synthesized, wasserstein_um (between the profiles of length along depth), inside (fraction of the
points that lie in the region; empty in vacuum)."""

DECIDING = (FEATURES_TEST, SOMA, THINNEST)
"""Tests of the morphometrics that decide about the tier."""

_SEVERITY = (FAIL, NO_POWER, NOT_TESTABLE, PASS)


@dataclass
class Results:
    """The results of a validation.

    Attributes:
        options: {name: value} of what was asked, JSON-able.
        populations: {part: {mtype: dict}}, see the module.
        verdicts: [dict], :data:`VERDICT_KEYS` each.
        tables: {name: [dict]}, a dict per row, all of the same keys.
        provenance: recipe, versions, seconds.
    """

    options: dict[str, Any] = field(default_factory=dict)
    populations: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def add(self, part: str, verdicts: Iterable[Verdict]) -> None:
        """Append Verdicts of a part."""
        for verdict in verdicts:
            self.verdicts.append({"part": part, **plain_verdict(verdict)})

    def extend(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Append rows to a table."""
        self.tables.setdefault(name, []).extend(rows)

    @property
    def parts(self) -> list[str]:
        """The names of the comparisons, in order."""
        return list(self.populations)

    def of(
        self, part: str, mtype: str | None = None, tier: str | None = None
    ) -> list[dict[str, Any]]:
        """The verdicts (dicts) of a part, of one mtype and of one tier where these are given."""
        return [
            verdict
            for verdict in self.verdicts
            if verdict["part"] == part
            and mtype in (None, verdict["mtype"])
            and tier in (None, verdict["tier"])
        ]

    def in_atlas(self, part: str) -> bool:
        """True if the cells of a part lie in an atlas; those of the hold-out never do."""
        return part != HOLDOUT and self.options.get("validation_of") != "vacuum"

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """{part: {tier: {verdict: number}}}, tiers in the order of :data:`TIERS`."""
        return {
            part: {
                tier: dict(sorted(found.items()))
                for tier in TIERS
                if (found := Counter(v["verdict"] for v in self.of(part, tier=tier)))
            }
            for part in self.parts
        }

    def as_dict(self) -> dict[str, Any]:
        """The content of ``validation.json``."""
        return plain(
            {
                "version": VERSION,
                "options": self.options,
                "parts": self.parts,
                "populations": self.populations,
                "counts": self.counts(),
                "verdicts": self.verdicts,
                "tables": {
                    name: {
                        "file": table_name(name),
                        "columns": list(rows[0]) if rows else [],
                        "rows": len(rows),
                    }
                    for name, rows in self.tables.items()
                },
                "provenance": self.provenance,
            }
        )

    def mtype_rows(self) -> list[dict[str, Any]]:
        """A row (dict) per part and mtype: cells, and for each tier its verdict and counts.

        The verdict of a tier is the worst of those that decide, see :func:`deciding`.
        """
        return [
            {
                "part": part,
                "mtype": mtype,
                **{
                    name: population[name]
                    for name in ("n_reference", "n_synthesized", "asked", "dropped")
                },
                **_tier_columns([self.of(part, mtype, tier) for tier in TIERS]),
                "failed": "; ".join(map(named, self._failed(part, mtype))),
            }
            for part, mtypes in self.populations.items()
            for mtype, population in mtypes.items()
        ]

    def _failed(self, part: str, mtype: str | None) -> list[Mapping[str, Any]]:
        return [found for found in deciding(self.of(part, mtype)) if found["verdict"] == FAIL]

    def write(self, folder: PathLike) -> list[Path]:
        """Write ``validation.json`` and all tables; returns their paths, the JSON last.

        Raises:
            OutputFailed: a file cannot be written.
        """
        from region_grower_flow.io.atomic import make_folder, write_json_atomic, write_text_atomic

        folder = Path(folder)
        make_folder(folder)
        tables = {table_name(name): rows for name, rows in self.tables.items()}
        tables[MTYPES_NAME] = self.mtype_rows()
        for name, rows in tables.items():
            text = csv_text(list(rows[0]), map(plain, rows)) if rows else ""
            write_text_atomic(folder / name, text)
        write_json_atomic(folder / JSON_NAME, self.as_dict(), indent=1)
        return [*(folder / name for name in tables), folder / JSON_NAME]


def table_name(name: str) -> str:
    """The file of a table."""
    return f"validation_{name}.csv"


def named(verdict: Mapping[str, Any]) -> str:
    """A verdict's test in words: ``topology: bars (basal_dendrite)``."""
    kind = f" ({verdict['neurite_type']})" if verdict["neurite_type"] else ""
    return f"{verdict['tier']}: {verdict['test']}{kind}"


def worst(verdicts: Iterable[Mapping[str, Any]]) -> str:
    """The worst of some verdicts (dicts), '' without any: fail, no power, not testable, pass."""
    found = {verdict["verdict"] for verdict in verdicts}
    return next((word for word in _SEVERITY if word in found), "")


def deciding(verdicts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The verdicts (dicts) that decide about their tier.

    A feature of the morphometrics may fail by chance: there the verdict on all features of a
    neurite type decides (nine of ten have to agree), beside somata and thinnest branches.
    """
    return [v for v in verdicts if v["tier"] != "morphometrics" or v["test"] in DECIDING]


def _tier_columns(tiers: Iterable[Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    columns = {}
    for tier, verdicts in zip(TIERS, tiers, strict=True):
        columns[tier] = worst(deciding(verdicts))
        passed = sum(verdict["verdict"] == PASS for verdict in verdicts)
        columns[f"{tier}_passed"] = f"{passed}/{len(verdicts)}" if verdicts else ""
    return columns


def plain_verdict(verdict: Verdict) -> dict[str, Any]:
    """A Verdict as a JSON-able dict."""
    return plain(vars(verdict))


def plain(value: Any) -> Any:
    """A value as JSON: NumPy's types as Python's, numbers that are not finite as None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value
