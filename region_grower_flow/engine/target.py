"""The processor that kernels are compiled for."""

import os
import platform
from functools import cache

GENERIC = "x86-64-v3"
"""LLVM's name of all x86-64 processors with AVX2 (2013 and later)."""

GENERIC_FLAGS = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}
"""Linux's names of the parts of GENERIC (``abm`` holds LZCNT)."""

NUMBA_VARIABLE = "NUMBA_CPU_NAME"
"""Numba's own variable for a processor, which is obeyed."""


@cache
def target_name() -> str:
    """LLVM's name of the processor to compile for.

    The generic one where it will do: one cache serves all nodes of a cluster of mixed processors,
    and growth is no slower than with the host's own features. The cells are the same to the bit.
    """
    named = os.environ.get(NUMBA_VARIABLE)
    if named and named != "host":
        return named
    if not named and platform.machine() == "x86_64" and _flags() >= GENERIC_FLAGS:
        return GENERIC
    from llvmlite.binding import get_host_cpu_name

    return get_host_cpu_name()


def is_generic() -> bool:
    """True if kernels are compiled for the generic processor, without the host's own features."""
    return target_name() == GENERIC


def _flags() -> set[str]:
    """The features of the first processor, as Linux tells them; none where it does not."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("flags"):
                    return set(line.partition(":")[2].split())
    except OSError:
        pass
    return set()
