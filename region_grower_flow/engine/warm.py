"""Tiny inputs on which kernels are called once, to have them compiled or loaded."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.engine import filling, shortcuts
from region_grower_flow.engine.groups import GROUPS
from region_grower_flow.engine.levers import KEY, MEASURED
from region_grower_flow.engine.model import GrowthSite
from region_grower_flow.record.tables import without_collection

if TYPE_CHECKING:
    from region_grower_flow.space.constraints import ConstraintNumbers

PR_SET_PDEATHSIG = 1
"""Option of prctl, from linux/prctl.h: the signal at the parent's death."""

KERNELS = "region_grower_flow.engine.kernels"

BARS = [[8.0, 0.0, 0.1, 0.1, 0.1, 0.1], [6.0, 3.0, 0.1, 0.1, 0.1, 0.1]]
"""A barcode with one bifurcation (um and radians)."""


def warm_up(groups: Iterable[str] = tuple(GROUPS)) -> dict[str, Path | None]:
    """Provide the cache of some groups, then load their kernels into this process.

    Returns:
        {group: the folder in use; None when its kernels are compiled in memory}.

    Raises:
        WorkerFailed: the kernels do not compile.
    """
    filling.provide(groups)
    load_kernels(groups)
    from region_grower_flow.engine.kernels.jit import CACHE_FOLDERS

    return {group: CACHE_FOLDERS.get(group) for group in groups}


def load_kernels(groups: Iterable[str] = tuple(GROUPS)) -> None:
    """Call every kernel of the groups once on tiny inputs, so that all are compiled or loaded."""
    with without_collection():
        for group in groups:
            WARM[group]()


def fill_for(parent: int, group: str) -> None:
    """Compile a group in the process that fills its cache; it ends with its parent."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    gc.disable()  # a fifth of the time is spent on looking for garbage, of which there is little
    if os.getppid() == parent:
        shortcuts.take()
        load_kernels([group])
    os._exit(0)  # Python's own end takes a second here, for nothing


def warm_core() -> None:
    """Grow a cell without space constraints, and call what every cell needs besides."""
    from region_grower_flow.engine.kernels import geometry, hull

    geometry.warm_up()
    hull.warm_up()
    _grow_tiny_cell(())


def warm_space() -> None:
    """Grow a cell under a space constraint."""
    from region_grower_flow.engine.kernels.mesh_tree import build_tree

    corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    build_tree(corners[None], np.array([[0.0, 0.0, 1.0]]))
    _grow_tiny_cell((_Nothing(),))


def warm_levers() -> None:
    """Give diameters by bars to a cell without trees: to grow one would compile growth as well."""
    from region_grower_flow.engine import compiled
    from region_grower_flow.engine.mtype import prepare_mtype
    from region_grower_flow.morphology import FlatMorphology

    params, distributions = tiny_mtype()
    levers = {"basal_dendrite": {"owner_exponent": 1.0, "diameters": "measured"}}
    tree = {
        "cell": 0,
        "direction": [0.0, 1.0, 0.0],
        "bars": [[8.0, 0.0, 0.1, 0.1, 0.1, -1], [6.0, 3.0, 0.1, 0.1, 0.1, 0]],
        "headings": [[0.0, 1.0, 0.0]] * 2,
        "diameters": [[[0.0, 1.0], [8.0, 0.5]], [[3.0, 0.5], [6.0, 0.4]]],
    }
    measured = {"cells": [{"soma_radius": 5.0}], "basal_dendrite": [tree]}
    levered = ({**params, KEY: levers}, {**distributions, MEASURED: measured})
    prepared = prepare_mtype(*levered)
    floats, integers = np.empty((0, 3), np.float32), np.zeros(1, np.int64)
    nothing = FlatMorphology(
        floats, floats[:, 0].copy(), integers, integers[1:].astype(np.int32), integers[1:].copy(),
        floats, floats[:, 0],
    )  # fmt: skip
    forest = compiled.plant(prepared, [], compiled.bifurcation_axes(None))
    compiled.bring_diameters(prepared, forest, nothing)


def _grow_tiny_cell(constraints: Any) -> None:
    from region_grower_flow.engine.compiled import grow_compiled
    from region_grower_flow.engine.mtype import prepare_mtype

    site = GrowthSite(np.zeros(3), np.eye(3), constraints=constraints)
    grow_compiled(prepare_mtype(*tiny_mtype()), site, np.random.default_rng(0))


def _warm_module(name: str) -> Callable[[], None]:
    return lambda: importlib.import_module(f"{KERNELS}.{name}").warm_up()


WARM = {
    "core": warm_core,
    "space": warm_space,
    "diameters": _warm_module("diameters"),
    "diameters_sampled": _warm_module("diameters_sampled"),
    "axon": _warm_module("axon"),
    "levers": warm_levers,
}
"""{group: function that calls all its kernels with the types that a run passes}."""


def tiny_mtype() -> tuple[dict[str, Any], dict[str, Any]]:
    """(params, distributions) of an mtype with two basal dendrites of 8 um, without diameters."""
    params = {
        "grow_types": ["basal_dendrite"],
        "diameter_params": {"method": "no_diameters"},
        "basal_dendrite": {
            "growth_method": "tmd",
            "metric": "path_distances",
            "branching_method": "bio_oriented",
            "orientation": {
                "mode": "pia_constraint",
                "values": {"form": "flat", "params": []},
            },
            "randomness": 0.2,
            "targeting": 0.2,
            "step_size": {"norm": {"mean": 1.0, "std": 0.1}},
            "tree_type": 3,
        },
    }
    distributions = {
        "diameter": {"method": "no_diameters"},
        "soma": {"size": {"norm": {"mean": 5.0, "std": 0.1}}},
        "basal_dendrite": {
            "num_trees": {"data": {"bins": [2], "weights": [1]}},
            "persistence_diagram": [BARS],
        },
    }
    return params, distributions


class _Nothing:
    """A space constraint that always has the probability 1: a direction without power."""

    entry = MappingProxyType({"neurite_types": ("basal_dendrite",)})

    def acts_on(self, neurite_type: str, process: str) -> bool:
        """True: it acts on all sections."""
        return True

    def compiled(self) -> ConstraintNumbers:
        """Its numbers: outside of the (absent) atlas a direction has the probability 1."""
        from region_grower_flow.space.constraints import PARALLEL, ConstraintNumbers

        return ConstraintNumbers(PARALLEL, (0.0, 0.0, 1.0), None)
