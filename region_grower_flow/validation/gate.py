"""Verdicts that a run should not end well with."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from region_grower_flow.errors import FlowError, InvalidInput, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.validation import NO_VERDICTS, TIERS, VERDICTS
from region_grower_flow.validation.results import JSON_NAME, deciding, named
from region_grower_flow.validation.verdict import FAIL, NO_POWER, NOT_TESTABLE

WORDS = dict(zip(VERDICTS, (FAIL, NO_POWER, NOT_TESTABLE), strict=True))
"""{word of the option: verdict}."""

MOST_TESTS = 3
"""Tests that the sentence on an mtype names."""


class BadVerdicts(FlowError):
    """Verdicts that the user does not accept; all outputs are written."""


def bad_verdicts(
    verdicts: Iterable[Mapping[str, Any]], words: Collection[str]
) -> list[Mapping[str, Any]]:
    """The verdicts (dicts) that a run fails on.

    Args:
        verdicts: of the results.
        words: some of ``options.validation.KNOWN_WORDS``: verdicts beside "fail", and the tiers
            that they are looked for in (all without any). "none", or no word: none at all.
    """
    if NO_VERDICTS in words or not words:
        return []
    unwanted = {FAIL, *(WORDS[word] for word in words if word in WORDS)}
    tiers = [word for word in words if word in TIERS] or TIERS
    return [
        verdict
        for verdict in deciding(verdicts)
        if verdict["verdict"] in unwanted and verdict["tier"] in tiers
    ]


def sentences(bad: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each part and mtype that has bad verdicts (dicts)."""
    of_mtypes: dict[tuple[str, str | None], list[Mapping[str, Any]]] = {}
    for verdict in bad:
        of_mtypes.setdefault((verdict["part"], verdict["mtype"]), []).append(verdict)
    for (part, mtype), verdicts in of_mtypes.items():
        tests = some([f"{named(v)}: {v['verdict']}{_why(v)}" for v in verdicts], MOST_TESTS)
        yield f"{mtype or 'All mtypes'} ({part}): {tests}."


def _why(verdict: Mapping[str, Any]) -> str:
    return f" ({verdict['detail'].rstrip('.')})" if verdict["detail"] else ""


def read_results(folder: PathLike) -> dict[str, Any]:
    """The content of the ``validation.json`` in a folder.

    Raises:
        InvalidInput: there is none, or it cannot be read.
    """
    path = Path(folder) / JSON_NAME
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"the results cannot be read ({error})", path) from error


def check_verdicts(content: Mapping[str, Any], words: Collection[str]) -> None:
    """Raise when a validation holds bad verdicts.

    Args:
        content: of ``validation.json``.
        words: see :func:`bad_verdicts`.

    Raises:
        BadVerdicts: a sentence per part and mtype.
    """
    bad = bad_verdicts(content["verdicts"], words)
    if bad:
        lines = [f"{len(bad)} verdicts are not good enough; all outputs are written."]
        raise BadVerdicts("\n".join([*lines, *sentences(bad)]))


def overview(content: Mapping[str, Any]) -> Iterator[str]:
    """Lines for a terminal: cells, then the verdicts of each tier, a line each."""
    for part, mtypes in content["populations"].items():
        cells = sum(population["n_synthesized"] for population in mtypes.values())
        yield f"{part}: {len(mtypes)} mtypes, {cells} synthesized cells compared."
        for tier, counts in content["counts"][part].items():
            words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
            yield f"  {tier}: {words}"
