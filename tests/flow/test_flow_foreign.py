"""A task of another workflow depends on ours, and reads our outputs by their targets."""

import json
import subprocess
import sys

import pytest

from helpers.flow_factory import make_flow

pytestmark = pytest.mark.slow

FOREIGN = """
import json
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
nodes = SynthesizeMorphologies(**options).output()["nodes"]
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
