"""Chunks of fake cells, run to their end in spite of cells that misbehave."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.marked_processes import marked_processes
from helpers.runtime_helpers import both_launchers, files, journal, orphaned_memory
from helpers.sentences import saying
from region_grower_flow.errors import InvalidInput, OutputFailed, WorkerFailed
from region_grower_flow.record.blocks import block_files, finished_records
from region_grower_flow.runtime import launcher, trial
from region_grower_flow.runtime.job import JOBS, Block, Job, write_job
from region_grower_flow.runtime.notes import RankNotes, create_notes

pytestmark = pytest.mark.slow


def no_jobs_left(plan):
    return not list((Path(plan.blocks_folder) / JOBS).iterdir())


def test_in_process(fake, run):
    told = []
    plan = fake(launcher="inprocess", settings={"seconds": 0.02})
    outcome = run(plan, told.append)
    assert sorted(outcome.records) == plan.rows
    assert outcome.dropped == 0
    assert outcome.launches == 1
    assert outcome.incidents == []
    assert len(files(plan)) == len(plan.rows)
    assert set(finished_records(plan.blocks_folder)) == {
        (row, record["digest"]) for row, record in outcome.records.items()
    }
    assert told[0].done < 60
    assert (told[-1].done, told[-1].dropped, told[-1].total) == (60, 0, 60)
    assert no_jobs_left(plan)


@pytest.mark.mpi
def test_results_do_not_depend_on_ranks_or_blocks(fake, run, mark):
    odd = {"settings": {"odd": {"7": "fail"}}}
    reference = run(fake("reference", launcher="inprocess", **odd))
    expected = files(fake("reference"))
    assert reference.dropped == 1
    for workers, block_size in ((1, None), (2, 5), (3, 1)):
        plan = fake(f"w{workers}", workers=workers, block_size=block_size, **odd)
        outcome = run(plan)
        assert outcome.records == reference.records
        assert files(plan) == expected
        assert no_jobs_left(plan)
    assert marked_processes(mark) == {}


@pytest.mark.mpi
def test_all_workers_take_part_and_tell_the_progress(fake, run):
    told = []
    plan = fake(workers=2, settings={"seconds": 0.02})
    run(plan, told.append)
    done = [progress.done for progress in told]
    assert done == sorted(done)
    assert done[-1] == 60
    assert any(0 < d < 60 for d in done)
    logs = {path.name for path in Path(plan.logs_folder).iterdir()}
    assert {"rank-0000.log", "rank-0001.log", "rank-0002.log", "launcher.log"} <= logs


def test_nothing_to_do_starts_nothing(fake, run):
    outcome = run(fake(rows=[], launcher="inprocess"))
    assert (outcome.records, outcome.launches) == ({}, 0)


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("behavior", "words"),
    [
        ("segfault", "2 times, last by: Segmentation fault"),
        ("kill", "3 times, last by: killed"),
        # MPICH reports a rank that leaves by itself with its own code, or as killed.
        ("leave", "3 times, last by: (unknown cause|killed)"),
    ],
)
def test_cell_that_ends_its_process_is_dropped(fake, run, behavior, words):
    plan = fake(workers=2, settings={"odd": {"17": behavior}})
    outcome = run(plan)
    assert sorted(outcome.records) == plan.rows
    dropped = [record for record in outcome.records.values() if record["status"] == "dropped"]
    assert [record["row"] for record in dropped] == [17]
    assert re.search(words, dropped[0]["reason"])
    assert outcome.incidents


@both_launchers
def test_cell_that_raises_is_tried_alone_then_dropped(fake, run, how):
    plan = fake(launcher=how, settings={"odd": {"3": "fail", "40": "fail"}})
    outcome = run(plan)
    dropped = {r: v["reason"] for r, v in outcome.records.items() if v["status"] == "dropped"}
    assert set(dropped) == {3, 40}
    assert "2 times, last by: ValueError: an odd cell" in dropped[3]
    assert journal(plan).count(3) == 2


@both_launchers
def test_loop_in_python_ends_at_its_time_limit(fake, run, how):
    plan = fake(launcher=how, cell_timeout=0.4, settings={"odd": {"5": "loop"}})
    outcome = run(plan)
    assert outcome.records[5]["reason"] == "the cell exceeded its time limit of 0.4 s"
    assert outcome.dropped == 1
    assert outcome.launches == 1


@pytest.mark.mpi
def test_hang_in_compiled_code_ends_at_its_time_limit(fake, run, mark):
    plan = fake(workers=2, cell_timeout=0.5, hang_grace=0.5, settings={"odd": {"5": "hang"}})
    outcome = run(plan)
    assert outcome.records[5]["reason"] == "the cell exceeded its time limit of 0.5 s"
    assert outcome.dropped == 1
    assert journal(plan).count(5) == 1
    assert marked_processes(mark) == {}


@pytest.mark.mpi
def test_stalled_job_is_ended(fake, run, mark):
    known = {"digests": dict.fromkeys(range(60), "d"), "costs": dict.fromkeys(range(60), 1.0)}
    plan = fake(stall_seconds=0.5, max_launches=2, settings={"stuck": True}, **known)
    with pytest.raises(WorkerFailed, match=r"2 launches in a row .* Nothing happened for"):
        run(plan)
    assert marked_processes(mark) == {}
    assert no_jobs_left(plan)


def test_ranks_that_do_not_start_are_ended(fake, run, mark, monkeypatch, tmp_path):
    mpiexec = tmp_path / "mpiexec"
    mpiexec.write_text('#!/bin/sh\n[ "$1" = --version ] && echo HYDRA && exit\nexec sleep 1000\n')
    mpiexec.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(WorkerFailed, match=r"2 launches in a row .* Nothing happened for"):
        run(fake(start_seconds=0.3, max_launches=2))
    assert marked_processes(mark) == {}


@pytest.mark.mpi
def test_killed_jobs_leave_no_shared_memory(fake, run):
    before = set(orphaned_memory())
    run(fake(workers=2, settings={"odd": {"17": "kill"}}))
    assert set(orphaned_memory()) <= before


@both_launchers
def test_failed_write_ends_the_run_and_keeps_finished_blocks(fake, run, how):
    plan = fake(launcher=how, block_size=5, settings={"odd": {"59": "disk_full"}})
    with pytest.raises(OutputFailed, match="disk is full"):
        run(plan)
    assert finished_records(plan.blocks_folder)
    assert no_jobs_left(plan)


@both_launchers
def test_unreadable_input_is_told_as_such(fake, run, how):
    digests = dict.fromkeys(range(60), "d")
    costs = dict.fromkeys(digests, 1.0)
    plan = fake(launcher=how, digests=digests, costs=costs, settings={"unreadable": True})
    with pytest.raises(InvalidInput, match=saying("parameters.json: | cannot be read")):
        run(plan)


@both_launchers
def test_workers_that_cannot_begin_end_the_run(fake, run, how):
    known = {"digests": dict.fromkeys(range(60), "d"), "costs": dict.fromkeys(range(60), 1.0)}
    plan = fake(launcher=how, max_launches=2, settings={"broken": True}, **known)
    with pytest.raises(WorkerFailed, match=r"2 launches in a row .* a broken installation"):
        run(plan)


def test_changed_input_is_found(fake, run):
    plan = fake(launcher="inprocess", digests=dict.fromkeys(range(60), "of before"))
    with pytest.raises(WorkerFailed, match="changed meanwhile"):
        run(plan)


def test_blocks_of_other_inputs_are_not_taken(fake, run):
    run(fake(launcher="inprocess"))
    outcome = run(fake(launcher="inprocess", settings={"salt": 2}))
    assert len(outcome.records) == 60
    assert len(finished_records(fake().blocks_folder)) == 120


def test_corrupt_block_is_grown_again(fake, run):
    plan = fake(launcher="inprocess", block_size=10)
    expected = run(plan).records
    first, second, *_ = block_files(plan.blocks_folder)
    first.write_bytes(first.read_bytes()[:-7])
    second.write_bytes(b"")
    finished = {row for row, _ in finished_records(plan.blocks_folder)}
    assert 0 < len(finished) < 50
    rows = [row for row in plan.rows if row not in finished]
    again = run(fake(rows=rows, launcher="inprocess"))
    assert again.records == {row: expected[row] for row in rows}
    assert {r for r, _ in finished_records(plan.blocks_folder)} == set(plan.rows)


def test_too_many_crashes_point_at_the_installation(fake, run):
    odd = {str(row): "fail" for row in range(60)}
    plan = fake(launcher="inprocess", max_crashed_cells=3, settings={"odd": odd})
    with pytest.raises(WorkerFailed, match=r"4 cells brought .* an odd cell"):
        run(plan)


def test_crashes_add_up_over_runs(fake, run):
    """A process that grew alone and was killed with its parent counts in the next runs."""
    plan = fake(launcher="inprocess", rows=[9], settings={"odd": {"9": "interrupt"}})
    for times in (1, 2, 3):
        job = Job(plan.settings, (Block((9,)),), plan.blocks_folder, plan.logs_folder, ranks=1)
        job.path.parent.mkdir(parents=True, exist_ok=True)
        write_job(job)
        create_notes(job.notes, 1)
        with RankNotes(job.notes, 0) as notes:
            notes.begin(9)
        if times < 3:
            with pytest.raises(KeyboardInterrupt):
                run(plan)
            counts = launcher.blame.Crashes(plan.blocks_folder).load().counts
            assert [count for count, _ in counts.values()] == [times]
    assert "3 times, last by: unknown cause" in run(plan).records[9]["reason"]
    assert launcher.blame.Crashes(plan.blocks_folder).load().counts == {}


@pytest.mark.mpi
def test_messages_never_hold_the_environment(fake, run, monkeypatch):
    monkeypatch.setenv("RGF_SECRET", "do-not-tell")
    plan = fake(max_crashed_cells=0, rows=[1], settings={"odd": {"1": "segfault"}})
    with pytest.raises(WorkerFailed, match="Fatal Python error: Segmentation fault") as caught:
        run(plan)
    assert "do-not-tell" not in str(caught.value)
    assert "rank-0001.log" in str(caught.value)


def test_odd_number_of_workers(fake, run):
    with pytest.raises(InvalidInput, match="workers"):
        run(fake(workers=0))


def test_blocks_folder_that_cannot_be_made(fake, run, tmp_path):
    (tmp_path / "chunk").mkdir()
    (tmp_path / "chunk" / "blocks").write_text("a file")
    with pytest.raises(OutputFailed, match="cannot be written"):
        run(fake(launcher="inprocess"))


def test_missing_launcher_is_one_sentence(fake, run, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(InvalidInput, match="there is no mpiexec"):
        run(fake())
    assert trial.launcher_works.__wrapped__("mpiexec")[0] is False


@pytest.mark.mpi
def test_mpi_works():
    works, sentence = trial.launcher_works.__wrapped__("mpiexec")
    assert works, sentence


@pytest.mark.mpi
def test_single_processes_are_found_at_once(fake, run):
    """A launcher of another make than mpi4py's MPI starts N jobs of one rank each."""
    plan = fake(launcher=["env", "X={n}", "{command}"], workers=2)
    with pytest.raises(WorkerFailed, match=saying("3 single processes | 3 ranks")):
        run(plan)
    assert journal(plan) == []


@pytest.mark.mpi
def test_worker_refuses_wrong_number_of_ranks():
    module = "region_grower_flow.runtime.worker"
    command = [sys.executable, "-m", "mpi4py", "-m", module, "none.json", "--expected-ranks", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 78
    assert "single processes" in done.stdout


@pytest.mark.mpi
def test_template_of_the_user(fake, run):
    from region_grower_flow.runtime.commands import find_mpiexec, mpiexec_options, vendor

    mpiexec = " ".join([find_mpiexec(), *mpiexec_options(vendor(find_mpiexec()))])
    plan = fake(launcher=f"{mpiexec} -n {{n}} {{command}}", workers=2)
    assert len(run(plan).records) == 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_a_run_as_an_interrupt(fake, run, number):
    """Luigi goes on after any exception but KeyboardInterrupt."""
    before = signal.getsignal(number)
    plan = fake(launcher="inprocess", settings={"seconds": 0.02})

    def interrupt(progress):
        os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt) as caught:
        run(plan, interrupt)
    assert caught.value.number == number
    assert signal.getsignal(number) is before
    assert no_jobs_left(plan)
    again = run(fake(launcher="inprocess"))
    assert launcher.blame.Crashes(plan.blocks_folder).load().counts == {}
    assert again.dropped == 0


def test_launcher_imports_no_mpi():
    code = (
        "import sys; import region_grower_flow.runtime.launcher, region_grower_flow.runtime.worker;"
        "sys.exit(any(m.split('.')[0] in ('mpi4py', 'neurots', 'luigi') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_mpi_type_that_slurm_lacks_is_named(fake, run, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "srun"
    program.parent.mkdir()
    words = "srun: error: mpi/pmix_v4: init: can not load PMIx library"
    program.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    plan = fake(launcher="srun", workers=2)
    with pytest.raises(WorkerFailed, match=r"srun cannot start ranks with --mpi=pm\w+, .* mpiexec"):
        run(plan)
