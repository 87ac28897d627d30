"""Inner kernels called by tests: they are compiled without the wrapper by which Python calls."""

import functools

from numba import njit


@functools.cache
def from_python(kernel):
    """An inner kernel as one that Python can call; it is compiled once in a process."""
    return njit(error_model="numpy")(getattr(kernel, "py_func", kernel))
