"""Grows cells with this package in one process, a round for each line of its input.

The counterpart of ``reference_cells.py``, with the same request and the same kind of answers. The
first pass over the cells (kernels loaded, mtypes prepared) is told apart; later passes are short,
so a round makes several and answers the median of each cell.
"""

import cProfile
import json
import pstats
import resource
import statistics
import sys
import time
from pathlib import Path

PASSES = 5

STAGES = {
    "growth": ("engine/compiled.py", "grow_trees"),
    "soma": ("engine/soma.py", None),
    "trunks": ("engine/trunks.py", None),
    "engine, all": ("engine/__init__.py", "grow"),
    "diameters": ("diameters/", "apply"),
    "grafted axon": ("cell/axon.py", "place_axon"),
    "constraints": ("cell/inputs.py", "_constraints"),
    "tables": ("cell/making.py", "encode_in_order"),
    "writing": ("io/morphologies.py", "write_contents"),
    "digest": ("cell/inputs.py", "digest"),
    "a cell": ("cell/synthesis.py", "synthesize"),
}
"""Parts of a cell by the function that holds them (None: the own time of all of the file)."""


def main(path):
    """Prepare once, then grow the cells for each line that is read."""
    request = json.loads(Path(path).read_text(encoding="utf-8"))
    answers = sys.stdout
    sys.stdout = sys.stderr
    start = time.process_time()
    grow, rows = prepare(request["keywords"], request["rows"], request["skip_write"])
    prepared, start = time.process_time() - start, time.process_time()
    records = [grow(row) for row in rows]
    first = time.process_time() - start
    points = count_points(request["keywords"], records)
    made = [record for record in records if record["status"] == "made"]
    rows = [record["row"] for record in made]  # a cell that is dropped costs next to nothing
    answer(
        answers,
        prepared=prepared,
        first_pass=first,
        points=points,
        cells=[record["cell"] for record in made],
        dropped=len(records) - len(made),
        fallbacks=sum(bool(r.get("fallback")) for r in records),
    )
    folder = Path(request["keywords"]["out_morph_dir"])
    for line in sys.stdin:
        measure = profile if line.strip() == "profile" else time_cells
        answer(answers, **measure(grow, rows, folder))


def system_seconds():
    """CPU seconds that the system has spent for this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_stime


def answer(file, **values):
    """Write one line."""
    file.write(json.dumps(values) + "\n")
    file.flush()


def prepare(keywords, cells, skip_write):
    """(function that grows a row, the rows of these cells)."""
    from region_grower_flow.atlas.load import load_atlas_table
    from region_grower_flow.cell.settings import SynthesisSettings
    from region_grower_flow.cell.synthesis import open_synthesizer
    from region_grower_flow.engine import filling
    from region_grower_flow.io.axons import load_axon_table
    from region_grower_flow.io.cells import read_cells
    from region_grower_flow.io.table import write_table
    from region_grower_flow.options import Growth

    every = read_cells(keywords["input_cells"])
    grafts = "morph_axon" in keywords
    table = load_atlas_table(
        keywords["atlas"],
        keywords["region_structure"],
        every,
        min_depth=keywords.get("min_depth", 25),
        max_depth=keywords.get("max_depth", 5000),
        axon_table=load_axon_table(keywords["morph_axon"], range(len(every))) if grafts else None,
    )
    folder = Path(keywords["out_morph_dir"])
    folder.mkdir(parents=True, exist_ok=True)
    cell_table = folder.with_name("cells.h5")
    write_table(cell_table, table)
    names = ("seed", "scaling_jitter_std", "rotational_jitter_std", "synthesize_axons")
    settings = SynthesisSettings(
        Growth(**{name: keywords[name] for name in names if name in keywords}),
        cell_table=str(cell_table),
        rows=(0, len(table)),
        parameters=keywords["tmd_parameters"],
        distributions=keywords["tmd_distributions"],
        morphologies=str(folder),
        skip_write=skip_write,
        base_morph_dir=keywords.get("base_morph_dir"),
        mesh_dir=str(Path(keywords["region_structure"]).parent),
        orientation=str(Path(keywords["atlas"], "orientation.nrrd")),
    )
    synthesizer = open_synthesizer(settings)
    filling.provide(synthesizer.kernel_groups())
    row_of = {int(cell): row for row, cell in enumerate(table.ids)}
    return synthesizer.synthesize, [row_of[c] for c in cells if c in row_of]


def count_points(keywords, records):
    """The points of the cells that have been written."""
    import h5py

    total = 0
    for record in records:
        path = Path(keywords["out_morph_dir"], f"{record['name']}.h5")
        if record["files"]:
            with h5py.File(path, "r") as file:
                total += len(file["points"])
    return total


def empty(folder):
    """Remove the files of the last pass: to replace a file is dearer than to make one."""
    for path in folder.glob("*.h5"):
        path.unlink()


def time_cells(grow, rows, folder, passes=PASSES):
    """Seconds of CPU of each cell, the median of several passes.

    Also what the system took of them for all cells (the mean of the passes), and how many
    different cells were made.
    """
    times, names, system = [[] for _ in rows], set(), 0.0
    for _ in range(passes):
        empty(folder)
        before = system_seconds()
        for row, seconds in zip(rows, times, strict=True):
            start = time.process_time()
            record = grow(row)
            seconds.append(time.process_time() - start)
            names.add(record["name"])
        system += system_seconds() - before
    seconds = [statistics.median(seconds) for seconds in times]
    return {"seconds": seconds, "system": system / passes, "made": len(names - {None})}


def profile(grow, rows, folder, passes=PASSES, most=15):
    """Where the time goes: {stage: share of a cell}, and the functions with most time of their own.

    The profiler makes Python calls dearer than they are: shares of compiled code are low estimates.
    """
    # By CPU time: on a machine with other work, waiting would count for whoever was running.
    profiler = cProfile.Profile(time.process_time)
    for _ in range(passes):
        empty(folder)
        profiler.enable()
        for row in rows:
            grow(row)
        profiler.disable()
    stats = pstats.Stats(profiler).stats
    spent = {stage: _spent(stats, *place) for stage, place in STAGES.items()}
    whole = spent.pop("a cell")
    shares = {stage: seconds / whole for stage, seconds in spent.items() if seconds}
    own = sorted(stats.items(), key=lambda item: -item[1][2])[:most]
    functions = [[_name(place), calls, mine / whole] for place, (_, calls, mine, *_) in own]
    return {"shares": shares, "functions": functions, "cells": passes * len(rows)}


def _spent(stats, file, function):
    """Seconds in a function and below, or of the file's functions themselves."""
    index = 2 if function is None else 3
    return sum(
        values[index]
        for (path, _, name), values in stats.items()
        if file in path and function in (None, name)
    )


def _name(place):
    path, line, name = place
    return name if path.startswith("~") else f"{'/'.join(Path(path).parts[-2:])}:{line} {name}"


if __name__ == "__main__":
    main(sys.argv[1])
