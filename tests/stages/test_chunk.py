"""A chunk takes over what is today's and whole, and grows the rest."""

import dataclasses
import json
import os

import pytest

from helpers.cell_factory import tiny_settings
from region_grower_flow import layout
from region_grower_flow.io import atomic
from region_grower_flow.io.shards import ShardReader
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


def test_cells_that_were_written_need_no_growth_where_none_is(plan, sharded):
    """The other way round their morphologies are missing."""
    silent = plan(skip_write=True)
    run(silent)
    alone = list(read_records(silent.results))
    for made in (plan, sharded):
        assert finished_cells(made()) == (0, 4)
        assert counts(run(made())) == (4, 4, 0)
        assert finished_cells(silent) == (4, 4)
        assert counts(run(silent)) == (4, 0, 4)
        found = list(read_records(silent.results))
        assert [{**record, "shard": None} for record in alone] == found


def test_a_cell_that_could_not_be_written_is_tried_where_none_is(plan):
    run(plan())
    first, *others = read_records(plan().results)
    dropped = {
        **first,
        "status": layout.DROPPED,
        "reason": "MorphIO would not read it",
        "files": {},
    }
    write_records(plan().results, [dropped, *others])
    assert counts(run(plan(skip_write=True))) == (4, 1, 3)


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


@pytest.fixture
def sharded(plan, tmp_path):
    """Makes a plan whose cells are appended to shards."""

    def make(first=0, last=4, **changes):
        folder = tmp_path / "work" / layout.SHARDS / layout.chunk_name(first, last)
        return plan(first, last, shards=str(folder), **changes)

    return make


def images(plan):
    """{name: bytes} of the cells of a plan's table, which are in shards."""
    with ShardReader(plan.shards) as reader:
        records = list(read_records(plan.results))
        assert not any(record["files"] for record in records)
        return {record["name"]: reader.read(record["shard"]) for record in records}


def files(tmp_path):
    return {path.stem: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def shards_of(plan):
    return sorted(plan.shards.rglob("*.shard"))


def test_shards_hold_what_files_would(plan, sharded, tmp_path):
    assert counts(run(sharded())) == (4, 4, 0)
    assert not (tmp_path / "out").exists()
    cells = images(sharded())
    (shard,) = shards_of(sharded())
    assert shard.stat().st_size == sum(map(len, cells.values()))
    assert finished_cells(sharded()) == (4, 4)
    assert counts(run(sharded())) == (4, 0, 4)
    assert shards_of(sharded()) == [shard]
    # Files where shards were, and the other way round, without growing anything.
    assert finished_cells(plan()) == (4, 4)
    assert counts(run(plan())) == (4, 0, 4)
    assert files(tmp_path) == cells
    assert shards_of(sharded()) == []
    assert counts(run(sharded())) == (4, 0, 4)
    assert images(sharded()) == cells


def test_files_in_other_formats_are_not_in_shards(plan, sharded, tmp_path):
    run(sharded())
    both = {"out_morph_ext": ("h5", "swc")}
    assert counts(run(plan(**both))) == (4, 4, 0)
    assert len(files(tmp_path)) == 4


def test_a_damaged_table_is_told_once(sharded, caplog):
    run(sharded())
    with open(sharded().results, "r+b") as file:
        file.write(b"?")
    run(sharded())
    assert caplog.text.count("is damaged") == 1


def test_chunks_of_another_size_take_over_from_shards(sharded):
    run(sharded())
    (shard,), cells = shards_of(sharded()), images(sharded())
    for first in (0, 2):
        assert counts(run(sharded(first, first + 2))) == (2, 0, 2)
    assert images(sharded(0, 2)) | images(sharded(2, 4)) == cells
    # The first chunk's table goes: what the others name of its shard stays.
    sharded().results.unlink()
    assert counts(run(sharded())) == (4, 0, 4)
    assert shards_of(sharded()) == [shard]


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_damaged_cells_of_shards_are_grown_again(sharded, damage):
    run(sharded())
    (shard,), cells = shards_of(sharded()), images(sharded())
    size = shard.stat().st_size
    if damage == "flip":
        with open(shard, "r+b") as file:
            file.seek(size - 5)
            file.write(b"!!")
    elif damage == "cut":
        os.truncate(shard, size - 1)
    else:
        shard.unlink()
    grown = 4 if damage == "remove" else 1
    assert finished_cells(sharded()) == ((4, 4) if damage == "flip" else (4 - grown, 4))
    assert counts(run(sharded())) == (4, grown, 4 - grown)
    assert images(sharded()) == cells
    # What was damaged at the end has been cut off.
    kept = sum(path.stat().st_size for path in shards_of(sharded()))
    assert kept == sum(map(len, cells.values()))


def test_what_a_killed_run_has_left_goes(sharded):
    run(sharded())
    (shard,), cells = shards_of(sharded()), images(sharded())
    size = shard.stat().st_size
    with open(shard, "ab") as file:
        file.write(b"half a cell")
    nobodys = shard.with_name(f"{'0' * 16}.shard")
    nobodys.write_bytes(b"a process without a record")
    assert counts(run(sharded())) == (4, 0, 4)
    assert shards_of(sharded()) == [shard]
    assert shard.stat().st_size == size
    assert images(sharded()) == cells


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
