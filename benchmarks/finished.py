"""A run of very many cells that has been made before: how long it takes to see that.

The cells are not grown: their records, empty files in place of their morphologies, and the
manifests of their chunks are written by the package's own functions. All else (the checks, the cell
table, the merge, the second run that has nothing to do) is real, but for the page of the run, which
needs morphologies.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

from benchmarks import processes, report
from benchmarks.scenarios import with_cells

CHUNKS = 50
FILES_PER_DIR = 10_000


def measure(scenario, cells, scratch, say):
    """Seconds of loading, merging and looking for work, for so many cells in CHUNKS chunks."""
    scratch = Path(scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    many = with_cells(scenario, cells, scratch)
    more = {"nb-processes": 0, "skip-page": True, "max-files-per-dir": FILES_PER_DIR}
    words = many.arguments(scratch / "out", chunksize=-(-cells // CHUNKS), **more)
    figures = {"cells": cells, "chunks": CHUNKS}
    start = time.perf_counter()
    figures["checks and cell table"] = recorded(words, scratch)
    say(f"  simulated {cells:,} finished cells in {time.perf_counter() - start:.0f} s")
    command = processes.own_command(*words)
    for name in ("merge", "nothing to do", "nothing to do, again"):
        cost = processes.run(
            command, scratch / "finished.log", processes.own_environment(), folder=many.folder
        )
        figures[name] = cost.as_dict()
    rows = [
        (name, cost["wall"], cost["cpu"], cost["memory"])
        for name, cost in figures.items()
        if isinstance(cost, dict)
    ]
    say("", *report.table((f"{cells:,} finished cells", "wall s", "CPU s", "MB"), rows))
    return figures


def recorded(words, scratch):
    """:func:`record_chunks` in a process of its own, which locks the work folder while it lives."""
    place, answer = scratch / "words.json", scratch / "answer.json"
    place.write_text(json.dumps(words), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.finished", place, answer]
    processes.run(command, scratch / "recorded.log", processes.own_environment())
    return json.loads(answer.read_text(encoding="utf-8"))


def record_chunks(words):
    """Write what a run with these arguments would have left before its merge.

    Returns:
        The cost of the checks and of the cell table (wall and CPU seconds, MB).
    """
    import luigi
    import psutil

    from region_grower_flow.tasks.atlas import LoadAtlas

    task = parsed_task(words)
    loading = task.clone(LoadAtlas)
    task.check().cover({"LoadAtlas": loading})
    wall, cpu = time.perf_counter(), time.process_time()
    luigi.build([loading], local_scheduler=True, no_lock=True, workers=1, log_level="ERROR")
    if not loading.complete():
        raise RuntimeError("the cell table could not be made")
    cost = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "memory": psutil.Process().memory_info().rss / processes.MEGABYTE,
    }
    for chunk in task.chunks():
        record_chunk(chunk)
    return cost


def parsed_task(words):
    """The task of a command line, without running it."""
    from unittest import mock

    from region_grower_flow.cli import main, running

    with (
        mock.patch.object(running, "run_task", return_value=0) as run_task,
        contextlib.suppress(SystemExit),
    ):
        main(words, standalone_mode=False)
    return run_task.call_args.args[0]


def record_chunk(chunk):
    """Write the records, empty morphologies and manifest of a chunk's task."""
    from region_grower_flow import layout
    from region_grower_flow.io.morphologies import morphology_name, relative_stem
    from region_grower_flow.io.table import cell_seed, read_table
    from region_grower_flow.record.manifest import Manifest
    from region_grower_flow.record.tables import write_records
    from region_grower_flow.stages.chunk import ChunkPlan

    settings = chunk.settings()
    plan = ChunkPlan(settings, chunk.first, chunk.last, Path(chunk.work_dir).resolve(), "", 0)
    table = read_table(settings.cell_table, *settings.rows)
    names = [
        str(relative_stem(morphology_name(int(seed)), settings.directory_depth))
        for seed in cell_seed(settings.growth.seed, table.numbers)
    ]
    folder = Path(settings.morphologies)
    for parent in {Path(name).parent for name in names}:
        (folder / parent).mkdir(parents=True, exist_ok=True)
    for name in names:
        os.close(os.open(f"{folder}/{name}.h5", os.O_CREAT | os.O_WRONLY, 0o666))
    records = (
        {
            "row": int(row),
            "cell": int(cell),
            "digest": f"{row:032x}",
            "mtype": table.mtypes[row - settings.rows[0]],
            "region": table.regions[row - settings.rows[0]],
            "status": layout.MADE,
            "name": name,
            "reason": None,
            "attempts": 1,
            "apical_points": [[0.0, 100.0, 0.0]],
            "apical_sections": [7],
            "apical_NRN_sections": None,
            "files": {"h5": [0, 0]},
            "engine": "compiled",
            "fallback": None,
        }
        for row, cell, name in zip(range(*settings.rows), table.ids, names, strict=True)
    )
    write_records(plan.results, records)
    count = len(names)
    zero = {"dropped": 0, "taken_over": 0, "fallbacks": 0, "incidents": [], "seconds": 0.0}
    zero["given_up_at"] = None
    facts = {"cells": count, "made": count, "grown": count, **zero}
    Manifest.describe(chunk.recipe(), [plan.results], facts).write(chunk.manifest_path)


if __name__ == "__main__":
    cost_of_checks = record_chunks(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    Path(sys.argv[2]).write_text(json.dumps(cost_of_checks), encoding="utf-8")
