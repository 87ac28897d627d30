"""Voxcell comes without SciPy until something asks for a turn by Euler's angles."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from region_grower_flow.io.voxcell import CellCollection, VoxelData
assert not [name for name in sys.modules if name.startswith("scipy.")]
import numpy as np
from voxcell.math_utils import angles_to_matrices
turned = angles_to_matrices([np.pi / 2], "z")
assert np.allclose(turned[0] @ [1, 0, 0], [0, 1, 0])
from scipy.spatial.transform import Rotation
assert np.allclose(Rotation.from_euler("z", [np.pi / 2]).as_matrix(), turned)
import voxcell
assert voxcell.CellCollection is CellCollection and voxcell.VoxelData is VoxelData
"""


def test_scipy_is_imported_with_the_first_turn():
    path = str(Path(__file__).resolve().parents[2])
    words = [sys.executable, "-c", f"import sys; sys.path.insert(0, {path!r})\n{SCRIPT}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
