"""Voxcell's parts that the package uses, without the half of SciPy that none of them needs.

Voxcell imports ``scipy.spatial.transform`` for turns by Euler's angles, which nobody here asks for:
that takes a fifth of a run of ten cells. So it gets a class that is imported when it is used.
"""

import sys
import types
from typing import Any

_TRANSFORM = "scipy.spatial.transform"


class _Late(type):
    """A class whose attributes are those of SciPy's ``Rotation``, imported at the first of them."""

    def __getattr__(cls, name: str) -> Any:
        from scipy.spatial.transform import Rotation

        return getattr(Rotation, name)


class _Rotation(metaclass=_Late):
    """SciPy's ``Rotation``, late."""


def _import_voxcell() -> None:
    if "voxcell" in sys.modules or _TRANSFORM in sys.modules:
        return
    stand_in: Any = types.ModuleType(_TRANSFORM)
    stand_in.Rotation = _Rotation
    sys.modules[_TRANSFORM] = stand_in
    try:
        import voxcell  # noqa: F401
    finally:
        del sys.modules[_TRANSFORM]


_import_voxcell()

from voxcell import (  # noqa: E402
    CellCollection,
    OrientationField,
    RegionMap,
    VoxcellError,
    VoxelData,
)

__all__ = ["CellCollection", "OrientationField", "RegionMap", "VoxcellError", "VoxelData"]
