"""The published numbers that the example's cells are held to: a range for the mean over cells."""

from typing import NamedTuple

NMC, RALL = "[Markram2015]", "[Rall1959]"
SHAPE = "shape"
"""Sources of the ranges, see ``region_grower_flow.example.targets``."""


class Target(NamedTuple):
    """A range for the mean of a feature that ``example_features.measure`` finds, and its source."""

    feature: str
    low: float
    high: float
    source: str


TARGETS = {
    "L1_NGC-DA": (
        Target("basal_trees", 4.5, 7.0, NMC),
        Target("basal_length", 1000.0, 2700.0, NMC),
        Target("basal_bifurcations", 15.0, 45.0, NMC),
        Target("basal_radius", 80.0, 160.0, NMC),
        Target("soma_radius", 6.0, 8.0, NMC),
    ),
    "L23_BTC": (
        Target("basal_trees", 2.5, 5.5, NMC),
        Target("basal_length", 1800.0, 4600.0, NMC),
        Target("basal_bifurcations", 11.0, 35.0, NMC),
        Target("basal_radius", 230.0, 430.0, NMC),
        Target("verticality", 1.1, 4.0, SHAPE),
        Target("soma_radius", 7.2, 9.5, NMC),
    ),
    "L3_TPC:A": (
        Target("basal_trees", 4.0, 7.0, NMC),
        Target("basal_length", 1800.0, 4300.0, NMC),
        Target("basal_bifurcations", 10.0, 35.0, NMC),
        Target("basal_radius", 130.0, 260.0, NMC),
        Target("apical_length", 1600.0, 4000.0, NMC),
        Target("apical_bifurcations", 9.0, 30.0, NMC),
        Target("top_depth", 0.0, 60.0, SHAPE),
        Target("apical_trunk_diameter", 2.0, 4.5, NMC),
        Target("soma_radius", 6.2, 7.8, NMC),
    ),
    "L4_SSC": (
        Target("basal_trees", 4.0, 6.0, NMC),
        Target("basal_length", 1800.0, 4600.0, NMC),
        Target("basal_bifurcations", 10.0, 34.0, NMC),
        Target("basal_radius", 140.0, 320.0, NMC),
        Target("soma_radius", 6.8, 8.4, NMC),
    ),
    "L5_TPC:A": (
        Target("basal_trees", 6.0, 10.0, NMC),
        Target("basal_length", 4000.0, 8000.0, NMC),
        Target("basal_bifurcations", 25.0, 60.0, NMC),
        Target("basal_radius", 190.0, 300.0, NMC),
        Target("apical_length", 5000.0, 10500.0, NMC),
        Target("apical_bifurcations", 30.0, 75.0, NMC),
        Target("top_depth", 0.0, 60.0, SHAPE),
        Target("apical_trunk_diameter", 3.5, 7.5, NMC),
        Target("soma_radius", 9.5, 11.6, NMC),
    ),
    "L6_TPC:C": (
        Target("basal_trees", 5.5, 9.0, NMC),
        Target("basal_length", 1800.0, 4000.0, NMC),
        Target("basal_bifurcations", 10.0, 30.0, NMC),
        Target("basal_radius", 140.0, 240.0, NMC),
        Target("apical_length", 2200.0, 5600.0, NMC),
        Target("apical_bifurcations", 11.0, 30.0, NMC),
        Target("top_depth", 560.0, 860.0, SHAPE),
        Target("apical_trunk_diameter", 2.0, 4.5, NMC),
        Target("soma_radius", 5.8, 7.2, NMC),
    ),
    "L5_MC": (
        Target("basal_trees", 2.5, 5.0, NMC),
        Target("basal_length", 2800.0, 6000.0, NMC),
        Target("basal_bifurcations", 18.0, 60.0, NMC),
        Target("basal_radius", 260.0, 540.0, NMC),
        Target("verticality", 1.05, 4.0, SHAPE),
        Target("soma_radius", 7.2, 9.2, NMC),
    ),
}
"""{mtype: its Targets}."""

COMMON_TARGETS = (
    Target("tortuosity", 1.005, 1.05, NMC),
    Target("tip_diameter", 0.35, 0.75, NMC),
    Target("rall_ratio", 0.99, 1.01, RALL),
    Target("bifurcation_angle", 0.75, 1.5, NMC),
)
"""Targets of every mtype's sections and bifurcations."""
