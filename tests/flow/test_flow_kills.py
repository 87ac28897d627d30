"""Whole runs are killed at any moment: nothing is left behind, and the next run goes on."""

import itertools
import os
import random
import re
import shutil
import signal
import time
from collections import Counter

import pytest

from helpers.flow_factory import make_flow
from helpers.flow_faults import Faults, results_of, temporaries
from helpers.marked_processes import send, wait_until_gone
from region_grower_flow.record.blocks import finished_records

pytestmark = [pytest.mark.mpi, pytest.mark.slow]

CELLS, CHUNK, BLOCK, WORKERS = 120, 60, 4, 2

KILL, TERM, INT = SIGNALS = signal.SIGKILL, signal.SIGTERM, signal.SIGINT

THOROUGH = "RGF_STRESS" in os.environ
SERIES = os.environ.get("RGF_STRESS_SERIES", "0")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, kernels):
    """A flow of 120 cells, and what an undisturbed run makes of it."""
    flow = make_flow(
        tmp_path_factory.mktemp("kills") / "flow", CELLS, chunksize=CHUNK, block_size=BLOCK
    )
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    expected = results_of(flow)
    clean(flow)
    return flow, expected


def clean(flow):
    for name in ("out", "work"):
        shutil.rmtree(flow.path(name), ignore_errors=True)
    flow.folder.with_name("journal").unlink(missing_ok=True)


@pytest.fixture
def faults(inputs, mark, mpi):
    """The flow under mpiexec, two workers, some seconds of growth; all is made anew."""
    flow, _ = inputs
    clean(flow)
    flow.options.update(launcher="mpiexec", nb_processes=WORKERS)
    yield Faults(flow, mark, seconds=0.02)
    clean(flow)


@pytest.fixture
def expected(inputs):
    return inputs[1]


def finished(flow):
    """The rows with a record in a block or in a finished chunk."""
    rows = set()
    for folder in flow.path("work", "blocks").glob("cells_*"):
        rows |= {row for row, _ in finished_records(folder)}
    return rows


def assert_whole(faults, expected, kills):
    """The results are those of an undisturbed run, and little was grown twice."""
    assert results_of(faults.flow) == expected
    assert temporaries(faults.flow.folder) == []
    assert list(faults.flow.folder.rglob(".lock-*")) == []
    twice = len(faults.journal()) - CELLS
    assert 0 <= twice <= kills * WORKERS * BLOCK
    return -(-twice // BLOCK)


def end(process, faults):
    """Wait for a killed process and for all of its family; the seconds that took."""
    start = time.monotonic()
    process.wait(20)
    wait_until_gone(faults.mark)
    return time.monotonic() - start


WAYS = ["luigi", "two task processes", "region-grower-flow"]
EACH_ONCE = [(WAYS[0], KILL), (WAYS[1], TERM), (WAYS[2], INT)]
"""Each signal, and each way to run; kills of all sorts come in `test_killed_again_and_again`."""


@pytest.mark.parametrize(
    ("how", "number"), list(itertools.product(WAYS, SIGNALS)) if THOROUGH else EACH_ONCE
)
def test_killed_while_growing(faults, expected, how, number):
    arguments = ["--workers", "2"] if how == "two task processes" else []
    command = faults.region_grower_flow() if how == "region-grower-flow" else None
    process = faults.start(*arguments, command=command)
    faults.wait_for_cells(40, process)
    process.send_signal(number)
    end(process, faults)
    assert process.returncode not in (0, None)
    kept, begun = finished(faults.flow), len(faults.journal())
    assert kept
    # Without ranks, which take a while to start: those of killed runs come in the tests below.
    faults.flow.options["launcher"] = "inprocess"
    command = faults.region_grower_flow() if how == "region-grower-flow" else None
    text = faults.run_to_end(*arguments, command=command)
    assert "Traceback" not in text
    assert len(faults.journal()) - begun == CELLS - len(kept)
    # Two chunks grow at once with two task processes.
    assert_whole(faults, expected, 2 if arguments else 1)


@pytest.mark.parametrize(("kind", "number"), [("mpiexec", KILL), ("rank", TERM)])
def test_a_killed_launcher_or_rank_is_made_good_by_the_same_run(faults, expected, kind, number):
    process = faults.start()
    faults.wait_for_cells(30, process)
    send(faults.processes()[kind][-1:], number)
    assert process.wait(60) == 0, faults.text
    assert_whole(faults, expected, 1)


def test_all_killed_at_once(faults, expected):
    process = faults.start()
    faults.wait_for_cells(30, process)
    faults.kill_all(KILL)
    end(process, faults)
    faults.run_to_end()  # under mpiexec again
    assert_whole(faults, expected, 1)


STAGES = {
    "CheckInputs": ("region_grower_flow.checks.synthesis:check_synthesis", 5, 1),
    "LoadAtlas": ("region_grower_flow.atlas.load:load_atlas_table", 5, 1),
    "ExtractDistributions": ("region_grower_flow.calibration.extraction:_extract", 5, 1),
    "placing": ("region_grower_flow.stages.linking:stamp_of", 0.3, 4),
    "tables": ("region_grower_flow.stages.merge:_write_tables", 5, 1),
}


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory, kernels):
    """A flow that starts from reconstructions, and what an undisturbed run makes of it."""
    from helpers.bad.bases import calibration

    flow = calibration(tmp_path_factory.mktemp("calibrated") / "flow")
    flow.options["processes"] = 2
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return flow, results_of(flow)


def stages_and_kills():
    """Each stage with one of the kills in turn; with RGF_STRESS, with all of them."""
    kills = [(KILL, 2), (TERM, 1), (INT, 1)]
    for i, stage in enumerate(STAGES):
        chosen = kills if THOROUGH else [kills[i % len(kills)]]
        yield from ((stage, *kill) for kill in chosen)


@pytest.mark.parametrize(("stage", "number", "workers"), list(stages_and_kills()))
def test_killed_in_any_stage(calibrated, mark, stage, number, workers):
    flow, expected = calibrated
    clean(flow)
    flow.folder.with_name("journal.slow").unlink(missing_ok=True)
    function, seconds, calls = STAGES[stage]
    faults = Faults(flow, mark, slow={function: seconds})
    process = faults.start("--workers", str(workers))
    faults.wait_for_slow_calls(calls, process)
    process.send_signal(number)
    end(process, faults)
    assert process.returncode not in (0, None)
    faults.slow = {}
    faults.run_to_end()
    assert results_of(flow) == expected
    assert temporaries(flow.folder) == []


@pytest.mark.timeout(7200)
def test_killed_at_any_moment(calibrated, mark, capsys):
    """Kills drawn over the whole time of a run, its page included; RGF_STRESS sets how many (2)."""
    kills, chance = int(os.environ.get("RGF_STRESS", "2")), random.Random(SERIES)
    flow, expected = calibrated
    faults = Faults(type(flow)(flow.folder, {**flow.options, "skip_page": "false"}), mark)
    clean(flow)
    begin = time.monotonic()
    assert faults.start().wait(120) == 0, faults.text
    whole, stages, done = time.monotonic() - begin, Counter(), Counter()
    while done.total() < kills:
        clean(flow)
        faults.log_path.unlink(missing_ok=True)
        faults.flow.options["skip_page"] = "false"
        process = faults.start()
        time.sleep(chance.random() * whole)
        stage = stage_of(faults)
        kind, number = chance.choice(["luigi", "group", "all"]), chance.choice([KILL, *SIGNALS])
        if strike(faults, process, kind, number):
            done[f"{kind} {number.name}"] += 1
            stages[stage] += 1
        end(process, faults)
        faults.flow.options["skip_page"] = "true"
        faults.run_to_end()
        assert results_of(flow) == expected, (stage, kind, number)
        assert temporaries(flow.folder) == []
    if THOROUGH:
        with capsys.disabled():
            print(f"\n{kills} kills within {whole:.1f} s, series {SERIES}: ", end="")
            print(f"{dict(stages)}, {dict(done)}")


def stage_of(faults):
    """The name of the stage that a run is in."""
    if faults.flow.path("work", "manifests", "SynthesizeMorphologies.json").exists():
        return "page"
    return (["before the first stage"] + re.findall(r"running +(\w+)", faults.text))[-1]


@pytest.mark.timeout(3600)
def test_killed_again_and_again(faults, expected, capsys):
    """Random kills at random moments of whole runs; RGF_STRESS sets how many (3)."""
    kills = int(os.environ.get("RGF_STRESS", "3"))
    chance = random.Random(kills)
    done, pending, twice, slowest, runs = Counter(), 0, 0, 0.0, 0
    while done.total() < kills:
        process = start_somehow(faults, chance)
        wait_for_a_moment(faults, process, chance)
        kind, number = chance.choice(KINDS), chance.choice([KILL, KILL, TERM, INT])
        if not strike(faults, process, kind, number):
            assert process.wait(60) == 0, faults.text
        else:
            done[f"{kind} {number.name}"] += 1
            pending += 1
            if kind in ("mpiexec", "rank") and chance.random() < 0.5:
                # The run launches again by itself; its own end comes by a second kill.
                time.sleep(chance.random())
                pending += strike(faults, process, "luigi", KILL)
            if process.poll() is None and kind in ("mpiexec", "rank"):
                assert process.wait(60) in (0, -KILL), faults.text
            slowest = max(slowest, end(process, faults))
        if process.returncode == 0:
            twice += assert_whole(faults, expected, pending)
            runs, pending = runs + 1, 0
            clean(faults.flow)
    faults.run_to_end()
    twice += assert_whole(faults, expected, pending)
    with capsys.disabled():
        counts = ", ".join(f"{count} of {kind}" for kind, count in sorted(done.items()))
        print(f"\n{kills} kills ({counts}): {runs + 1} runs came to their end, ", end="")
        print(f"{twice} blocks grown twice, nothing left after at most {slowest:.1f} s")


KINDS = ["luigi", "luigi", "mpiexec", "rank", "rank", "group", "all"]


def start_somehow(faults, chance):
    how = chance.choice(["luigi", "luigi", "workers", "command"])
    if how == "command":
        return faults.start(command=faults.region_grower_flow())
    return faults.start(*(["--workers", "2"] if how == "workers" else []))


def wait_for_a_moment(faults, process, chance):
    """A third of the kills come at any time, the others while cells grow."""
    if chance.random() < 0.33:
        time.sleep(chance.random() * 4)
    else:
        # Counted in cells begun, so that slow machines kill within the growth too.
        faults.wait_for_cells(len(faults.journal()) + chance.randrange(1, 50), process)
        time.sleep(chance.random() * 0.1)


def strike(faults, process, kind, number):
    """Send a signal to something of a run; whether there was anything to hit."""
    if process.poll() is not None:
        return False
    if kind == "all":
        faults.kill_all(number)
    elif kind == "group":
        os.killpg(process.pid, number)
    elif kind == "luigi":
        process.send_signal(number)
    else:
        found = faults.processes()[kind][-1:]
        send(found, number)
        return bool(found)
    return True
