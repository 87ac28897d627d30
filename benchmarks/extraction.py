"""The extraction of distributions from real reconstructions, cold start included."""

import json
import shutil
import subprocess
from pathlib import Path

from benchmarks import processes, report
from benchmarks.runs import median_cost
from benchmarks.scenarios import BESIDE

REAL_CELLS = BESIDE / "realdata" / "rat_s1_nmc2015_dendrites"

KNOWN = (
    "import json, yaml, importlib.resources as r; "
    "table = r.files('region_grower') / 'data' / 'pc_in_types.yaml'; "
    "print(json.dumps(sorted(yaml.safe_load(table.read_text()))))"
)
"""Prints the mtypes that the reference knows: it fails at all others."""


def measure(options, scratch, say):
    """Seconds of both packages on the same reconstructions, in turn.

    The reference knows some of the mtypes only: the race is on these, all are measured beside.
    """
    source = Path(options.reconstructions or REAL_CELLS)
    if not source.is_dir():
        say(f"No reconstructions in {source}: extraction is not measured.")
        return {}
    cells = find_cells(source)
    figures = {"all": _race(options, scratch, cells, reference=False)}
    if options.reference:
        known = {mtype: cells[mtype] for mtype in known_mtypes(options, cells)}
        figures["known"] = _race(options, scratch, known, reference=True)
    rows = [
        (
            f"{figure['mtypes']} mtypes",
            figure["cells"],
            *(figure.get(who, {}).get(what) for who in ("ours", "reference") for what in COLUMNS),
            figure.get("ratio"),
        )
        for figure in figures.values()
    ]
    header = ("extraction", "cells", "ours wall s", "CPU s", "ref. wall s", "CPU s", "ratio")
    say("", *report.table(header, rows))
    return figures


COLUMNS = ("wall", "cpu")


def find_cells(source):
    """{mtype: paths of its morphologies} of a folder with one folder per mtype."""
    folders = sorted(path for path in source.iterdir() if path.is_dir())
    found = {folder.name: sorted(folder.glob("*.h5")) for folder in folders}
    return {mtype: paths for mtype, paths in found.items() if paths}


def write_inputs(cells, folder):
    """(flat folder of links, dat file) of {mtype: paths}."""
    shutil.rmtree(folder, ignore_errors=True)
    morphologies = Path(folder) / "morphologies"
    morphologies.mkdir(parents=True)
    lines = []
    for mtype, paths in cells.items():
        for path in paths:
            (morphologies / path.name).symlink_to(path)
            lines.append(f"{path.stem} {mtype[1]} {mtype}")
    dat = Path(folder) / "mtypes.dat"
    dat.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return morphologies, dat


def known_mtypes(options, cells):
    """Those of the mtypes that the reference knows."""
    answer = subprocess.run(
        [options.reference, "-c", KNOWN], capture_output=True, check=True, text=True
    )
    known = set(json.loads(answer.stdout))
    return [mtype for mtype in cells if mtype in known]


def _race(options, scratch, cells, reference):
    """The median costs of both, in turn."""
    folder = Path(scratch) / "extraction"
    morphologies, dat = write_inputs(cells, folder)
    words = ["generate-distributions", morphologies, dat, "-e"]
    commands = {"ours": (processes.own_command(*words, "h5"), processes.own_environment())}
    if reference:
        program = Path(options.reference).with_name("region-grower")
        commands["reference"] = ([program, *words, ".h5"], None)
    costs = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, (command, environment) in commands.items():
            out = folder / name
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            command = [*command, "-df", out / "tmd_distributions.json"]
            costs[name].append(processes.run(command, folder / f"{name}.log", environment))
    figure = {"mtypes": len(cells), "cells": sum(map(len, cells.values()))}
    figure |= {name: median_cost(found).as_dict() for name, found in costs.items()}
    if reference:
        figure["ratio"] = figure["reference"]["wall"] / figure["ours"]["wall"]
    return figure
