"""State of the growth of a cell: record types, states and status codes.

All are NumPy record arrays, so that ``section.bif`` reads the same compiled and plain.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

Vector: TypeAlias = tuple[float, float, float]
"""A vector as kernels pass it on: a tuple stays in registers, an array does not."""

Triple: TypeAlias = Vector | np.ndarray
"""Three numbers: a Vector, or a row of an array."""

MEMORY = 5
"""Number of latest directions that a section's history takes in (NeuroTS's ``MEMORY``)."""


def as_records(array: np.ndarray) -> np.ndarray:
    """The structured array for use in kernels: ``array[i].name`` needs a recarray in plain Python.

    Compiled functions take plain structured arrays, ten times faster than recarrays.
    """
    from numba import config

    return array.view(np.recarray) if config.DISABLE_JIT else array


# Growth methods (``growth_method``).
TMD, TMD_APICAL, TMD_GRADIENT, TRUNK = range(4)
METHODS = {
    "tmd": TMD,
    "tmd_apical": TMD_APICAL,
    "tmd_gradient": TMD_GRADIENT,
    "trunk": TRUNK,
    "axon_trunk": TRUNK,
}
"""{name in parameters: growth method}: parameters are checked, and prepared, by these."""
APICAL_METHODS = (TMD_APICAL, TMD_GRADIENT)
"""Growth methods whose trees have an apical trunk, up to the apical point of their barcode."""
NEEDED = {"trunk": ("num_seg",), "tmd_gradient": ("bias", "bias_length")}
"""{name of a growth method: keys of parameters that it needs, besides those of all}."""
# Metrics (``metric``): what barcodes are compared with, or the number of points of a trunk.
PATH_DISTANCES, RADIAL_DISTANCES, TRUNK_LENGTH = range(3)
# Branching methods (``branching_method``; MEASURED is a lever of ours).
BIO_ORIENTED, SYMMETRIC, DIRECTIONAL, RANDOM, MEASURED = range(5)
# Step size distributions (``step_size``).
NORM, UNIFORM, EXPON, DATA, CONSTANT = range(5)

# What a section does after a step.
CONTINUE, BIFURCATE, TERMINATE = range(3)

# How a call ended: only DONE is good, NEEDS_SPACE goes on after the point log has been enlarged.
(
    DONE,
    NEEDS_SPACE,
    BROKEN_PIPELINE,
    ZERO_DIRECTION,
    RANDOM_BRANCHING,
    INVALID_PROBABILITY,
) = range(6)

NO_BAR = -1
"""Index of a bar that is not there (``None`` in NeuroTS)."""

NO_SECTION = -1
"""Index of a section that is not there."""

RULES = np.dtype(
    [
        ("randomness", np.float64),
        ("targeting", np.float64),
        ("history", np.float64),
        ("step_kind", np.int64),
        ("step_loc", np.float64),
        ("step_scale", np.float64),
        ("first_step", np.int64),
        ("last_step", np.int64),
        ("method", np.int64),
        ("metric", np.int64),
        ("branching", np.int64),
        ("num_seg", np.int64),
        ("has_major_termination", np.int64),
        ("major_termination_length", np.float64),
        ("bias", np.float64),
        ("bias_length", np.float64),
        ("section_type", np.int64),
        ("fresh_start", np.int64),
        ("angle_scale", np.float64),
        ("owned", np.int64),
        ("owner_exponent", np.float64),
        ("owner_fidelity", np.float64),
        ("wander", np.float64),
        ("wander_return", np.float64),
        ("heading", np.float64),
        ("steer", np.float64),
        ("start_spread", np.float64),
        ("memory", np.float64),
        ("stretched", np.int64),
        ("stretch", np.float64, (3, 3)),
    ],
    align=True,
)
"""The parameters of one neurite type; steps ``first_step:last_step`` of the step table are its.

From ``fresh_start`` on they are growth levers (see :mod:`region_grower_flow.engine.levers`), all 0
where a type grows as in NeuroTS.
"""

TREE = np.dtype(
    [
        ("rules", np.int64),
        ("barcode", np.int64),
        ("ratio", np.float64),
        ("apical_distance", np.float64),
        ("direction", np.float64, (3,)),
        ("start", np.float64, (3,)),
        ("first_direction", np.float64, (3,)),
        ("first_length", np.float64),
        ("first_bar", np.int64),
        ("last_bar", np.int64),
        ("first_active", np.int64),
        ("n_active", np.int64),
        ("persistence_length", np.float64),
        ("found_last_bif", np.int64),
        ("apical_section", np.int64),
        ("end", np.int64),
        ("n_ordered", np.int64),
        ("n_bifurcated", np.int64),
        ("frame", np.float64, (3, 3)),
    ],
    align=True,
)
"""One tree: what its construction has drawn, its bars, its active sections, its apical section.

``end`` is the tree's rank among those that have ended (-1 while it grows), ``n_ordered`` how many
sections were in order in its last round, ``n_bifurcated`` how many have bifurcated in it; ``frame``
turns the headings of its bars (levers only).
"""

BAR = np.dtype(
    [
        ("bif", np.float64),
        ("term", np.float64),
        ("angles", np.float64, (4,)),
        ("has_bif", np.int64),
        ("has_term", np.int64),
        ("by_term", np.int64),
        ("owner", np.int64),
        ("kept", np.int64),
        ("latest", np.float64),
        ("next_owned", np.int64),
        ("next_alike", np.int64),
        ("heading", np.float64, (3,)),
        ("way", np.float64, (3,)),
        ("ahead", np.float64, (3,)),
        ("bend", np.float64),
        ("bend_ahead", np.float64),
    ],
    align=True,
)
"""A bar: ``has_bif`` and ``has_term`` while they are unused.

``owner`` is the bar that it branches off, ``kept`` whether it did in the reconstruction,
``latest`` where the last bar branched off it while owners are drawn, ``next_owned`` the next bar
that branches off it and ``next_alike`` the one that does so after this one; ``heading``, ``way``,
``ahead``, ``bend`` and ``bend_ahead`` are those of BARCODE_BAR (levers only).
``by_term`` belongs to the position, not the bar: the bars of a tree in order of termination.
"""

BARCODE_BAR = np.dtype(
    [
        ("bif", np.float64),
        ("term", np.float64),
        ("angles", np.float64, (4,)),
        ("place", np.int64),
        ("by_term", np.int64),
        ("owner", np.int64),
        ("heading", np.float64, (3,)),
        ("way", np.float64, (3,)),
        ("ahead", np.float64, (3,)),
        ("bend", np.float64),
        ("bend_ahead", np.float64),
    ],
    align=True,
)
"""A bar of a barcode as it was measured, the bars in order of bifurcation.

``place`` is the bar's place in the file, which decides between equal bifurcations; ``by_term``
belongs to the position: the bars of the barcode in order of termination. ``owner`` (a place in the
barcode), ``heading`` (from its start to its tip), ``way`` and ``ahead`` (directions of its first
section, and of the section that goes on along its owner there) are those of the reconstruction;
``bend`` and ``bend_ahead`` say how much these two sections bend, 1 like the others of their type.
"""

SECTION = np.dtype(
    [
        ("tree", np.int64),
        ("parent", np.int64),
        ("born", np.int64),
        ("major", np.int64),
        ("children", np.int64),
        ("bif_id", np.int64),
        ("bif", np.float64),
        ("term_id", np.int64),
        ("term", np.float64),
        ("ref", np.float64),
        ("pathlength", np.float64),
        ("direction", np.float64, (3,)),
        ("aim", np.float64, (3,)),
        ("begin", np.float64, (3,)),
        ("last", np.float64, (3,)),
        ("latest", np.float64, (MEMORY, 3)),
        ("n_latest", np.int64),
        ("n_points", np.int64),
        ("rank", np.int64),
        ("bend", np.float64),
    ],
    align=True,
)
"""A section that grows: its stop criterion, its latest directions (a ring), its rank when ended.

``born`` is the bar that begins where the section begins, ``aim`` its direction before it drifted
(levers only); ``bend`` is the factor of its randomness and wander, 1 without levers.
"""

LOGGED = np.dtype([("section", np.int32), ("xyz", np.float32, (3,))], align=True)
"""A point in order of growth, in the precision in which MorphIO stores it."""

PROGRESS = np.dtype(
    [
        ("n_points", np.int64),
        ("n_sections", np.int64),
        ("n_appended", np.int64),
        ("n_ended", np.int64),
        ("next_tree", np.int64),
    ],
    align=True,
)
"""Progress of the growth of a cell (one record)."""


class Forest(NamedTuple):
    """All that grows in a cell.

    Attributes:
        trees: (T,) TREE.
        bars: (B,) BAR of all trees.
        sections: (S,) SECTION in order of creation.
        active: (B,) int64, for each tree its active sections from ``tree.first_active`` on.
        order: (B,) int64, for each tree its active sections in order of bifurcation, from
            ``tree.first_active`` on.
        log: (N,) LOGGED.
        progress: (1,) PROGRESS.
        rules: (K,) RULES of the neurite types.
        steps: (n, 2) float64, lengths and cumulated probabilities of ``data`` step sizes.
        axes: (2, 3) float64, the x and z axes of bifurcations.
    """

    trees: np.ndarray
    bars: np.ndarray
    sections: np.ndarray
    active: np.ndarray
    order: np.ndarray
    log: np.ndarray
    progress: np.ndarray
    rules: np.ndarray
    steps: np.ndarray
    axes: np.ndarray
