"""A chunk takes over what is today's and whole, and grows the rest."""

import dataclasses
import json

import pytest

from helpers.cell_factory import tiny_settings
from region_grower_flow import layout
from region_grower_flow.io import atomic
from region_grower_flow.options import Execution
from region_grower_flow.record.tables import read_records
from region_grower_flow.runtime.timeout import timeout_reason
from region_grower_flow.stages.chunk import (
    FEW_CELLS,
    ChunkPlan,
    chosen_launcher,
    expected_seconds,
    finished_cells,
    given_up_at,
    synthesize_chunk,
    write_records,
)


@pytest.fixture
def plan(tmp_path):
    """Makes a plan of four tiny cells, in this process."""

    def make(first=0, last=4, **changes):
        settings = tiny_settings(tmp_path, donors=(None,) * 4, rows=(first, last), **changes)
        return ChunkPlan(settings, first, last, tmp_path / "work", "inprocess", 1)

    return make


def run(plan):
    return synthesize_chunk(plan, lambda progress: None)


def counts(facts):
    return facts["made"], facts["grown"], facts["taken_over"]


def test_finished_cells_are_taken_over(plan):
    assert counts(run(plan())) == (4, 4, 0)
    before = list(read_records(plan().results))
    assert finished_cells(plan()) == (4, 4)
    assert counts(run(plan())) == (4, 0, 4)
    assert list(read_records(plan().results)) == before
    assert not plan().blocks.exists()


def test_chunks_of_another_size_take_over(plan):
    whole = run(plan()) and list(read_records(plan().results))
    for first in (0, 2):
        part = plan(first, first + 2)
        assert counts(run(part)) == (2, 0, 2)
        assert list(read_records(part.results)) == whole[first : first + 2]


def test_other_inputs_grow_all_again(plan):
    run(plan())
    assert counts(run(plan(seed=1))) == (4, 4, 0)


@pytest.mark.parametrize("damage", [None, b"", b"changed"])
def test_damaged_files_are_grown_again(plan, tmp_path, damage):
    run(plan())
    record = next(read_records(plan().results))
    path = tmp_path / "out" / f"{record['name']}.h5"
    whole = path.read_bytes()
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert counts(run(plan())) == (4, 1, 3)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", ["{", "7", '{"row": 0, "digest": "x"}', "\0\0"])
def test_damaged_lines_of_a_table_are_grown_again(plan, line):
    run(plan())
    table = plan().results
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:2], line]) + "\n")
    assert counts(run(plan())) == (4, 2, 2)
    assert table.read_text().splitlines() == lines


def test_a_higher_time_limit_gives_cells_another_try(plan):
    run(plan())
    records = [
        {**record, "status": layout.DROPPED, "reason": timeout_reason(5), "files": {}}
        for record in read_records(plan().results)
    ]
    assert given_up_at(records) == 5.0
    write_records(plan().results, records)
    limited = dataclasses.replace(plan(), execution=Execution(cell_timeout=5.0))
    assert counts(run(limited)) == (0, 0, 4)
    assert counts(run(plan())) == (4, 4, 0)


def test_records_are_json_lines(plan):
    run(plan())
    lines = plan().results.read_text().splitlines()
    assert [json.loads(line)["row"] for line in lines] == [0, 1, 2, 3]


def test_the_unfinished_table_of_a_killed_run_goes(plan):
    results = plan().results
    results.parent.mkdir(parents=True)
    left = results.with_name(f"{atomic._temporary_prefix(results.name)}1-2-3.jsonl")
    left.write_text("half of")
    run(plan())
    assert list(results.parent.iterdir()) == [results]


class Costs:
    """A Synthesizer of cells of one length (um)."""

    def __init__(self, length, groups=("core",)):
        self.length, self.groups = length, groups

    def kernel_groups(self):
        return list(self.groups)

    def cost(self, row):
        return self.length


@pytest.mark.parametrize(
    ("count", "cells", "workers", "expected"),
    [
        (10, Costs(4000.0), None, "inprocess"),
        (400, Costs(4000.0), None, "inprocess"),
        (1500, Costs(4000.0), None, "mpiexec"),
        (400, Costs(40_000.0), None, "mpiexec"),
        (10, Costs(4000.0), 2, "mpiexec"),  # a number that is named is obeyed
        (200, Costs(4000.0, ("core", "space")), None, "mpiexec"),
        (10, Costs(float("nan")), None, "mpiexec"),
        (10, Costs(4000.0, ()), None, "mpiexec"),
        (FEW_CELLS + 1, Costs(0.0), None, "mpiexec"),
    ],
)
def test_few_cells_are_grown_in_this_process(plan, monkeypatch, count, cells, workers, expected):
    monkeypatch.setattr("region_grower_flow.runtime.choice.mpi_works", lambda: (True, ""))
    execution = Execution(nb_processes=workers)
    auto = dataclasses.replace(plan(), launcher="auto", workers=2, execution=execution)
    assert chosen_launcher(auto, cells, range(count))[0] == expected


def test_where_meshes_act_cells_take_longer():
    plain, space = Costs(1000.0), Costs(1000.0, ("core", "space"))
    assert expected_seconds(space, range(10)) > 5 * expected_seconds(plain, range(10)) > 0
