"""Files of a work folder that may go (through the command: tests/flow/test_flow_status.py)."""

import pytest

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import TEMPORARY_PREFIX
from region_grower_flow.layout import VACUUM_NODES as NODES
from region_grower_flow.layout import vacuum_listing as listing_path
from region_grower_flow.record import cleaning
from region_grower_flow.record.fingerprint import Recipe
from region_grower_flow.record.listing import write_listing
from region_grower_flow.record.manifest import Manifest
from region_grower_flow.record.tables import write_records


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return set(paths)


def made(work, stage, *outputs):
    """A manifest, and the outputs that it names."""
    touch(*outputs)
    path = work / layout.MANIFESTS / f"{stage}.json"
    Manifest.describe(Recipe(stage, 1), outputs).write(path)
    return {path, *outputs}


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "work"
    (folder / layout.MANIFESTS).mkdir(parents=True)
    return folder


@pytest.fixture
def held_out(work):
    """The files of a hold-out: cells, their listing, a stage's output and its manifest."""
    folder = work / layout.HOLDOUT_WORK
    files = made(folder, "BuildParameters", folder / layout.PARAMETERS)
    cells = folder / layout.VACUUM
    files |= touch(cells / NODES, cells / "PC" / "a.h5")
    listing = listing_path(folder / layout.VACUUM_WORK)
    write_listing(listing, cells, {"PC/a.h5": (1, 0)})
    return files | {listing}


def test_outputs_of_placement_go_where_no_option_has_named_them(work):
    ours = made(work, "PlaceCells", work / "placed_cells.h5", work / "placed_cells_report.csv")
    ours |= made(work, "ChooseAxons", work / "axons.tsv", work / "axons_scores.csv")
    made(work, "SliceCells", work / "few.h5")  # named by its user
    touch(work / "planes.json")  # of nobody we know
    manifests = {work / layout.MANIFESTS / "SliceCells.json"}
    assert set(cleaning.everything(work).files) == ours | manifests


def test_shards_that_no_record_names_are_stale(work):
    folders = [work / layout.SHARDS / layout.chunk_name(0, last) for last in (4, 8)]
    kept, left, other = (
        folder / f"{digit * 16}.shard"
        for folder, digit in zip((*folders, folders[0]), "ab0", strict=True)
    )
    table = work / layout.CHUNKS / f"{layout.chunk_name(0, 8)}{layout.RECORDS}"
    files = touch(kept, left, other)
    cell = {"row": 0, "digest": "d", "status": layout.MADE, "name": "0" * 32, "files": {}}
    write_records(table, [{**cell, "shard": [f"{kept.parent.name}/{kept.name}", 0, 1, 5]}])
    # Chunks of another size: the new table names what is in the old one's shard.
    assert set(cleaning.stale(work, {(0, 8): True}).files) == {left, other}
    assert set(cleaning.everything(work).files) == {*files, table}


def test_all_of_a_hold_out_goes_but_files_of_others(work, held_out):
    mine = work / layout.HOLDOUT_WORK / layout.VACUUM / "PC" / "mine.h5"
    touch(mine)
    removal = cleaning.everything(work)
    assert set(removal.files) == held_out
    assert len(removal.files) == len(held_out)
    removal.remove()
    assert [path for path in work.rglob("*") if path.is_file()] == [mine]


def test_folders_that_are_left_empty_go(work):
    (work / layout.BLOCKS).mkdir()
    (work / "mine").mkdir()
    made(work, "BuildParameters", work / layout.PARAMETERS)
    cleaning.everything(work).remove()
    assert [path.name for path in work.iterdir()] == ["mine"]
    (work / "mine").rmdir()
    cleaning.Removal(work, []).remove()
    assert not work.exists()


def test_nothing_of_a_hold_out_is_stale_but_leftovers(work, held_out):
    leftover = work / layout.HOLDOUT_WORK / layout.LOGS / f"{TEMPORARY_PREFIX}1-2.log"
    touch(leftover)
    assert cleaning.stale(work, None).files == [leftover]


def test_a_leftover_is_counted_once(work):
    leftover = work / layout.MORPHOLOGIES / f"{TEMPORARY_PREFIX}1-2.h5"
    touch(leftover)
    assert cleaning.stale(work, {}).files == [leftover]


def test_chunks_stay_where_it_is_not_known_which_there_are(work):
    chunks = touch(work / layout.CHUNKS / "cells_000000000-000000004.jsonl")
    assert cleaning.stale(work, None).files == []
    assert set(cleaning.stale(work, {}).files) == chunks


def test_what_has_another_name_elsewhere_frees_nothing(work):
    ours = work / layout.MORPHOLOGIES / f"{'0' * 32}.h5"
    touch(ours)
    (line,) = cleaning.Removal(work, [ours]).lines()
    assert line.endswith("1 files, 1 bytes")
    output = work.parent / "out.h5"
    output.hardlink_to(ours)
    (line,) = cleaning.Removal(work, [ours]).lines()
    assert line.endswith("1 files, 1 bytes, 1 bytes of it shared with outputs")
    # Not when all of its names go.
    second = work / layout.VACUUM_WORK / layout.CELL_TABLE
    second.parent.mkdir()
    output.rename(second)
    assert not any("shared" in line for line in cleaning.Removal(work, [ours, second]).lines())


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="is not a folder of intermediates"):
        cleaning.everything(tmp_path)
