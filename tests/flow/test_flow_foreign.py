"""A task of another workflow depends on ours, and reads our outputs by their targets."""

import json
import os
import subprocess
import sys

import pytest

from helpers.flow_factory import LUIGI, environment, make_flow

pytestmark = pytest.mark.slow

FOREIGN = """
import json
from pathlib import Path
import h5py
import luigi
from region_grower_flow import SynthesizeMorphologies


class CountCells(luigi.Task):
    options = luigi.DictParameter()

    def output(self):
        return luigi.LocalTarget("count.txt")

    def run(self):
        outputs = yield SynthesizeMorphologies(**self.options)
        assert all(target.exists() for target in outputs.values())
        with h5py.File(outputs["nodes"].path) as file:
            (population,) = file["nodes"].values()
            count = len(population["node_type_id"])
        with self.output().open("w") as file:
            file.write(str(count))


options = json.load(open("options.json"))
assert luigi.build([CountCells(options=options)], local_scheduler=True, log_level="ERROR")
task = SynthesizeMorphologies(**options)
path = sorted(Path(task.out_morph_dir).glob("*.h5"))[0]
before = path.read_bytes()
with open(path, "r+b") as file:  # a link: that of the work folder is the same
    file.truncate(100)
assert luigi.build([task], local_scheduler=True, log_level="ERROR")  # another run of the process
assert path.read_bytes() == before
nodes = task.output()["nodes"]
assert nodes.exists()
with open(nodes.path, "ab") as file:
    file.write(b"x")
assert not nodes.exists()  # somebody has changed it
"""


def test_a_foreign_task_waits_for_ours_and_finds_its_files(tmp_path, kernels):
    flow = make_flow(tmp_path / "flow", 4)
    options = {**flow.options, "launcher": "inprocess", "hide_progress_bar": True}
    flow.path("options.json").write_text(json.dumps(options))
    words = [sys.executable, "-c", FOREIGN]
    done = subprocess.run(words, cwd=flow.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert flow.path("count.txt").read_text() == "4"


SEVERAL = """
import luigi
import json
from region_grower_flow import SynthesizeMorphologies


class Scan(luigi.Task):
    own = luigi.BoolParameter()
    at_once = luigi.BoolParameter()

    def output(self):
        return luigi.LocalTarget(f"scan_{self.own}.txt")

    def flow(self, seed):
        out, work = f"out_{self.own}_{seed}", f"work{seed}" if self.own else "work"
        places = {"out_cells": f"{out}/nodes.h5", "out_morph_dir": f"{out}/morphologies"}
        given = json.load(open("options.json"))
        return SynthesizeMorphologies(**given, **places, work_dir=work, seed=seed)

    def run(self):
        flows = [self.flow(seed) for seed in (1, 2)]
        if self.at_once:
            yield flows
        else:
            for flow in flows:
                yield flow
        self.output().open("w").close()
"""


@pytest.mark.parametrize("words", [("--workers", "2"), ("--at-once",)])
def test_flows_of_one_run_that_undo_each_other_end_with_a_sentence(tmp_path, kernels, words):
    flow = make_flow(tmp_path / "flow", 2)
    (tmp_path / "flow" / "several.py").write_text(SEVERAL)
    keys = ("out_cells", "out_morph_dir", "out_apical", "work_dir", "seed")
    options = {n: v for n, v in flow.options.items() if n not in keys}
    options |= {"launcher": "inprocess", "hide_progress_bar": True, "skip_page": True}
    flow.path("options.json").write_text(json.dumps(options))
    flow.options.clear()
    flow.write_cfg()
    # Luigi takes a task that is undone for done, 10 s long, and asks for it again all the while.
    with flow.path("luigi.cfg").open("a") as file:
        file.write("[scheduler]\nstable_done_cooldown_secs = 0\n")
    command = [str(LUIGI), "--module", "several", "Scan", *words]

    path = f".:{os.environ.get('PYTHONPATH', '')}"

    def run(*more):
        return subprocess.run(
            [*command, *more], cwd=flow.folder, capture_output=True, text=True, check=False,
            timeout=300, env={**environment(), "PYTHONPATH": path},
        )  # fmt: skip

    done = run()
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in text
    errors = {line for line in text.splitlines() if line.startswith("ERROR")}
    assert len(errors) == 1
    assert "a work_dir and outputs of its own" in errors.pop()
    done = run("--own")
    assert done.returncode == 0, done.stderr
