"""Neighbours at a central scheduler: runs of one project, of two projects, and a scheduler lost."""

import signal

import pytest

from helpers.flow_factory import LUIGI, Flow, make_flow
from helpers.flow_faults import LUIGI_TASK, Faults
from helpers.web_parts import scheduler

pytestmark = pytest.mark.slow

ALREADY_RUNNING = 10
CELLS = 8
GIVEN = (
    "input_cells", "atlas", "region_structure", "tmd_parameters", "tmd_distributions",
    "out_cells", "out_morph_dir",
)  # fmt: skip


class CentralFlow(Flow):
    """A flow that looks for a central scheduler."""

    def write_cfg(self):
        super().write_cfg()
        path = self.path("luigi.cfg")
        text = path.read_text()
        path.write_text(text.replace("local_scheduler = true", "local_scheduler = false"))


class Run(Faults):
    """A run of a flow at a scheduler, with a log of its own."""

    def begin(self, central):
        """Start it; returns the process."""
        where = ("--scheduler-host", "127.0.0.1", "--scheduler-port", central.port)
        return self.start(command=[LUIGI, *LUIGI_TASK, *where])

    @property
    def log_path(self):
        return self.flow.folder.with_name(f"log{id(self)}")


@pytest.fixture(scope="module")
def central(tmp_path_factory):
    with scheduler(tmp_path_factory.mktemp("central") / "luigid") as running:
        yield running


@pytest.fixture
def project(tmp_path, kernels, mark):
    """Makes a Run in a project of its own, whose cells take some time each."""
    made = []

    def make(name, seconds):
        flow = make_flow(tmp_path / name / "flow", CELLS)
        made.append(Run(CentralFlow(flow.folder, flow.options), mark, seconds=seconds))
        return made[-1]

    yield make
    for run in made:
        run.kill_all(signal.SIGKILL)


def test_the_second_run_of_a_project_leaves_and_the_first_goes_on(project, central):
    first = project("one", 1.0)  # so slow that the second run meets it on a busy machine
    process = first.begin(central)
    first.wait_for_cells(3, process)
    second = Run(first.flow, first.mark)
    assert second.begin(central).wait(60) == ALREADY_RUNNING, second.text
    assert "is being written by another run" in second.text
    assert "Traceback" not in second.text
    assert process.wait(60) == 0, first.text
    assert first.flow.summary["cells"]["made"] == CELLS


def test_a_run_right_after_another_one_is_made(central, tmp_path, kernels):
    """The scheduler does not believe at once that what it knows as done is to be made again."""
    flow = make_flow(tmp_path / "flow", 2)
    options = {name: flow.options[name] for name in GIVEN}
    words = [word for n, v in options.items() for word in (f"--{n.replace('_', '-')}", str(v))]
    words += ["--nb-processes", "0", "--scheduler-url", f"http://127.0.0.1:{central.port}"]
    words += ["--skip-page"]
    made = []
    for randomness in (0.2, 0.3):  # with other options they would be other stages for it
        flow.edit("parameters.json", lambda c, r=randomness: set_randomness(c, r))
        process = flow.command("synthesize-morphologies", *words)
        assert process.returncode == 0, process.stdout + process.stderr
        made.append(flow.morphologies())
    assert made[0] != made[1]


def set_randomness(parameters, value):
    for mtype in parameters["default"].values():
        mtype["basal_dendrite"]["randomness"] = value


def test_two_projects_of_the_same_relative_paths_do_not_disturb_each_other(project, central):
    runs = [project(name, 0.1) for name in ("a", "b")]
    processes = [run.begin(central) for run in runs]
    for run, process in zip(runs, processes, strict=True):
        assert process.wait(60) == 0, run.text
        assert run.flow.summary["cells"]["made"] == CELLS


def test_a_damaged_morphology_is_grown_again_by_processes_of_a_central_scheduler(finished, central):
    flow = CentralFlow(finished.folder, finished.options)
    before = flow.morphologies()
    name = next(iter(before))
    with open(flow.path("work", "morphologies", name), "r+b") as file:
        file.truncate(100)
    flow.path("out", "morphologies", name).unlink()
    where = ("--scheduler-host", "127.0.0.1", "--scheduler-port", str(central.port))
    process = flow.luigi(*where, "--workers", "2")
    assert process.returncode == 0, process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    assert flow.morphologies() == before
    assert flow.summary["grown_now"] == 1 + 4  # the other chunk was grown by the first run


def test_a_scheduler_that_goes_away_is_a_sentence_and_what_is_finished_is_kept(project, tmp_path):
    with scheduler(tmp_path / "luigid") as own:
        run = project("alone", 0.2)
        process = run.begin(own)
        run.wait_for_cells(3, process)
    assert process.wait(60) != 0
    assert "The scheduler does not answer" in run.text
    assert "Traceback" not in run.text
    begun = len(run.journal())
    again = Faults(Flow(run.flow.folder, run.flow.options), run.mark)
    again.run_to_end()
    assert len(again.journal()) - begun < CELLS
    assert run.flow.summary["cells"]["made"] == CELLS
