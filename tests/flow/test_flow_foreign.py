"""A task of another workflow depends on ours, and reads our outputs by their targets."""

import h5py
import luigi
import pytest

from helpers.flow_factory import make_flow
from region_grower_flow import SynthesizeMorphologies

pytestmark = pytest.mark.slow


class CountCells(luigi.Task):
    """What somebody else's workflow might do with our cells."""

    options = luigi.DictParameter()
    out = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(self.out)

    def run(self):
        outputs = yield SynthesizeMorphologies(**self.options)
        assert all(target.exists() for target in outputs.values())
        with h5py.File(outputs["nodes"].path) as file:
            (population,) = file["nodes"].values()
            count = len(population["node_type_id"])
        with self.output().open("w") as file:
            file.write(str(count))


def test_a_foreign_task_waits_for_ours_and_finds_its_files(tmp_path, monkeypatch, kernels):
    flow = make_flow(tmp_path / "flow", 4)
    monkeypatch.chdir(flow.folder)
    options = {**flow.options, "launcher": "inprocess", "hide_progress_bar": True}
    task = CountCells(options=options, out=str(tmp_path / "count.txt"))
    assert luigi.build([task], local_scheduler=True, log_level="ERROR")
    assert (tmp_path / "count.txt").read_text() == "4"
    # A file that somebody changes is no target any more.
    nodes = SynthesizeMorphologies(**options).output()["nodes"]
    assert nodes.exists()
    with open(nodes.path, "ab") as file:
        file.write(b"x")
    assert not nodes.exists()
