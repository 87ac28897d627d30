"""A run is watched: in luigid's pages through a real Chromium, and in luigid's API."""

import os
import re
import subprocess

import pytest

from helpers.atlas_factory import make_atlas
from helpers.flow_factory import LUIGI, make_flow, write_nodes
from helpers.real_parts import needs
from helpers.web_parts import CHROMEDRIVER, CHROMIUM, browser, process, scheduler, wait_for

pytestmark = pytest.mark.slow

NASTY = "<img src=x onerror=document.title='owned'>"
"""An mtype that would run a script if a page took it for HTML."""

CELLS = 240
TASK = "SynthesizeMorphologies"


@pytest.fixture
def central(tmp_path):
    with scheduler(tmp_path / "luigid") as running:
        yield running


@pytest.fixture
def page(tmp_path):
    needs(CHROMIUM and CHROMEDRIVER, "there is no chromium with its chromedriver")
    with browser(tmp_path / "browser") as running:
        yield running


def command(flow, central):
    """The luigi command of a flow with a central scheduler."""
    flow.write_cfg()
    cfg = flow.path("luigi.cfg")
    cfg.write_text(cfg.read_text().replace("local_scheduler = true", "local_scheduler = false"))
    where = ["--scheduler-host", "127.0.0.1", "--scheduler-port", central.port]
    return [str(w) for w in (LUIGI, "--module", "region_grower_flow", TASK, *where)]


def watchable(folder, **options):
    """A flow of three chunks that NeuroTS grows, which takes seconds."""
    return make_flow(folder, CELLS, chunksize=80, engine="neurots", block_size=2, **options)


def name_an_mtype_nastily(flow):
    """Cells of an mtype that has no parameters, and whose name is a piece of a page."""
    top = make_atlas(flow.path("atlas")).top
    write_nodes(flow.path("nodes.h5"), 8, top, mtypes=("IN", NASTY))


def let_chunks_fail(flow):
    """A file in the place of a folder, which only a chunk at work finds."""
    flow.path("work").mkdir()
    flow.path("work", "blocks").write_text("")


def chunk(first, last):
    return f"SynthesizeChunk(first={first}, last={last}, seed=1, work_dir=work)"


def test_the_scheduler_knows_every_stage(tmp_path, central, kernels):
    flow = make_flow(tmp_path / "flow")
    done = subprocess.run(
        command(flow, central), cwd=flow.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    tasks = central.tasks()
    assert set(tasks) == {
        "CheckInputs(checked=synthesis, out_cells=out/nodes.h5, seed=1, work_dir=work)",
        "LoadAtlas(work_dir=work)",
        chunk(0, 4),
        chunk(4, 8),
        "SynthesizeMorphologies(out_cells=out/nodes.h5, seed=1, work_dir=work)",
    }
    for task in tasks.values():
        assert task["status"] == "DONE"
        assert task["progress_percentage"] == 100
        assert len(task["params"]) <= 4
    message = tasks[chunk(4, 8)]["status_message"]
    assert re.match(r"4 of 4 cells made, 0 dropped, 0 taken over .*, [\d.]+ cells/s, in ", message)
    log = flow.path("work", re.search(r"^Log: (.*)$", message, re.MULTILINE)[1])
    assert "4 of 4 cells made" in log.read_text()
    assert str(flow.path("work")) in message
    assert tasks["LoadAtlas(work_dir=work)"]["status_message"].startswith("8 of 8 cells")


def test_other_options_are_another_task(tmp_path):
    from region_grower_flow import SynthesizeMorphologies

    options = make_flow(tmp_path / "flow").options
    names = {
        SynthesizeMorphologies(**{**options, **change}).task_id
        for change in ({}, {"min_depth": 30.0}, {"out_morph_dir": "x"}, {"engine": "neurots"})
    }
    assert len(names) == 4


def test_a_failure_is_the_terminals_sentence(tmp_path, central, kernels):
    flow = make_flow(tmp_path / "flow")
    flow.options["tmd_parameters"] = "absent.json"
    done = subprocess.run(
        command(flow, central), cwd=flow.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 30
    task = central.tasks()[
        "CheckInputs(checked=synthesis, out_cells=out/nodes.h5, seed=1, work_dir=work)"
    ]
    assert task["status"] == "FAILED"
    sentence = central.call("fetch_error", task_id=task["id"])["error"].strip('"')
    assert "absent.json" in sentence
    assert sentence in done.stderr
    assert task["status_message"] == sentence


@pytest.mark.skipif(
    "RGF_STRESS" not in os.environ, reason="chunks of this size may end before the page is open"
)
@pytest.mark.slow
@pytest.mark.browser
def test_chunks_at_work_are_seen(tmp_path, page, central, kernels):
    flow = watchable(tmp_path / "flow")

    def at_work():
        percentage = central.tasks().get(chunk(80, 160), {}).get("progress_percentage")
        return percentage is not None and 0 < percentage < 60

    with process(command(flow, central), tmp_path, cwd=flow.folder):
        wait_for(at_work, 240)  # the first chunk is grown before
        page.open(central.page("#tab=workers"))
        wait_for(lambda: page.text("#workerList .taskProgressBar"))
        (row,) = page.text("#workerList tbody tr")
        assert row.startswith("SynthesizeChunk(first=")  # that one, or already the next
        assert re.fullmatch(r"\d+%", page.text("#workerList .taskProgressBar")[0])
        page.run("document.querySelector('#workerList .statusMessage').click()")
        pattern = r"\d+ of 80 cells, [\d.]+ cells/s, \d+ s left, 0 dropped\nLog: logs/cells_"
        wait_for(lambda: re.match(pattern, "".join(page.text("#statusMessageModal pre"))))
        page.picture(tmp_path / "message.png")

        page.open(central.page())
        rows = wait_for(lambda: page.text("#taskTable tbody tr"))
        seen = {tuple(row.split("\t")[:2]) for row in rows}
        assert {(" DONE", "SynthesizeChunk"), (" PENDING", TASK)} <= seen
        details = " ".join(rows)
        for first, last in ((0, 80), (80, 160), (160, 240)):
            assert f"first={first}, last={last}" in details
        assert max(map(len, rows)) < 200
        page.picture(tmp_path / "tasks.png")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(
    ("spoil", "name", "words"),
    [
        (name_an_mtype_nastily, "CheckInputs", NASTY),
        (let_chunks_fail, "SynthesizeChunk", "blocks"),
    ],
)
def test_a_failure_is_shown_as_text(tmp_path, page, central, kernels, spoil, name, words):
    flow = make_flow(tmp_path / "flow")
    spoil(flow)
    done = subprocess.run(
        command(flow, central), cwd=flow.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 30, done.stderr
    page.open(central.page())
    (row, *_) = wait_for(lambda: [t for t in page.text("#taskTable tr:has(.showError)") if t])
    assert row.split("\t")[:2] == [" FAILED", name]
    page.run("document.querySelector('#taskTable .showError').click()")
    shown = wait_for(lambda: page.text("#errorModal pre")[:1])[0]
    assert words in shown
    assert all(line in done.stderr for line in shown.splitlines())
    page.picture(tmp_path / "failure.png")

    page.open(central.page())
    wait_for(lambda: page.text("#taskTable .statusMessage"))
    page.run("document.querySelector('#taskTable tr:has(.showError) .statusMessage').click()")
    # The page first shows the message twice escaped, and half a second later as it is meant.
    wait_for(lambda: shown in "".join(page.text("#statusMessageModal pre")))
    page.picture(tmp_path / "failure_message.png")
    assert page.run("return document.title") != "owned"
    assert page.run("return document.querySelectorAll('#statusMessageModal img').length") == 0
