"""Cells that crash, hang or fail are dropped with a reason; the others are made."""

import csv

import pytest

from helpers.flow_faults import results_of, temporaries

pytestmark = pytest.mark.slow


def reasons(flow):
    """{cell: reason} of the cells that the ids table names as not made."""
    with open(flow.path("out", "nodes_ids.csv"), newline="") as file:
        lines = list(csv.DictReader(file))
    return {i: line["reason"] for i, line in enumerate(lines) if line["reason"]}


@pytest.mark.mpi
@pytest.mark.timeout(300)
def test_crashing_and_hanging_cells_under_mpi(faulty, mpi, finished_plainly):
    odd = {1: "segfault", 4: "hang", 6: "loop", 9: "memory", 11: "odd"}
    options = {"launcher": "mpiexec", "nb_processes": 2, "chunksize": 100, "block_size": 3}
    faults = faulty(12, odd, cell_timeout=3, **options)
    faults.run_to_end()
    found = reasons(faults.flow)
    assert set(found) == set(odd)
    assert "brought its process down 2 times" in found[1]
    assert "Segmentation fault" in found[1]
    assert found[4] == found[6] == "the cell exceeded its time limit of 3 s"
    assert found[9] == "the cell brought its process down 2 times, last by: MemoryError: pretended"
    assert found[11] == "unexpected LookupError: pretended"
    made = faults.flow.morphologies()
    assert len(made) == 7
    assert made.items() <= finished_plainly.items()
    summary = faults.flow.summary
    assert summary["cells"] == {"asked": 12, "made": 7, "dropped": 5, "without_axon": 0}
    assert sum(sum(m["reasons"].values()) for m in summary["mtypes"].values()) == 5
    assert temporaries(faults.flow.folder) == []


def test_crash_of_the_only_process(faulty, finished_plainly):
    """A crash ends a run in one process; the next runs know the cell and give it up."""
    faults = faulty(12, {5: "segfault"}, chunksize=100, block_size=2)
    codes = []
    while not codes or codes[-1] != 0:
        assert len(codes) < 5
        codes.append(faults.run()[0])
    assert codes[:-1] == [-11] * (len(codes) - 1)
    assert set(reasons(faults.flow)) == {5}
    assert "brought its process down" in reasons(faults.flow)[5]
    assert faults.flow.morphologies().items() <= finished_plainly.items()
    assert len(faults.flow.morphologies()) == 11


def test_a_cell_that_was_given_up_is_tried_again_with_more_time(faulty, finished_plainly):
    faults = faulty(12, {5: "loop"}, chunksize=4, cell_timeout=2)
    faults.run_to_end()
    assert set(reasons(faults.flow)) == {5}
    faults.odd = {}
    before = len(faults.journal())
    faults.run_to_end()
    faults.flow.options["cell_timeout"] = 1
    faults.run_to_end()
    assert len(faults.journal()) == before
    faults.flow.options["cell_timeout"] = 60
    faults.run_to_end()
    assert faults.journal()[before:] == [5]
    assert reasons(faults.flow) == {}
    assert faults.flow.morphologies() == finished_plainly


def test_more_failures_than_allowed_fail_the_run_after_all_outputs_are_written(faulty):
    faults = faulty(12, {1: "odd", 3: "odd", 4: "odd"}, max_failure_ratio=0.2)
    code, text = faults.run()
    assert code == 30
    assert "Traceback" not in text
    assert "IN (2 of 6, mostly: unexpected LookupError: pretended)" in text
    assert "PC" not in text.split("More than 20%")[1].split("\n")[0]
    assert set(reasons(faults.flow)) == {1, 3, 4}
    assert len(faults.flow.morphologies()) == 9
    before, begun = results_of(faults.flow), len(faults.journal())
    code, text = faults.run(command=faults.region_grower_flow())
    assert code == 1
    assert "IN (2 of 6" in text
    faults.flow.options["max_failure_ratio"] = 0.5
    faults.run_to_end()
    assert len(faults.journal()) == begun
    assert results_of(faults.flow) == before


def test_an_output_that_fails_in_a_rank_is_a_sentence(faulty, finished_plainly):
    faults = faulty(12, {6: "output"}, chunksize=100, block_size=2)
    code, text = faults.run()
    assert code == 30
    assert "The disk is full (pretended)." in text
    assert "Traceback" not in text
    faults.odd, begun = {}, len(faults.journal())
    faults.run_to_end()
    assert len(faults.journal()) - begun <= 6
    assert faults.flow.morphologies() == finished_plainly


@pytest.fixture(scope="module")
def finished_plainly(tmp_path_factory, kernels):
    """The morphologies of twelve cells that all behave well."""
    from helpers.flow_factory import make_flow

    flow = make_flow(tmp_path_factory.mktemp("plain") / "flow", 12)
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return flow.morphologies()
