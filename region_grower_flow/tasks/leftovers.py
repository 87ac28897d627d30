"""Files that an earlier run of a stage has written and that are no more part of its outputs."""

import contextlib
import os
from pathlib import Path

from region_grower_flow.record.manifest import read_manifest


def remove_leftovers(manifest, outputs, folder):
    """Delete the outputs of the run before this one that this one has not written again.

    Args:
        manifest: path of the stage's manifest, still that of the run before.
        outputs: paths that have been written now.
        folder: only what is in it goes: another folder may have been given to keep the earlier one.
    """
    earlier = read_manifest(manifest)
    kept, place = set(map(os.path.realpath, outputs)), Path(os.path.realpath(folder))
    for path in map(os.path.realpath, earlier.outputs if earlier is not None else ()):
        if path not in kept and place in Path(path).parents:
            with contextlib.suppress(OSError):
                os.unlink(path)
