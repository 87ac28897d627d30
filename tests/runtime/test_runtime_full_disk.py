"""Disks that are full and files that may not grow: one sentence, and the next run goes on."""

import resource

import pytest

from helpers.marked_processes import marked_processes
from helpers.runtime_helpers import both_launchers, journal
from region_grower_flow.record.blocks import finished_records


def fail_with_a_sentence(parent):
    _, err = parent.communicate(timeout=60)
    assert parent.returncode != 0
    assert "Traceback" not in err
    assert err.startswith("OutputFailed: ")
    return err


def limited(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@both_launchers
@pytest.mark.slow
def test_file_size_limit(fake, start_parent, mark, how):
    plan = fake(
        rows=range(12), launcher=how, workers=2, block_size=6, settings={"padding": 4_000_000}
    )
    parent = start_parent(plan, preexec_fn=limited(10_000_000))
    assert "file-size limit" in fail_with_a_sentence(parent)
    assert marked_processes(mark) == {}
    out, _ = start_parent(plan).communicate(timeout=60)
    assert "ends" in out


@pytest.mark.mpi
def test_file_size_limit_below_what_mpi_needs(fake, start_parent):
    parent = start_parent(fake(), preexec_fn=limited(30_000))
    assert "too small for MPI" in fail_with_a_sentence(parent)


@both_launchers
@pytest.mark.slow
def test_full_disk(fake, start_parent, mark, mount, tmp_path, how):
    mount(tmp_path / "chunk" / "blocks", "size=512k")
    plan = fake(launcher=how, workers=2, block_size=5, settings={"padding": 20_000})
    assert "disk is full" in fail_with_a_sentence(start_parent(plan))
    assert marked_processes(mark) == {}
    kept = len(finished_records(plan.blocks_folder))
    assert 0 < kept < 60
    mount(tmp_path / "chunk" / "blocks", "size=8m")
    out, err = start_parent(plan).communicate(timeout=60)
    assert f"begins {60 - kept}" in out
    assert "ends" in out, err
    assert len(finished_records(plan.blocks_folder)) == 60
    assert len(journal(plan)) <= 60 + 60 - kept
