"""Entries of the region structure, and the regions of the atlas that each serves."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import InvalidInput, InvalidInputs, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import load_json
from region_grower_flow.layout import DEFAULT_REGION, HIERARCHY

if TYPE_CHECKING:
    from region_grower_flow.io.voxcell import RegionMap


class RegionMapper:
    """Maps the regions of cells to synthesis regions (mirrors region-grower's RegionMapper).

    An entry of the structure serves the region of that acronym and all regions below it; where
    entries overlap the last one wins. What no entry serves is ``default``.

    Args:
        synthesis_regions: the entries of the region structure, in its order.
        region_map: a :class:`voxcell.RegionMap`, the hierarchy of the atlas.
    """

    def __init__(self, synthesis_regions: Iterable[str], region_map: RegionMap) -> None:
        self._entries: defaultdict[str, list[str]] = defaultdict(list)
        for region in synthesis_regions:
            if region == DEFAULT_REGION:
                continue
            for found in region_map.find(region, attr="acronym", with_descendants=True):
                self._entries[region_map.get(found, "acronym")].append(region)

    def __getitem__(self, region: str) -> str:
        """The synthesis region of a cell's ``region``."""
        return self.entries_of(region)[0]

    def entries_of(self, region: str) -> list[str]:
        """The entries that hold a cell's ``region``, the last one of the structure first.

        region-grower visits the entries in order and a later one overwrites what it has itself, so
        directions and boundaries of the others stay where it has none.
        """
        return self._entries.get(region, [DEFAULT_REGION])[::-1]

    def holding(self, regions: Iterable[str]) -> set[str]:
        """The entries that hold at least one of these regions of cells."""
        return {entry for region in regions for entry in self.entries_of(region)}


def load_region_map(atlas_dir: PathLike) -> RegionMap:
    """The hierarchy of an atlas as a :class:`voxcell.RegionMap`.

    Raises:
        InvalidInput: ``hierarchy.json`` is absent, not JSON or not a hierarchy of regions
            (:class:`InvalidInputs` with all that is wrong).
    """
    path = Path(atlas_dir) / HIERARCHY
    if not os.path.lexists(path):
        others = sorted(p.name for p in path.parent.glob("*.json")) if path.parent.is_dir() else []
        hint = f"is it {some(others, 3)}? Name it {HIERARCHY}" if others else None
        raise InvalidInput("the file does not exist", path, hint)
    root = _root(load_json(path), path)
    problems = _hierarchy_problems(root, path)
    if problems:
        raise InvalidInputs(problems)
    from region_grower_flow.io.voxcell import RegionMap

    try:
        return RegionMap.from_dict(root)
    except RecursionError as error:
        raise InvalidInput("the regions are nested too deeply", where=path) from error


def _root(content: object, path: PathLike) -> Any:
    """The top region (the Allen Institute wraps it in a list called ``msg``)."""
    if isinstance(content, dict) and "msg" in content:
        content = content["msg"]
        if not isinstance(content, list) or len(content) != 1:
            raise InvalidInput("'msg' must hold one region, the root of the hierarchy", where=path)
        content = content[0]
    if isinstance(content, list) and content and all(isinstance(each, dict) for each in content):
        if len(content) == 1 and "children" in content[0]:
            return content[0]
        hint = "write the root with all others below it as 'children'"
        raise InvalidInput(f"holds a list of regions ({len(content)}), expected one", path, hint)
    return content


def _hierarchy_problems(root: Any, path: PathLike) -> list[InvalidInput]:
    problems, ids, pending = [], set(), [(root, "the root")]
    while pending:
        node, name = pending.pop()
        if not isinstance(node, dict):
            problems.append(InvalidInput(f"{name} is not a region (an object)", where=path))
            continue
        acronym, number = node.get("acronym"), node.get("id")
        named = repr(acronym) if isinstance(acronym, str) else f"with id {number!r}"
        name = f"the region {named}"
        if not isinstance(acronym, str):
            problems.append(InvalidInput(f"{name} has no 'acronym' (a text)", where=path))
        if type(number) is not int:  # true is no id, though Python counts with it
            problems.append(InvalidInput(f"{name} has no 'id' (an integer)", where=path))
        elif number in ids:
            problems.append(InvalidInput(f"two regions have the id {number}", where=path))
        else:
            ids.add(number)
        children = node.get("children", [])
        if not isinstance(children, list):
            problems.append(InvalidInput(f"'children' of {name} is not a list", where=path))
            continue
        pending.extend((child, f"a child of {name}") for child in children)
    return problems
