"""Placement rules and annotations of placement-algorithm, and the scores that they give.

The methodology is that of placement-algorithm's documentation. Rules of the segment type "axon"
count, the global ones and those of the mtype:

* ``below`` (strict): L = clip((r - a + t) / t, 0, 1), a the highest point of the annotated part
  and r the rule's height; t is the rule's ``tolerance``, 30 um by default;
* ``region_target``: the overlap of the annotated interval and the rule's, over the shorter of the
  two; ``region_occupy``: over the longer of the two. An empty interval scores 0.

The score is the least of the strict ones times the harmonic mean of the others (0 when one of them
is below 1e-5). Rules that a donor has no annotation for are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import InvalidInput, InvalidInputs, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import load_json, read_text
from region_grower_flow.io.schemas import did_you_mean, violation
from region_grower_flow.io.xml import parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from region_grower_flow.placement.scores import Places

BELOW, TARGET, OCCUPY = "below", "region_target", "region_occupy"
_HEIGHTS = {
    BELOW: (("y_layer", "y_fraction"),),
    TARGET: (("y_min_layer", "y_min_fraction"), ("y_max_layer", "y_max_fraction")),
    OCCUPY: (("y_min_layer", "y_min_fraction"), ("y_max_layer", "y_max_fraction")),
}
_TOLERANCE = 30.0
_LOWEST = 1e-5


@dataclass(frozen=True)
class Rule:
    """A placement rule.

    Attributes:
        id: its name, which annotations refer to.
        type: "below", "region_target" or "region_occupy".
        heights: ((layer, fraction), ...): one for "below", lower and upper for the others; the
            fraction is 0 at the bottom of the layer and 1 at its top.
        tolerance: um, of "below".
    """

    id: str
    type: str
    heights: tuple[tuple[str, float], ...]
    tolerance: float = _TOLERANCE


@dataclass(frozen=True)
class Rules:
    """The rules for axons: ``common`` ones, and those ``by_mtype`` {mtype: [Rule]}."""

    common: list[Rule] = field(default_factory=list)
    by_mtype: dict[str, list[Rule]] = field(default_factory=dict)

    def of(self, mtype: str) -> list[Rule]:
        """The rules that an mtype's donors are held to."""
        return [*self.common, *self.by_mtype.get(mtype, [])]

    def layers(self) -> set[str]:
        """The names of the layers that rules refer to."""
        rules = [*self.common, *(rule for found in self.by_mtype.values() for rule in found)]
        return {layer for rule in rules for layer, _ in rule.heights}


def load_rules(path: PathLike) -> Rules:
    """Read the rules for axons of an XML file.

    Raises:
        InvalidInput: it is not XML, or no placement rules; InvalidInputs: rules that are wrong.
    """
    root = parse_xml(read_text(path), path)
    if root.tag != "placement_rules":
        raise InvalidInput(f"expected 'placement_rules', found {root.tag!r}", where=path)
    problems: list[InvalidInput] = []
    common: list[Rule] = []
    by_mtype: dict[str, list[Rule]] = {}
    for group in root:
        if group.tag == "global_rule_set":
            common += _rules(group, path, problems)
        elif group.tag == "mtype_rule_set":
            rules = _rules(group, path, problems)
            for mtype in group.get("mtype", "").split("|"):
                if mtype in by_mtype or not mtype:
                    text = f"the mtype {mtype!r} is there twice" if mtype else "no mtype is named"
                    problems.append(InvalidInput(text, f"{path}, mtype_rule_set"))
                by_mtype[mtype] = rules
    if problems:
        raise InvalidInputs(problems)
    return Rules(common, by_mtype)


def load_annotations(path: PathLike) -> dict[str, dict[str, tuple[float, float]]]:
    """Read annotations: {morphology: {rule: (lowest, highest)}}, um above the soma.

    Args:
        path: a JSON file {morphology: {rule: {y_min, y_max}}}, or a folder of XML files.

    Raises:
        InvalidInput, InvalidInputs: what cannot be read, or is wrong.
    """
    path, problems = Path(path), list[InvalidInput]()
    if path.is_dir():
        content = dict(_annotation_file(file, problems) for file in sorted(path.glob("*.xml")))
    else:
        content = load_json(path)
    if not isinstance(content, dict) or not content:
        raise InvalidInput("holds no annotations", where=path)
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for name, rules in content.items():
        found[name] = {}
        for rule, extent in (rules if isinstance(rules, dict) else {}).items():
            low, high = (_number(extent, key) for key in ("y_min", "y_max"))
            if math.isnan(high) or low > high:
                text = "expected numbers y_min and y_max, the first not above the second"
                problems.append(violation(path, [name, rule], text))
            found[name][rule] = low, high
    if problems:
        raise InvalidInputs(problems)
    return found


def rule_scores(
    rules: Sequence[Rule],
    annotation: Mapping[str, tuple[float, float]],
    places: Places,
    layers: Sequence[str],
    scale: float = 1.0,
) -> np.ndarray:
    """(n,) scores of a donor at the cells' places.

    Args:
        rules: list of Rule.
        annotation: {rule: (lowest, highest)} of the donor.
        places: :class:`~region_grower_flow.placement.scores.Places`.
        layers: names of the layers, from the top down.
        scale: of the donor.
    """
    strict = np.ones(len(places.depths))
    optional = []
    for rule in rules:
        if rule.id not in annotation:
            continue
        low, high = (scale * value for value in annotation[rule.id])
        limits = [_height(places, layers, *height) for height in rule.heights]
        if rule.type == BELOW:
            above = high - limits[0]
            strict = np.minimum(strict, np.clip(1.0 - above / rule.tolerance, 0.0, 1.0))
        else:
            optional.append(_overlap((low, high), limits, shorter=rule.type == TARGET))
    return strict * _harmonic_mean(optional, len(strict))


def without_intervals(rules: Sequence[Rule]) -> list[Rule]:
    """The rules of these that are strict."""
    return [rule for rule in rules if rule.type == BELOW]


def _height(places: Places, layers: Sequence[str], layer: str, fraction: float) -> np.ndarray:
    """(n,) height (um above the soma) of a place in a layer."""
    i = layers.index(layer)
    top, bottom = places.bounds[:, i], places.bounds[:, i + 1]
    return places.depths - (bottom - fraction * (bottom - top))


def _overlap(own: tuple[float, float], limits: Sequence[np.ndarray], shorter: bool) -> np.ndarray:
    low, high = limits
    common = np.minimum(high, own[1]) - np.maximum(low, own[0])
    extents = own[1] - own[0], high - low
    whole = np.minimum(*extents) if shorter else np.maximum(*extents)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((common > 0) & (whole > 0), common / whole, 0.0)


def _harmonic_mean(scores: Sequence[np.ndarray], count: int) -> np.ndarray:
    if not scores:
        return np.ones(count)
    stacked = np.stack(scores)
    with np.errstate(divide="ignore"):
        means = len(stacked) / (1.0 / stacked).sum(axis=0)
    return np.where((stacked < _LOWEST).any(axis=0), 0.0, means)


def _rules(group: Element, path: PathLike, problems: list[InvalidInput]) -> list[Rule]:
    rules = []
    for element in group.iter("rule"):
        name, kind = element.get("id"), element.get("type")
        where = f"{path}, rule {name!r}"
        if kind not in _HEIGHTS or not name:
            hint = did_you_mean(kind, _HEIGHTS) or f"known are {', '.join(_HEIGHTS)}"
            problems.append(InvalidInput(f"has the type {kind!r}", where, hint))
            continue
        if element.get("segment_type", "axon") != "axon":
            continue
        heights = []
        for layer, fraction in _HEIGHTS[kind]:
            share = _number(element.attrib, fraction)
            if layer not in element.attrib or not 0 <= share <= 1:
                text = f"expected {layer}, and {fraction} from 0 to 1"
                problems.append(InvalidInput(text, where))
            heights.append((element.get(layer, "").removeprefix("L"), share))
        tolerance = _number({"tolerance": _TOLERANCE, **element.attrib}, "tolerance")
        if not tolerance > 0:
            problems.append(InvalidInput("the tolerance must be more than 0 um", where))
        rules.append(Rule(name, kind, tuple(heights), tolerance))
    names = [rule.id for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        problems.append(InvalidInput(f"rules are there twice ({some(twice)})", path))
    return rules


def _annotation_file(path: Path, problems: list[InvalidInput]) -> tuple[str, dict[str, Any]]:
    try:
        root = parse_xml(read_text(path), path)
    except InvalidInput as error:
        problems.append(error)
        return path.stem, {}
    placements = {e.get("rule", ""): dict(e.attrib) for e in root.iter("placement")}
    return root.get("morphology", path.stem), placements


def _number(values: Mapping[str, Any], key: str) -> float:
    """A number of a mapping, which may be a text; NaN when it is none."""
    value: Any = values.get(key) if isinstance(values, dict) else None
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan
