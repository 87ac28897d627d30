"""A small flow with reconstructions, whose reports are made once."""

import pytest


@pytest.fixture(scope="session")
def reported(tmp_path_factory, kernels):
    """A flow of 8 cells with reconstructions of its two mtypes, and all of its reports."""
    import numpy as np

    from helpers.flow_factory import PAIR, make_flow
    from helpers.reference_cells import make_cell, write_cell, write_dat

    folder = tmp_path_factory.mktemp("reported")
    flow = make_flow(folder / "flow", 8)
    rng = np.random.default_rng(5)
    lines = []
    for mtype, apicals in PAIR.items():
        for i in range(8):
            cell = make_cell(rng, basals=2 + i % 2, apicals=max(apicals) > 0, diameter=1.5)
            write_cell(cell, folder / "cells", f"{mtype}_{i}")
            lines.append(f"{mtype}_{i} 1 {mtype}")
    flow.options.update(
        morphologies_dir=str(folder / "cells"),
        dat_file=str(write_dat(folder, lines)),
        out_debug_data="out/debug.jsonl",
        processes=1,
    )
    process = flow.luigi(task="MakeReports", timeout=300)
    assert process.returncode == 0, process.stdout + process.stderr
    flow.said = process.stdout
    return flow
