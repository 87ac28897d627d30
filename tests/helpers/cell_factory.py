"""A few cells of one tiny mtype, ready to be synthesized."""

import json

import numpy as np

from helpers.factories import random_morphology
from region_grower_flow import layout
from region_grower_flow.cell.settings import SynthesisSettings
from region_grower_flow.engine.warm import tiny_mtype
from region_grower_flow.io.morphologies import write_morphology
from region_grower_flow.io.table import CellTable, write_table
from region_grower_flow.morphology import AXON, BASAL_DENDRITE
from region_grower_flow.options import Growth

REGIONS = ("A", "B", "A", "B")
DONORS = ("one", "two", "absent", "one")


def tiny_settings(folder, donors=DONORS, **changes):
    """SynthesisSettings of four cells in two regions that share the parameters of ``default``.

    Args:
        folder: for all files; ``one.h5`` and ``two.h5`` in it are donors of axons.
        donors: the axon name of each cell.
        changes: of the settings.
    """
    count = len(REGIONS)
    regions = np.array(REGIONS, dtype=object)
    table = CellTable(
        ids=np.arange(count),
        numbers=np.arange(count),
        positions=np.zeros((count, 3)),
        orientations=np.tile(np.eye(3), (count, 1, 1)),
        depths=np.full(count, np.nan),
        layer_depths=np.full((count, 1), np.nan),
        layer_counts=np.zeros(count, dtype=np.int64),
        regions=regions,
        synthesis_regions=regions.copy(),
        mtypes=np.full(count, "M", dtype=object),
        axon_names=np.array(donors, dtype=object),
        axon_scales=np.full(count, np.nan),
        meta={
            "version": layout.CELL_TABLE_VERSION,
            "regions": {"A": {}, "B": {}},
            "layers": {},
            "atlas": None,
        },
    )
    write_table(folder / "cells.h5", table)
    for name, content in zip(("parameters", "distributions"), tiny_mtype(), strict=True):
        (folder / f"{name}.json").write_text(json.dumps({"default": {"M": content}}))
    donor = random_morphology(trees=((AXON, 9), (BASAL_DENDRITE, 3)))
    for name in ("one", "two"):
        write_morphology(folder, name, donor, ["h5"])
    values = {
        "cell_table": str(folder / "cells.h5"),
        "rows": (0, count),
        "parameters": str(folder / "parameters.json"),
        "distributions": str(folder / "distributions.json"),
        "morphologies": str(folder / "out"),
        "base_morph_dir": str(folder),
        "content": dict.fromkeys(("boundary /mesh.obj", "axon one", "axon two"), "as it is"),
    }
    grown = {name: changes.pop(name) for name in Growth.DECLARED if name in changes}
    return SynthesisSettings(**{"growth": Growth(**grown), **values, **changes})
