"""All kernels compiled or loaded: tiny cells, grown to have the growth kernels too."""

import ctypes
import importlib
import os
import pkgutil
import signal
from types import MappingProxyType

import numpy as np

from region_grower_flow.engine import cache
from region_grower_flow.engine.model import GrowthSite

PR_SET_PDEATHSIG = 1
"""prctl's option, from linux/prctl.h: the signal at the parent's death."""

BARS = [[8.0, 0.0, 0.1, 0.1, 0.1, 0.1], [6.0, 3.0, 0.1, 0.1, 0.1, 0.1]]
"""A bar code with one bifurcation (um and radians)."""


def warm_up():
    """Provide the cache, then load all kernels into this process.

    Returns:
        The folder in use; None when kernels are compiled in memory.

    Raises:
        WorkerFailed: the kernels do not compile.
    """
    cache.provide()
    load_kernels()
    from region_grower_flow.engine.kernels.jit import CACHE_FOLDER

    return CACHE_FOLDER


def load_kernels():
    """Call every kernel once on tiny inputs, so that all are compiled or loaded."""
    from region_grower_flow.engine import kernels

    for module in pkgutil.iter_modules(kernels.__path__):
        loaded = importlib.import_module(f"{kernels.__name__}.{module.name}")
        if hasattr(loaded, "warm_up"):
            loaded.warm_up()
    grow_tiny_cells()


def fill_for(parent):
    """Compile all kernels in the process that fills the cache; it ends with its parent."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() == parent:
        load_kernels()


def grow_tiny_cells():
    """Grow a cell without and one with space constraints, all kernels of the growth included."""
    from region_grower_flow.engine.compiled import grow_compiled
    from region_grower_flow.engine.kernels.mesh_tree import build_tree
    from region_grower_flow.engine.mtype import prepare_mtype

    prepared = prepare_mtype(*tiny_mtype())
    corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    build_tree(corners[None], np.array([[0.0, 0.0, 1.0]]))
    for constraints in ((), (_Nothing(),)):
        site = GrowthSite(np.zeros(3), np.eye(3), constraints=constraints)
        grow_compiled(prepared, site, np.random.default_rng(0))


def tiny_mtype():
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

    def acts_on(self, neurite_type, process):
        """It acts on all sections."""
        return True

    def compiled(self):
        """Its numbers: outside of the (absent) atlas a direction has the probability 1."""
        from region_grower_flow.space.constraints import PARALLEL, ConstraintNumbers

        return ConstraintNumbers(PARALLEL, (0.0, 0.0, 1.0), None)
