"""Processes of a run are killed at any moment: nothing is left behind, the next run goes on."""

import os
import random
import signal
import time

import pytest

from helpers.fake_worker import FakeSynthesizer
from helpers.marked_processes import marked_processes, send, wait_until_gone
from helpers.runtime_helpers import files, journal
from region_grower_flow.record.blocks import finished_records

pytestmark = [pytest.mark.mpi, pytest.mark.slow]

CELLS, BLOCK_CELLS, WORKERS = 160, 8, 2

LAUNCHERS = ("mpiexec", "prterun")
"""Programs that a launcher is, or becomes: that of MPICH, and that of Open MPI."""


@pytest.fixture
def plan(fake):
    return fake(
        rows=range(CELLS),
        workers=WORKERS,
        block_size=BLOCK_CELLS,
        settings={"seconds": 0.015},
        costs=dict.fromkeys(range(CELLS), 1.0),
    )


def finished(plan):
    return {row for row, _ in finished_records(plan.blocks_folder)}


def wait_for_cells(plan, parent, count):
    deadline = time.monotonic() + 60
    while len(journal(plan)) < count and parent.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def targets(mark, parent):
    """The processes of a run by what they are."""
    found = {"parent": [parent.pid], "mpiexec": [], "rank": []}
    for pid, command in marked_processes(mark).items():
        if "-m helpers.fake_worker" not in command:
            continue
        program = command.split()[0]
        kind = "mpiexec" if any(name in program for name in LAUNCHERS) else "rank"
        if "/sh " not in command:
            found[kind].append(pid)
    return found


def run_on(plan, start_parent):
    """Let a parent finish the plan and return its output."""
    out, err = start_parent(plan).communicate(timeout=120)
    assert "ends" in out, err
    return out


def check_complete(plan):
    synthesizer = FakeSynthesizer({**plan.settings, "seconds": 0, "journal": None})
    records = finished_records(plan.blocks_folder)
    assert len(records) == len(plan.rows)
    found = files(plan)
    expected = {(row, synthesizer.digest(row)): synthesizer.synthesize(row) for row in plan.rows}
    assert records == expected
    assert found == files(plan)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_killed_parent_leaves_nothing_and_the_next_run_goes_on(plan, start_parent, mark, number):
    parent = start_parent(plan)
    wait_for_cells(plan, parent, 60)
    parent.send_signal(number)
    parent.communicate(timeout=20)
    assert parent.returncode != 0
    wait_until_gone(mark)
    kept = finished(plan)
    assert 0 < len(kept) < CELLS
    assert f"begins {CELLS - len(kept)}" in run_on(plan, start_parent)
    check_complete(plan)
    assert len(journal(plan)) - CELLS <= WORKERS * BLOCK_CELLS
    assert marked_processes(mark) == {}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("kind", ["rank", "mpiexec"])
def test_killed_rank_or_launcher_is_made_good_at_once(plan, start_parent, mark, kind, number):
    parent = start_parent(plan)
    wait_for_cells(plan, parent, 60)
    killed = targets(mark, parent)[kind][-1:]
    assert killed
    send(killed, number)
    out, err = parent.communicate(timeout=60)
    assert "ends" in out, err
    check_complete(plan)
    assert len(journal(plan)) - CELLS <= WORKERS * BLOCK_CELLS
    assert marked_processes(mark) == {}


def test_everything_killed_at_once(plan, start_parent, mark):
    parent = start_parent(plan)
    wait_for_cells(plan, parent, 60)
    found = targets(mark, parent)
    send([pid for pids in found.values() for pid in pids], signal.SIGKILL)
    parent.communicate(timeout=20)
    wait_until_gone(mark)
    run_on(plan, start_parent)
    check_complete(plan)


def test_frozen_launcher_does_not_keep_the_parent(plan, start_parent, mark):
    """A stopped mpiexec does not react to SIGTERM: it and its ranks are killed."""
    parent = start_parent(plan)
    wait_for_cells(plan, parent, 40)
    found = targets(mark, parent)
    send(found["mpiexec"] + found["rank"], signal.SIGSTOP)
    parent.send_signal(signal.SIGTERM)
    parent.communicate(timeout=20)
    wait_until_gone(mark)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_random_kills(plan, start_parent, mark, capsys):
    """Kills at random moments, again and again; RGF_STRESS sets how many (4)."""
    kills = int(os.environ.get("RGF_STRESS", "4"))
    plan.rows.extend(range(CELLS, 60 * kills))
    chance = random.Random(20)
    slowest, hits = 0.0, {}
    while sum(hits.values()) < kills:
        parent = start_parent(plan)
        # The moment is counted in cells begun, so that slow machines kill within work too.
        wait_for_cells(plan, parent, len(journal(plan)) + chance.randrange(2, 90))
        time.sleep(chance.random() * 0.05)
        kind = chance.choice(["parent", "parent", "mpiexec", "rank", "rank", "all"])
        number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        found = targets(mark, parent)
        if not found["rank"]:  # the run was over before, or about to be
            parent.communicate(timeout=60)
            plan.rows.extend(range(len(plan.rows), len(plan.rows) + 60))
            continue
        everything = [pid for pids in found.values() for pid in pids]
        one = chance.sample(found.get(kind, []), min(1, len(found.get(kind, []))))
        send(everything if kind == "all" else one, number)
        if kind in ("mpiexec", "rank"):
            # The run launches again by itself; its end comes by a second kill.
            time.sleep(chance.random())
            send([parent.pid], signal.SIGKILL)
        parent.communicate(timeout=20)
        slowest = max(slowest, wait_until_gone(mark))
        if parent.returncode == 0:  # it made good what was lost, and ended before the second kill
            assert finished(plan) >= set(plan.rows)
            plan.rows.extend(range(len(plan.rows), len(plan.rows) + 60))
        hits[kind] = hits.get(kind, 0) + 1
    run_on(plan, start_parent)
    check_complete(plan)
    twice = len(journal(plan)) - len(plan.rows)
    # A kill of a rank or launcher counts twice: the parent is killed after it.
    lives = kills + hits.get("mpiexec", 0) + hits.get("rank", 0)
    assert twice <= lives * WORKERS * BLOCK_CELLS
    with capsys.disabled():
        print(f"\n{kills} kills {hits}: {twice} of {len(plan.rows)} cells grown twice, ", end="")
        print(f"nothing left after at most {slowest:.2f} s")
