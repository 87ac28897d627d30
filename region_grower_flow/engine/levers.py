"""Growth levers: what makes grown cells more like the reconstructions than NeuroTS's rules do.

All are opt-in, in the object ``growth_levers`` of an mtype's parameters; docs/howto/growth.rst.
A neurite type with an entry there grows from the trees in the distributions' ``measured``, which
:mod:`region_grower_flow.calibration.measured` extracts; one without grows as in NeuroTS.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.morphology import NEURITE_TYPES

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Params

KEY = "growth_levers"
"""Key of the levers in the parameters of an mtype."""

MEASURED = "measured"
"""Key of the measured trees in the distributions of an mtype, and value of some levers."""

DRAWN = "drawn"

NO_STRETCH = (1.0, 1.0, 1.0)


def bring_diameters(params: Params) -> bool:
    """True if the bars of some neurite type of an mtype bring their diameters along."""
    entries = (params.get(KEY) or {}).values()
    return any(isinstance(entry, dict) and "diameters" in entry for entry in entries)


@dataclass(frozen=True)
class TypeLevers:
    """The levers of one neurite type, each without effect unless it is set.

    Attributes:
        angles: children leave their parents by measured angles.
        angle_scale: factor of these angles.
        fresh_start: children begin without their parent's last direction.
        owner_exponent: exponent of the distance since a bar's last bifurcation, by which the bars
            are drawn that others branch off; None: sections race for bifurcations as in NeuroTS.
        owner_fidelity: share of bars that branch off the bar that they did in the reconstruction.
        randomness_spread: standard deviation of the log of a factor of randomness and wander that
            is drawn for each cell.
        wander: how fast the target direction of a section drifts: the share of a random unit vector
            that is added per um (for steps of another length times its square root).
        wander_length: length (um) over which the target returns to where it began; None: never.
        steer: how far a section that wanders is drawn back to its line (0 to 1), so that it ends
            where its aim points; it then begins as far off its aim as it is later on.
        bending: sections bend (randomness, wander) as much, in comparison, as they did.
        stretch: factors of directions along x, y and z of the cell.
        trunks: number and directions of trunks are those of a reconstructed cell.
        trunk_jitter: angle (radians) by which these directions are disturbed.
        heading: how near the azimuth of children is to the best for the directions of their bars,
            0 (any) to 1.
        size_spread: standard deviation of the log of a factor of the size of each tree that is not
            scaled to layers.
        diameters: bars carry the diameters of the branch that they come from.
        diameter_scale: factor of these.
    """

    angles: bool = False
    angle_scale: float = 1.0
    fresh_start: bool = False
    owner_exponent: float | None = None
    owner_fidelity: float = 0.0
    randomness_spread: float = 0.0
    wander: float = 0.0
    wander_length: float | None = None
    steer: float = 0.0
    bending: bool = False
    stretch: tuple[float, ...] = NO_STRETCH
    trunks: bool = False
    trunk_jitter: float = 0.0
    heading: float = 0.0
    size_spread: float = 0.0
    diameters: bool = False
    diameter_scale: float = 1.0

    @classmethod
    def prepare(cls, entry: Mapping[str, Any]) -> TypeLevers:
        """Prepare the levers of a type from its entry.

        Raises:
            TypeError: there is no such lever; ValueError: it cannot have this value.
        """
        given = dict(entry)
        for name in ("angles", "bending", "trunks", "diameters"):
            if name in given:
                given[name] = given[name] == MEASURED
        if "stretch" in given:
            given["stretch"] = tuple(float(x) for x in given["stretch"])
        made = cls(**given)
        for problem in made.problems():
            raise ValueError(problem)
        return made

    def problems(self) -> Iterator[str]:
        """Levers that do not go together, as parts of sentences."""
        if self.owner_exponent is None:
            needing = [name for name in ("owner_fidelity", "heading") if getattr(self, name) > 0.0]
            needing += [name for name in ("bending", "diameters") if getattr(self, name)]
            for name in needing:
                yield f"the lever {name!r} needs 'owner_exponent'"
        if self.angle_scale != 1.0 and not self.angles:
            yield "the lever 'angle_scale' needs 'angles': 'measured'"
        if self.steer > 0.0 and self.wander_length is None:
            yield "the lever 'steer' needs 'wander_length'"
        if self.heading > 0.0 and not self.angles:
            yield "the lever 'heading' needs 'angles': 'measured'"

    @property
    def is_stretched(self) -> bool:
        """True if directions are stretched."""
        return self.stretch != NO_STRETCH

    def fill(self, rules: np.record, step: float) -> None:
        """Set the levers in the RULES record of the type, whose steps are so long (um)."""
        from region_grower_flow.engine.kernels import state

        if self.angles:
            rules.branching = state.MEASURED
        rules.angle_scale = self.angle_scale
        rules.fresh_start = int(self.fresh_start)
        rules.owned = int(self.owner_exponent is not None)
        rules.owner_exponent = self.owner_exponent or 0.0
        rules.owner_fidelity = self.owner_fidelity
        rules.wander = self.wander * math.sqrt(step)
        rules.wander_return = 0.0
        if self.wander_length is not None:
            rules.wander_return = min(step / self.wander_length, 1.0)
        rules.steer = self.steer
        rules.start_spread = self.start_spread(step)
        rules.memory = self.wander_length or 0.0
        rules.heading = self.heading
        rules.stretched = int(self.is_stretched)

    def draw_size(self, rng: np.random.Generator) -> float:
        """A factor of the size of one tree."""
        return math.exp(self.size_spread * rng.standard_normal()) if self.size_spread else 1.0

    def start_spread(self, step: float) -> float:
        """Standard deviation, along each axis, of a wandering target around its aim.

        That of the stationary process, with the lever ``steer`` only; steps are so long (um).
        """
        if self.steer == 0.0 or self.wander_length is None:
            return 0.0
        back = min(step / self.wander_length, 1.0)
        return self.wander * math.sqrt(step / (3.0 * back * (2.0 - back)))


@dataclass(frozen=True)
class CellLevers:
    """The levers of an mtype.

    Attributes:
        types: {neurite type: TypeLevers}; types without an entry grow as in NeuroTS.
        drawn_soma: the soma has the size that was drawn.
        kin: share of the reconstructed cells, those most alike, that the trees of one cell are
            drawn from; None: all.
    """

    types: dict[str, TypeLevers]
    drawn_soma: bool = False
    kin: float | None = None

    @classmethod
    def prepare(cls, params: Params) -> CellLevers | None:
        """The levers in the parameters of an mtype, None without any of effect.

        Raises:
            TypeError, ValueError: they cannot be used.
        """
        given = params.get(KEY)
        if given is None:
            return None
        types = {
            kind: TypeLevers.prepare(given[kind])
            for kind in params["grow_types"]
            if kind in given and kind in NEURITE_TYPES
        }
        drawn_soma = given.get("soma") == DRAWN
        return cls(types, drawn_soma, given.get("kin")) if types or drawn_soma else None

    def cell_rules(
        self,
        rules: np.ndarray,
        kinds: Sequence[str],
        orientation: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """The RULES of one cell: with its own randomness, and stretched along its own axes.

        Args:
            rules: (K,) RULES of its mtype, left as they are.
            kinds: the K neurite types.
            orientation: (3, 3), the atlas's rotation at the cell.
            rng: the cell's generator.
        """
        varied = [(i, self.types[kind]) for i, kind in enumerate(kinds) if kind in self.types]
        if not any(levers.randomness_spread or levers.is_stretched for _, levers in varied):
            return rules
        rules = rules.copy()
        for i, levers in varied:
            if levers.randomness_spread:
                vary(rules[i], math.exp(levers.randomness_spread * rng.standard_normal()))
            if levers.is_stretched:
                rules[i]["stretch"] = stretch_matrix(levers.stretch, orientation)
        return rules

    @property
    def some_bring_diameters(self) -> bool:
        """True if the bars of some neurite type bring their diameters along."""
        return any(levers.diameters for levers in self.types.values())


LEAST_RANDOMNESS = 0.01
"""Randomness and history keep at least this weight when randomness varies."""


def vary(rules: Any, factor: float) -> None:
    """Multiply the randomness of a RULES record, and its wander, history making way."""
    most = 1.0 - rules["targeting"] - LEAST_RANDOMNESS
    randomness = min(max(rules["randomness"] * factor, LEAST_RANDOMNESS), most)
    rules["randomness"] = randomness
    rules["history"] = 1.0 - randomness - rules["targeting"]
    rules["wander"] *= factor
    rules["start_spread"] *= factor


def stretch_matrix(factors: Sequence[float], orientation: np.ndarray) -> np.ndarray:
    """(3, 3): multiplies by factors along the axes of a cell with this orientation."""
    return (orientation * factors).dot(orientation.T)
