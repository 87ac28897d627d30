"""Small whole flows for tests: inputs that grow in a second, run by the luigi command."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.atlas_factory import make_atlas
from helpers.forked import run_forked

LUIGI = Path(sys.executable).with_name("luigi")
COMMAND = Path(sys.executable).with_name("region-grower-flow")

CFG = """
[region_grower_flow]
{options}

[core]
local_scheduler = true
no_lock = true
autoload_range = false

[worker]
check_complete_on_run = true

[retcode]
already_running = 10
missing_data = 20
not_run = 25
task_failed = 30
scheduling_error = 35
unhandled_exception = 40
"""

PAIR = {"PC": [2], "IN": [0]}
"""The mtypes of the small flow, with the numbers of apical trees."""


@dataclass
class Flow:
    """The inputs of a small synthesis in a folder, and how it is run there."""

    folder: Path
    options: dict = field(default_factory=dict)

    def path(self, *parts):
        return self.folder.joinpath(*parts)

    def write_cfg(self):
        lines = "\n".join(f"{name} = {value}" for name, value in self.options.items())
        self.path("luigi.cfg").write_text(CFG.format(options=lines))

    def luigi(self, *arguments, task="SynthesizeMorphologies", timeout=300, run=run_forked):
        """Run the luigi command in the folder; returns the finished process with text output."""
        self.write_cfg()
        command = [LUIGI, "--module", "region_grower_flow", task, *arguments]
        return run(command, self.folder, environment(), timeout)

    def command(self, *arguments, timeout=300, run=run_forked):
        """Run region-grower-flow in the folder."""
        return run([COMMAND, *arguments], self.folder, environment(), timeout)

    def json(self, name):
        return json.loads(self.path(name).read_text())

    def write_json(self, name, content):
        self.path(name).write_text(json.dumps(content))

    def edit(self, name, change):
        content = self.json(name)
        change(content)
        self.write_json(name, content)

    @property
    def summary(self):
        return self.json("out/nodes_summary.json")

    def morphologies(self):
        """{name: bytes} of what has been placed for the user."""
        folder = self.path("out", "morphologies")
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.h5")}


def environment():
    """The environment of the flow's commands."""
    return {**os.environ, "PYTHONWARNINGS": "ignore", "COLUMNS": "200"}


def run_alone(command, folder, environment, timeout):
    """Run a command in a process of its own, as a user does."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def stages_run(process):
    """The tasks that a luigi process has run, by their names, chunks with their cells."""
    done = re.findall(r"running +(\w+)\(([^)]*)\)", process.stdout + process.stderr)
    names = set()
    for task, arguments in done:
        cells = re.search(r"first=(\d+), last=(\d+)", arguments)
        names.add(f"{task} {cells[1]}-{cells[2]}" if cells else task)
    return names


def make_flow(folder, cells=8, **options):
    """Write the inputs of a small synthesis: a column, two mtypes, ``cells`` cells.

    Returns:
        Flow, with options that run it in one process.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    atlas = make_atlas(folder / "atlas")
    write_nodes(folder / "nodes.h5", cells, atlas.top)
    (folder / "parameters.json").write_text(json.dumps({"default": parameters()}))
    (folder / "distributions.json").write_text(json.dumps({"default": distributions()}))
    flow = Flow(folder)
    flow.options = {
        "input_cells": "nodes.h5",
        "atlas": "atlas",
        "region_structure": "atlas/region_structure.yaml",
        "tmd_parameters": "parameters.json",
        "tmd_distributions": "distributions.json",
        "work_dir": "work",
        "out_cells": "out/nodes.h5",
        "out_morph_dir": "out/morphologies",
        "out_apical": "out/apical.yaml",
        "launcher": "inprocess",
        "chunksize": 4,
        "hide_progress_bar": "true",
        "seed": 1,
        "skip_page": "true",
        **options,
    }
    return flow


def finished_copy(flow, folder):
    """A copy of a flow that has run, in another folder.

    It runs once more: the listing and the manifests name absolute places, from now on these.
    """
    shutil.copytree(flow.folder, folder, copy_function=shutil.copy2)
    copy = Flow(folder, dict(flow.options))
    process = copy.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return copy


def write_nodes(path, count, top, mtypes=tuple(PAIR), region="COL;L2", **columns):
    """SONATA nodes of ``count`` cells, scattered in the second layer, mtypes in turn."""
    from voxcell import CellCollection

    rng = np.random.default_rng(0)
    cells = CellCollection("small")
    cells.positions = rng.uniform((100, top - 600, 100), (300, top - 400, 300), (count, 3))
    cells.orientations = np.broadcast_to(np.eye(3), (count, 3, 3))
    values = {"mtype": [mtypes[i % len(mtypes)] for i in range(count)], "region": region}
    cells.properties = pd.DataFrame({**values, **columns}, index=range(count))
    cells.save_sonata(str(path))


def parameters():
    return {mtype: mtype_parameters(apicals) for mtype, apicals in PAIR.items()}


def distributions():
    return {mtype: mtype_distributions(apicals) for mtype, apicals in PAIR.items()}


def mtype_parameters(apicals):
    with_apical = max(apicals) > 0
    types = ["basal_dendrite", "apical_dendrite"] if with_apical else ["basal_dendrite"]
    apical = neurite(4, "tmd_apical", "directional", [[0.0, 1.0, 0.0]], has_apical_tuft=True)
    return {
        "basal_dendrite": neurite(3, "tmd", "bio_oriented", None),
        "apical_dendrite": apical if with_apical else {},
        "axon": {},
        "origin": [0.0, 0.0, 0.0],
        "grow_types": types,
        "diameter_params": {"method": "default", "models": ["simpler"], "neurite_types": types},
    }


def neurite(tree_type, growth, branching, orientation, **more):
    return {
        "randomness": 0.24,
        "targeting": 0.14,
        "orientation": orientation,
        "growth_method": growth,
        "branching_method": branching,
        "modify": None,
        "step_size": {"norm": {"mean": 1.0, "std": 0.2}},
        "metric": "path_distances",
        "tree_type": tree_type,
        **more,
    }


def mtype_distributions(apicals):
    content = {
        "soma": {"size": {"norm": {"mean": 7.0, "std": 0.5}}},
        "basal_dendrite": trees([2, 3], [40.0, 60.0]),
        "apical_dendrite": trees([1], [120.0, 150.0]) if max(apicals) else {},
        "axon": {},
        "diameter": {
            "method": "default",
            "basal_dendrite": [0.4, 0.4],
            "apical_dendrite": [0.5, 1.0, 0.3],
        },
    }
    return content


def trees(numbers, lengths):
    """Distributions of trees whose longest bars have these lengths (um)."""
    angles = [0.3, 0.1, -0.5, 0.4]
    barcodes = [
        [
            [0.6 * length, 0.3 * length, *angles],
            [0.8 * length, 0.45 * length, *angles],
            [0.9 * length, 0.5 * length, *angles],
            [length, 0.0, *[float("nan")] * 4],
        ]
        for length in lengths
    ]
    return {
        "filtration_metric": "path_distances",
        "num_trees": {"data": {"bins": numbers, "weights": [1] * len(numbers)}},
        "min_bar_length": 5.0,
        "persistence_diagram": barcodes,
        "trunk": {
            "orientation_deviation": {"data": {"bins": [0.5, 1.5], "weights": [1, 2]}},
            "absolute_elevation_deviation": {"data": {"bins": [0.1, 0.4], "weights": [1, 1]}},
            "azimuth": {"uniform": {"min": np.pi, "max": 0.0}},
        },
    }
