"""The cell types of the example: how they grow, and the published numbers they are held to.

Growth parameters (:class:`TreeRule`, :class:`ApicalRule`) are our own; they were chosen so that the
grown cells meet the targets (``tests/helpers/example_targets.py``), each of which is a *range* for
the mean over cells:

* [Markram2015] Markram et al., Cell 163:456 (2015), juvenile rat S1, and its portal (Ramaswamy et
  al., Front. Neural Circuits 9:44, 2015): the ranges contain the means that NeuroM 3 measures on
  the dendrites of that m-type published there (number of trees, lengths, bifurcations, farthest
  point, diameters, soma radius, tortuosity, remote angle). Layer thicknesses, the volume of the
  microcircuit and, rounded, the counts of cells per m-type are from there too. Names are today's:
  L5_TPC:A stands for L5_TTPC1 and 2, L3_TPC:A for L23_PC, L4_SSC for L4_SS, L6_TPC:C for L6_TPC_L4.
* [Rall1959] Rall, Exp. Neurol. 1:491 (1959): the 3/2 power law of diameters at a bifurcation,
  which our dendrites keep exactly (real ones scatter widely).
* "shape": our own bounds for what these types are known by: apical tufts that reach the pia
  (thick-tufted cells: Romand et al., Front. Neuroanat. 5:5, 2011) or end in layer 4, dendrites
  that run vertically (bitufted and Martinotti cells: Wang et al., J. Physiol. 561:65, 2004). Basal
  dendrites that bifurcate near the soma and end in long segments are described by Larkman, J.
  Comp. Neurol. 306:307 (1991). No numbers were taken from these three.

The ranges are rounded and wider than a standard error: the example has to look right, not to
replace reconstructions. All lengths are um, angles rad, densities cells/mm3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from region_grower_flow.morphology import APICAL_DENDRITE, AXON, BASAL_DENDRITE

LAYERS = (1, 2, 3, 4, 5, 6)
THICKNESSES = (165.0, 149.0, 353.0, 190.0, 525.0, 700.0)
"""Mean thickness (um) of layers 1 to 6 of juvenile rat S1 [Markram2015]."""

COLUMN_HEIGHT = sum(THICKNESSES)
MICROCIRCUIT_VOLUME = 0.29
"""Volume (mm3) of the microcircuit whose counts per m-type give the densities [Markram2015]."""

UP, DOWN = (0.0, 1.0, 0.0), (0.0, -1.0, 0.0)


def depth_of_layer(layer: int) -> tuple[float, float]:
    """The (top, bottom) depth (um below the pia) of a layer of the reference column."""
    index = LAYERS.index(layer)
    top = sum(THICKNESSES[:index])
    return top, top + THICKNESSES[index]


def layer_of_depth(depth: float) -> int:
    """The layer of the reference column at a depth (um below the pia)."""
    return next(layer for layer in LAYERS if depth < depth_of_layer(layer)[1])


@dataclass(frozen=True)
class TreeRule:
    """Growth of dendrites or axons without a main trunk.

    Attributes:
        trees: smallest and largest number of trees of a cell.
        reach: mean path length (um) at which tips end.
        branching: bifurcations per um next to the soma.
        decay: length (um) over which ``branching`` falls by a factor e.
        first: path length (um) before which nothing branches.
        angle: mean angle (rad) between two sister branches.
        persistence: length (um) over which a branch forgets its direction.
        pull: unit vector that branches turn to, or None: away from the soma.
        pull_length: length (um) over which they turn to it; longer is weaker.
        poles: None, or the directions round which the trunks start.
        spread: half angle (rad) of the trunks round their pole.
        section_type: MorphIO section type.
        tip_diameter: mean diameter (um) of the tips.
        taper: diameter (um) lost per um of path.
    """

    trees: tuple[int, int]
    reach: float
    branching: float
    decay: float
    first: float = 8.0
    angle: float = 0.95
    persistence: float = 380.0
    pull: tuple[float, float, float] | None = None
    pull_length: float = 250.0
    poles: tuple[tuple[float, float, float], ...] | None = None
    spread: float = 1.0
    section_type: int = BASAL_DENDRITE
    tip_diameter: float = 0.55
    taper: float = 0.0012


@dataclass(frozen=True)
class ApicalRule:
    """Growth of an apical dendrite: a trunk to the pia, obliques on its way, a tuft at its end.

    Attributes:
        tuft_depth: mean depth (um below the pia) at which the trunk ends and the tuft begins.
        obliques: mean number of obliques.
        oblique_zone: share of the trunk, from the soma on, that bears them.
        oblique: how an oblique grows on.
        tuft: how a branch of the tuft grows on; its ``reach`` counts from the tuft's start.
        target_layer: layer that the tuft ends in.
        persistence: length (um) over which the trunk forgets its direction.
        pull_length: length (um) over which the trunk turns to the pia.
    """

    tuft_depth: float
    obliques: float
    oblique_zone: float
    oblique: TreeRule
    tuft: TreeRule
    target_layer: int = 1
    persistence: float = 1500.0
    pull_length: float = 100.0


@dataclass(frozen=True)
class CellType:
    """An m-type of the example.

    Attributes:
        mtype: its name, in the nomenclature of region-grower.
        layers: layers that hold its somata.
        count: cells of the m-type in the microcircuit of [Markram2015], rounded.
        soma_radius: mean radius (um).
        basal: rule of its dendrites.
        apical: rule of its apical dendrite, None when it has none.
        axon: rule of its (local) axon.
        etype, synapse_class, morph_class: properties of its rows in the SONATA nodes.
    """

    mtype: str
    layers: tuple[int, ...]
    count: int
    soma_radius: float
    basal: TreeRule
    apical: ApicalRule | None
    axon: TreeRule
    etype: str
    synapse_class: str
    morph_class: str

    @property
    def density(self) -> float:
        """Cells per mm3 inside the layers of the m-type."""
        thickness = sum(THICKNESSES[LAYERS.index(layer)] for layer in self.layers)
        return self.count / (MICROCIRCUIT_VOLUME * thickness / COLUMN_HEIGHT)


def apical_branch(reach: float, branching: float, decay: float, **changes: Any) -> TreeRule:
    """A branch of an apical dendrite, thinner than a basal one: many of them feed one trunk."""
    rule = {"section_type": APICAL_DENDRITE, "tip_diameter": 0.4, "taper": 0.0004}
    return TreeRule((1, 1), reach, branching, decay, **{**rule, **changes})


def axon_rule(**changes: Any) -> TreeRule:
    """A local axon: one trunk that leaves downwards, and collaterals within a few hundred um."""
    rule = {
        "trees": (1, 1),
        "reach": 420.0,
        "branching": 0.018,
        "decay": 400.0,
        "first": 35.0,
        "angle": 1.2,
        "persistence": 120.0,
        "poles": (DOWN,),
        "spread": 0.4,
        "section_type": AXON,
        "tip_diameter": 0.3,
        "taper": 0.0002,
    }
    return TreeRule(**{**rule, **changes})
