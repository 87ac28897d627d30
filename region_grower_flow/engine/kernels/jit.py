"""How kernels are compiled: decorators for kernels and for those that Python calls.

``error_model="numpy"`` makes a division by zero give inf or NaN as in NumPy (and in NeuroTS). There
is no fastmath and no parallelism: the same draws must give the same cell, and ranks have one thread
each. With ``NUMBA_DISABLE_JIT=1`` the decorators leave the functions as they are.
"""

from numba import config, njit

from region_grower_flow.engine import cache

CACHE_FOLDER = cache.usable_folder()
"""The filled cache from which entry kernels are loaded, None to compile in memory."""

if CACHE_FOLDER is not None:
    config.CACHE_DIR = str(CACHE_FOLDER)


def kernel(function):
    """Compile a function that only other kernels call (it is stored with its callers)."""
    return njit(error_model="numpy")(function)


def inlined(function):
    """Compile a function into each of its callers: for what runs at every point or every draw.

    As a call of its own a step takes half as long again, for counting references to the arrays and
    handing the generator over.
    """
    return njit(error_model="numpy", inline="always")(function)


def entry(function):
    """Compile a function that Python calls; the one sort that is cached on disk."""
    return njit(error_model="numpy", cache=CACHE_FOLDER is not None)(function)
