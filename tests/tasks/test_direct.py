"""Tasks that are made from Python: by Luigi, of which nothing is seen but what comes of it."""

import logging
import signal
import threading
import time

import luigi
import pytest
from luigi.configuration import get_config
from luigi.setup_logging import InterfaceLogging
from luigi.worker import TaskException

from region_grower_flow.errors import WorkerFailed
from region_grower_flow.tasks.direct import build


class Makes(luigi.Task):
    """A task that writes a file, after those that it names by their numbers."""

    folder = luigi.Parameter()
    number = luigi.IntParameter()
    below = luigi.TupleParameter(default=())
    fails = luigi.Parameter(default="")

    def requires(self):
        return [self.clone(number=number, below=()) for number in self.below]

    def output(self):
        return luigi.LocalTarget(f"{self.folder}/{self.number}")

    def run(self):
        if self.fails == "sentence":
            raise WorkerFailed("It is too late.")
        if self.fails == "defect":
            raise ZeroDivisionError("odd")
        if self.fails == "interrupt":
            raise KeyboardInterrupt
        if self.fails != "silently":
            with self.output().open("w") as file:
                file.write(threading.current_thread().name)


def test_a_task_and_what_it_needs_are_made_without_a_word(tmp_path, capfd, caplog):
    caplog.set_level(logging.INFO)
    task = Makes(str(tmp_path), 0, (1, 2))
    assert build(task) is task
    assert {path.name for path in tmp_path.iterdir()} == {"0", "1", "2"}
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("fails", "kind", "words"),
    [
        ("sentence", WorkerFailed, "It is too late."),
        ("defect", ZeroDivisionError, "odd"),
        ("silently", TaskException, "still returning false"),
        ("interrupt", KeyboardInterrupt, None),
    ],
)
def test_what_a_task_raises_reaches_the_caller(tmp_path, capfd, fails, kind, words):
    with pytest.raises(kind, match=words) as raised:
        build(Makes(str(tmp_path), 0, (1,), fails))
    if fails in ("sentence", "defect"):
        assert raised.traceback[-1].name == "run"  # where it was raised
    assert capfd.readouterr() == ("", "")
    build(Makes(str(tmp_path), 3))  # its failure is not told again


def test_nothing_of_a_run_stays(tmp_path):
    loggers = [logging.getLogger(name) for name in ("luigi", "luigi-interface")]
    config = get_config()

    def state():
        handlers = {
            kind: [set(found) for found in kinds.values()]
            for kind, kinds in luigi.Task._event_callbacks.items()
        }
        return (
            [(logger.propagate, list(logger.handlers)) for logger in loggers],
            config.get("core", "no_configure_logging", None),
            InterfaceLogging._configured,
            handlers.get(luigi.Task, []),
        )

    build(Makes(str(tmp_path), 0))
    before = state()
    build(Makes(str(tmp_path), 1))
    assert state() == before


def test_a_thread_makes_tasks_and_sets_no_signals(tmp_path):
    before = signal.getsignal(signal.SIGUSR1)
    thread = threading.Thread(target=build, args=[Makes(str(tmp_path), 0)], name="other")
    thread.start()
    thread.join()
    assert (tmp_path / "0").read_text() == "other"
    assert signal.getsignal(signal.SIGUSR1) == before


class MakesSlowly(Makes):
    """A task that two of cannot be made at once."""

    at_work = 0

    def run(self):
        assert MakesSlowly.at_work == 0, "another thread is at work"
        MakesSlowly.at_work += 1
        time.sleep(0.2)
        MakesSlowly.at_work -= 1
        super().run()


def test_threads_wait_for_each_other(tmp_path):
    failures = []

    def make(number):
        try:
            build(MakesSlowly(str(tmp_path), number))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=make, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {path.name for path in tmp_path.iterdir()} == {"0", "1", "2"}
