"""Forecast of growth: which way dendrites point, and which cells will be lost.

NeuroTS draws a cell up to ten times. It refuses a draw with more trees than a list of orientations
has, and one with fewer than two basal dendrites; a cell whose ten draws are all refused is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from region_grower_flow.calibration.populations import APICAL, BASAL
from region_grower_flow.engine.angle_laws import ANGLE_MODES
from region_grower_flow.engine.levers import KEY, MEASURED
from region_grower_flow.errors import some
from region_grower_flow.layout import MAX_ATTEMPTS

if TYPE_CHECKING:
    from region_grower_flow.calibration.populations import Population

DOWN = 135.0
"""Angle to the pia (degrees) from which an apical dendrite points to the white matter."""
NOTEWORTHY = 0.01
"""Fraction of an mtype's cells from which a foreseeable loss is told."""
SAMPLE = "sample"
"""Value of the option ``extra_apicals``: trees beyond the orientations get their own directions."""


@dataclass(frozen=True)
class Direction:
    """Direction of the apical dendrites of an mtype.

    Attributes:
        down: how many of its reconstructions have theirs towards the white matter.
        cells: how many have one.
    """

    down: int
    cells: int

    @property
    def is_inverted(self) -> bool:
        """True if most of them point down."""
        return self.cells > 0 and self.down > self.cells / 2


def directions(populations: Mapping[str, Population]) -> dict[str, Direction]:
    """{mtype: Direction} of the mtypes that grow apical dendrites.

    Args:
        populations: {mtype: Population}.
    """
    found = {}
    for mtype, population in populations.items():
        tilts = [frame.tilt for frame in population.frames.values() if frame.tilt is not None]
        if tilts:
            found[mtype] = Direction(sum(tilt > DOWN for tilt in tilts), len(tilts))
    return found


def direction_notes(
    populations: Mapping[str, Population], inverted: Sequence[str] = (), measured: bool = False
) -> Iterator[str]:
    """Sentences on mtypes whose cells will not point where their reconstructions do, or down.

    Args:
        populations: {mtype: Population}.
        inverted: the mtypes that are said to be inverted (option ``inverted_mtypes``).
        measured: cells get the trunks of reconstructed cells (growth_calibration = extended).
    """
    found = directions(populations)
    wrong = {m: d for m, d in found.items() if d.is_inverted and m not in inverted}
    if wrong:
        counts = some([f"{m} {d.down} of {d.cells}" for m, d in wrong.items()])
        setting = f"inverted_mtypes = {','.join([*inverted, *wrong])}"
        if measured:
            grown = f"and so will those of grown cells. If they are inverted cells, set {setting}"
        else:
            grown = f"but those of grown cells will point to the pia. Set {setting}"
        start = f"The apical dendrites of reconstructions point to the white matter ({counts})"
        yield f"{start}, {grown}."
    upright = [m for m in inverted if m in found and not found[m].is_inverted]
    if upright:
        yield (
            f"inverted_mtypes names {some(upright)}, but the apical dendrites of most of its "
            "reconstructions point to the pia; those of grown cells will point to the white matter."
        )


def tree_counts(population: Population, min_basal_trees: int = 1) -> dict[str, list[int]]:
    """{neurite type: numbers of trees of the reconstructions} that growth draws from."""
    counts = {}
    for name in population.neurite_types:
        found = [cell.trees.get(name, 0) for cell in population.usable(name)]
        if name == BASAL and min_basal_trees > 1:
            found = [min_basal_trees if count == 1 else count for count in found]
        counts[name] = found
    return counts


def refused_share(
    counts: Mapping[str, Sequence[int]],
    orientations: Mapping[str, Any],
    extra_apicals: str = "fail",
) -> tuple[dict[str, str], float]:
    """({neurite type: why}, the fraction of draws that NeuroTS refuses).

    Args:
        counts: {neurite type: numbers of trees}, each as likely as another.
        orientations: {neurite type: NeuroTS's entry ``orientation``}.
        extra_apicals: the option.
    """
    reasons, accepted = {}, 1.0
    for name, numbers in counts.items():
        given = orientations.get(name)
        if not numbers:
            continue
        if isinstance(given, dict) and given.get("mode") in ANGLE_MODES:
            continue
        refused = 0.0
        if isinstance(given, list) and extra_apicals != SAMPLE:
            refused = sum(number > len(given) for number in numbers) / len(numbers)
            reasons.update({name: _TOO_MANY.format(len(given))} if refused else {})
        if name == BASAL:
            few = sum(number < 2 for number in numbers) / len(numbers)
            reasons.update({name: _TOO_FEW} if few else {})
            refused += few
        accepted *= 1.0 - min(refused, 1.0)
    return reasons, 1.0 - accepted


_TOO_MANY = "more trees than orientations ({}): set extra_apicals = sample"
_TOO_FEW = "fewer than two trees: set min_basal_trees = 2"
DEFAULT_ORIENTATIONS = {BASAL: None, APICAL: [[0.0, 1.0, 0.0]]}
"""Orientations in NeuroTS's own parameters."""


def loss_notes(
    populations: Mapping[str, Population],
    cells: Mapping[str, int],
    min_basal_trees: int = 1,
    extra_apicals: str = "fail",
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[str]:
    """Sentences on the cells that will be lost as the flow is configured.

    Neurite types whose trunks are those of a reconstructed cell (the lever ``trunks``) have a
    direction for each tree, and lose none.

    Args:
        populations: {mtype: Population}.
        cells: {mtype: number of cells to grow}.
        min_basal_trees, extra_apicals: the options.
        parameters: {mtype: NeuroTS's parameters}; None: NeuroTS's defaults, without levers.
    """
    for mtype, population in populations.items():
        if not cells.get(mtype) or not population.cells:
            continue
        given: Mapping[str, Any] = DEFAULT_ORIENTATIONS
        with_levers: set[str] = set()
        if parameters is not None:
            given, with_levers = _orientations(parameters.get(mtype) or {})
        counts = tree_counts(population, min_basal_trees)
        counts = {name: found for name, found in counts.items() if name not in with_levers}
        reasons, share = refused_share(counts, given, extra_apicals)
        lost = share**MAX_ATTEMPTS
        if lost < NOTEWORTHY:
            continue
        number = max(round(lost * cells[mtype]), 1)
        about = "all" if lost > 0.99 else f"about {number:,}"
        why = "; ".join(f"{name} has {reason}" for name, reason in reasons.items())
        yield f"{mtype}: {about} of its {cells[mtype]:,} cells will be lost ({why})."


def _orientations(params: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """{neurite type: orientation} of an mtype's parameters, and the types with measured trunks."""
    names = params.get("grow_types") or []
    entries = {name: params.get(name) or {} for name in names}
    levers = params.get(KEY) or {}
    measured = {name for name in names if (levers.get(name) or {}).get("trunks") == MEASURED}
    return {name: entry.get("orientation") for name, entry in entries.items()}, measured
