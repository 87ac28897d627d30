"""Heights of an atlas against its directions: units and signs that cannot be meant."""

import numpy as np
import pytest
from voxcell import VoxelData

from helpers.sentences import says
from region_grower_flow.atlas.plausible import gap_notes, height_note

UP = np.array([0.0, 1.0, 0.0])
VOXEL = 25.0


def noted(scale, up=UP, voxel=(VOXEL, VOXEL, VOXEL), offset=(10.0, -300.0, 0.0)):
    """(sentence, cells) on heights that rise along y by ``scale`` per um."""
    places = (np.arange(20) + 0.5) * abs(voxel[1])
    heights = np.broadcast_to((places * scale)[None, :, None], (8, 20, 8)).astype(np.float32)
    if voxel[1] < 0:
        heights = heights[:, ::-1]
    volume = VoxelData(heights, voxel, offset)
    rng = np.random.default_rng(0)
    inside = rng.uniform(0, 1, (30, 3)) * np.array(volume.shape) * voxel
    return height_note(volume, np.tile(up, (30, 1)), inside + np.array(offset))


@pytest.mark.parametrize("voxel", [(25.0, 25.0, 25.0), (25.0, 25.0, -25.0), (10.0, 40.0, 10.0)])
def test_heights_in_um_along_the_directions_are_fine(voxel):
    assert noted(1.0, voxel=voxel) is None
    assert noted(1.3, voxel=voxel) is None


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (1 / VOXEL, "0.04 per um | is it in voxels"),
        (1e-3, "is it in another unit"),
        (1e3, "is it in another unit"),
        (-1.0, "falls | directions | 30 of 30 cells"),
    ],
)
def test_other_units_and_signs_are_told(scale, words):
    sentence, count = noted(scale)
    assert says(sentence, words)
    assert count == 30


def test_what_cannot_be_known_is_not_told():
    flat = VoxelData(np.zeros((1, 1, 1), dtype=np.float32), (VOXEL,) * 3, np.zeros(3))
    assert height_note(flat, np.tile(UP, (9, 1)), np.full((9, 3), 10.0)) is None
    nothing = VoxelData(np.full((4, 4, 4), np.nan, dtype=np.float32), (VOXEL,) * 3, np.zeros(3))
    assert height_note(nothing, np.tile(UP, (9, 1)), np.full((9, 3), 50.0)) is None


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({1: (700, 1000), 2: (300, 700)}, []),
        ({1: (700, 1000), 2: (300, 660)}, []),
        ({1: (700, 1000), 3: (0, 300)}, ["400 um lie between the layers 1 and 3"]),
        ({2: (300, 700), 1: (700, 1000)}, ["700 um are in both the layers 2 and 1"]),
        ({1: (700, 1000), 4: (np.nan, np.nan), 5: (0, 700)}, []),
    ],
)
def test_layers_that_do_not_adjoin_are_told(bounds, words):
    given = {layer: np.tile(np.array(pair, dtype=float), (6, 1)) for layer, pair in bounds.items()}
    notes = list(gap_notes("COL", given, 20))
    assert len(notes) == len(words)
    assert all(word in note for word, (note, _) in zip(words, notes, strict=True))
    exchanged = list(given) == [2, 1]
    assert all(cells == (20 if exchanged else 0) for _, cells in notes)
