"""Cells that the region structure serves, and advice for those that it does not.

A cell that no entry serves has no layers, targets or limits: it falls to ``default``, as in
region-grower. That is seldom meant: regions are misspelt, have a suffix (``SSp-ll@left``), or are
those of another atlas (``S1FL`` where the atlas has ``SSCX``). ``region_map`` gives the regions of
cells the names of the atlas.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import compress

import numpy as np

from region_grower_flow.atlas.regions import RegionMapper
from region_grower_flow.atlas.structure import Structure
from region_grower_flow.errors import InvalidInput, InvalidInputs, some, table
from region_grower_flow.layout import DEFAULT_REGION

WHERE = "option region_map"
MOST_ROWS = 20
"""Regions of a table."""
_LIKENESS = 0.6
NOTHING = "-"


def parse_region_map(pairs: Iterable[object]) -> dict[str, str]:
    """{region of cells: region of the atlas} of ``cells' region:atlas's region`` texts.

    A ``*`` in the first stands for any text, which a ``*`` in the second repeats: ``*@left:*``
    takes a suffix away.

    Raises:
        InvalidInputs: pairs of another form, regions that are there twice.
    """
    found: dict[str, str] = {}
    problems = []
    for pair in pairs:
        before, colon, after = str(pair).partition(":")
        before, after = before.strip(), after.strip()
        if not colon or not before or not after or after.count("*") > before.count("*"):
            hint = "write region_map = S1FL:SSCX, S1DZ:SSCX, or *@left:* for a suffix"
            problem = f"{str(pair)!r} is no pair of a region of cells and one of the atlas"
            problems.append(InvalidInput(problem, WHERE, hint))
        elif found.setdefault(before, after) != after:
            problem = f"{before!r} is mapped to {found[before]!r} and to {after!r}"
            problems.append(InvalidInput(problem, WHERE, "leave one of them out"))
    if problems:
        raise InvalidInputs(problems)
    return found


def map_regions(regions: Sequence[str] | np.ndarray, region_map: Mapping[str, str]) -> np.ndarray:
    """The regions of cells by the names of the atlas.

    Args:
        regions: (N,) texts.
        region_map: what :func:`parse_region_map` returns; names without ``*`` come first.

    Returns:
        (N,) object array.
    """
    regions = np.asarray(regions, dtype=object)
    if not region_map:
        return regions
    names = {region: _mapped(str(region), region_map) for region in set(regions.tolist())}
    return np.array([names[region] for region in regions], dtype=object)


def _mapped(region: str, region_map: Mapping[str, str]) -> str:
    if region in region_map:
        return region_map[region]
    for pattern, target in region_map.items():
        if "*" not in pattern:
            continue
        literal = "(.*)".join(map(re.escape, pattern.split("*")))
        match = re.fullmatch(literal, region, re.DOTALL)
        if match:
            parts = iter(match.groups())
            return "".join(next(parts) if c == "*" else c for c in target)
    return region


def region_map_problems(
    region_map: Mapping[str, str], regions: Iterable[str], known: Iterable[str]
) -> list[InvalidInput]:
    """Problems of a region map, as a list of InvalidInput.

    Args:
        region_map: what :func:`parse_region_map` returns.
        regions: the regions of cells.
        known: the acronyms of the hierarchy.
    """
    problems, known = [], set(known)
    for target in dict.fromkeys(region_map.values()):
        if "*" not in target and target not in known:
            hint = f"the nearest is {_nearest(target, known)}" if _nearest(target, known) else None
            problem = f"the atlas's hierarchy has no region {target!r}"
            problems.append(InvalidInput(problem, WHERE, hint))
    there = sorted(set(map(str, regions)))
    named = [region for region in region_map if "*" not in region]
    # Some of the cells need not have all of the regions; none at all is a mistake.
    if named and len(named) == len(region_map) and not set(named) & set(there):
        problem = f"no cell has a region that it names ({some(named)})"
        problems.append(InvalidInput(problem, WHERE, f"the cells have {some(there)}"))
    return problems


def unserved_problem(
    regions: Iterable[str],
    structure: Structure,
    mapper: RegionMapper,
    acronyms: Iterable[str],
    where: object,
    at_cells: Sequence[str | None] | np.ndarray | None = None,
) -> InvalidInput | None:
    """The problem of cells that no entry of the region structure serves, with a table; or None.

    Args:
        regions: (N,) the regions of the cells, mapped.
        structure: the region structure; with an entry ``default`` all cells are served.
        mapper: RegionMapper of it.
        acronyms: {acronym: id} or a list of the acronyms of the hierarchy.
        where: the file of the region structure.
        at_cells: (N,) acronyms (or None) of the atlas at the cells, see
            :func:`plausible.acronyms_at`; they tell the remedy best.

    Returns:
        InvalidInput or None.
    """
    if DEFAULT_REGION in structure:
        return None
    regions = [str(region) for region in regions]
    lost = {r for r in set(regions) if mapper[r] == DEFAULT_REGION}
    if not lost:
        return None
    here = [region in lost for region in regions]
    rows, total = Counter(compress(regions, here)), len(regions)
    known = list(acronyms)
    proposals = propose_region_map(
        list(compress(regions, here)),
        known,
        None if at_cells is None else list(compress(at_cells, here)),
        lambda acronym: mapper[acronym] if mapper[acronym] != DEFAULT_REGION else None,
    )
    details = _unserved_table(rows, structure, known)
    if list(rows) == [""]:
        problem = f"the region of {rows['']:,} of {total:,} cells is empty"
        hint = "give them regions of the atlas, set allow_no_layers, or leave these cells out"
        return InvalidInput(problem, where, hint)
    problem = f"no entry serves the regions of {sum(rows.values()):,} of {total:,} cells"
    problem += f" ({some(dict(rows.most_common()), 3)}): these would have no layers"
    hint = "add an entry for them, or set region_map or allow_no_layers"
    if proposals:
        details.append(f"region_map = {', '.join(f'{k}:{v}' for k, v in proposals.items())}")
        hint = "add an entry, or the line below, or set allow_no_layers"
    return InvalidInput(problem, where, hint, details)


def _unserved_table(rows: Counter[str], structure: Structure, known: Sequence[str]) -> list[str]:
    """Lines of a table of the regions that no entry serves, with the names nearest to them."""
    lines = [["region of cells", "cells", "nearest entry", "nearest in the hierarchy"]]
    for name, count in rows.most_common(MOST_ROWS):
        entry = _nearest(_bare(name), structure) or NOTHING
        acronym = name if name in known else _nearest(_bare(name), known) or NOTHING
        lines.append([name, f"{count:,}", entry, acronym])
    more = len(rows) - MOST_ROWS
    return [*table(lines), *([f"and {more} more"] if more > 0 else [])]


def propose_region_map(
    regions: Iterable[str],
    acronyms: Iterable[str],
    at_cells: Sequence[str | None] | np.ndarray | None = None,
    serving: Callable[[str], str | None] | None = None,
) -> dict[str, str]:
    """{region of cells: region of the atlas} for regions that are not served.

    The atlas at the positions of the cells tells it best: the region (or the entry around it) where
    most of these cells are. Otherwise a name is proposed that differs by a suffix or by case.

    Args:
        regions: (N,) regions of cells.
        acronyms: of the hierarchy.
        at_cells: (N,) acronyms at the cells, or None.
        serving: a function acronym -> the entry of the region structure that serves it, or None.
    """
    found, known = {}, set(acronyms)
    entry_of = serving or (lambda acronym: acronym)
    by_lower = {acronym.lower(): acronym for acronym in sorted(known)}
    regions = [str(region) for region in regions]
    for region, count in Counter(regions).most_common():
        if not region:
            continue  # region_map has no way to write it
        bare = _bare(region)
        same = bare if bare in known else by_lower.get(bare.lower())
        if same and same != region and entry_of(same):
            found[region] = same
            continue
        if at_cells is None:
            continue
        entries = Counter(
            entry_of(a) for r, a in zip(regions, at_cells, strict=True) if r == region and a
        )
        entries.pop(None, None)
        for entry, most in entries.most_common(1):
            if entry and most > count / 2:
                found[region] = entry
    return found


def _bare(region: str) -> str:
    """A region without what circuits put behind it: ``SSp-ll@left``."""
    return region.split("@")[0].strip() or region


def _nearest(name: object, known: Iterable[object]) -> str:
    found = get_close_matches(str(name), [str(k) for k in known], n=1, cutoff=_LIKENESS)
    return found[0] if found else ""
