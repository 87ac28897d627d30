"""Inner kernels called by tests: they are compiled without the wrapper by which Python calls."""

from numba import njit


def from_python(kernel):
    """An inner kernel as one that Python can call."""
    return njit(error_model="numpy")(getattr(kernel, "py_func", kernel))
