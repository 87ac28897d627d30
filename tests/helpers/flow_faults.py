"""Runs of whole flows that are killed, and what they leave: processes, files, cells grown twice."""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import h5py

from helpers.flow_factory import COMMAND, LUIGI, environment
from helpers.forked import run_forked
from helpers.marked_processes import MARK, marked_processes, send

HERE = Path(__file__).parent

LUIGI_TASK = ("--module", "region_grower_flow", "SynthesizeMorphologies")


@dataclass
class Faults:
    """Starts a flow's processes with a mark in their environment, and cells that are odd.

    Attributes:
        flow: the Flow.
        mark: of all processes that are started.
        odd: {row: behavior}, see ``odd_cells/sitecustomize.py``.
        seconds: of each cell.
        slow: {"module:function": seconds} that calls wait before they begin.
    """

    flow: object
    mark: str
    odd: dict = field(default_factory=dict)
    seconds: float = 0.0
    slow: dict = field(default_factory=dict)

    def environment(self):
        inherited = filter(None, [os.environ.get("PYTHONPATH")])
        content = {
            "seconds": self.seconds,
            "journal": str(self.journal_path),
            "odd": self.odd,
            "slow": self.slow,
        }
        return {
            **environment(),
            MARK: self.mark,
            "PYTHONPATH": os.pathsep.join([str(HERE / "odd_cells"), str(HERE.parent), *inherited]),
            "RGF_TEST_ODD": json.dumps(content),
        }

    def start(self, *arguments, command=None, prepare=lambda: None):
        """Start luigi (or another command) in a session of its own; returns the Popen.

        ``prepare`` is called in the new process.
        """

        def before():
            # Shells let the processes that they start in the background ignore it.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            prepare()

        self.flow.write_cfg()
        words = command or [LUIGI, *LUIGI_TASK, *arguments]
        with open(self.log_path, "ab") as log:
            return subprocess.Popen(
                [str(word) for word in words],
                cwd=self.flow.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=before,
            )

    def run(self, *arguments, command=None, prepare=None, timeout=120):
        """Run luigi (or another command) to the end; returns (exit code, all that was printed)."""
        if prepare is not None:
            self.log_path.unlink(missing_ok=True)
            process = self.start(*arguments, command=command, prepare=prepare)
            return process.wait(timeout), self.text
        self.flow.write_cfg()
        words = command or [LUIGI, *LUIGI_TASK, *arguments]
        process = run_forked(words, self.flow.folder, self.environment(), timeout)
        return process.returncode, process.stdout + process.stderr

    def run_to_end(self, *arguments, **options):
        code, text = self.run(*arguments, **options)
        assert code == 0, text
        return text

    def region_grower_flow(self):
        """The words of region-grower-flow with the flow's options."""
        from helpers.bad.harness import arguments_of

        return [COMMAND, "synthesize-morphologies", *arguments_of(self.flow.options)]

    @property
    def journal_path(self):
        return self.flow.folder.with_name("journal")

    @property
    def log_path(self):
        return self.flow.folder.with_name("log")

    @property
    def text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def journal(self):
        """The rows that were begun, in order, repeated ones included."""
        path = self.journal_path
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def wait_for_slow_calls(self, count, process, seconds=60):
        """Wait until so many calls of slow functions have begun."""
        path = self.journal_path.with_name("journal.slow")
        deadline = time.monotonic() + seconds
        while not path.exists() or path.read_text().count("\n") < count:
            assert process.poll() is None, self.text[-3000:]
            assert time.monotonic() < deadline, self.text[-3000:]
            time.sleep(0.01)

    def processes(self):
        """{kind: [pid]} of the living processes of the flow."""
        found = {"luigi": [], "mpiexec": [], "rank": [], "other": []}
        for pid, command in marked_processes(self.mark).items():
            found[_kind(command)].append(pid)
        return found

    def kill_all(self, number):
        """Send a signal to every process of the flow at once."""
        send(marked_processes(self.mark), number)

    def wait_for_cells(self, count, process, seconds=60):
        """Wait until so many cells have been begun, or the process has ended."""
        deadline = time.monotonic() + seconds
        while len(self.journal()) < count and process.poll() is None:
            assert time.monotonic() < deadline, self.text[-3000:]
            time.sleep(0.01)


def _kind(command):
    if "--expected-ranks" in command:
        first = command.split()[0]
        return "mpiexec" if "mpiexec" in first or "hydra" in first else "rank"
    if "hydra" in command:
        return "mpiexec"
    return "luigi" if "luigi" in command or "region-grower-flow" in command else "other"


def results_of(flow):
    """All that the user gets, without times: {name: content}."""
    found = {f"morphologies/{name}": data for name, data in flow.morphologies().items()}
    for name in ("apical.yaml", "nodes_ids.csv"):
        found[name] = flow.path("out", name).read_bytes()
    with h5py.File(flow.path("out", "nodes.h5")) as file:
        found["nodes.h5"] = tables_of(file)
    summary = flow.summary
    found["summary"] = {name: summary[name] for name in ("cells", "mtypes", "attempts")}
    return found


def tables_of(file):
    """{path: values} of all datasets of an HDF5 file."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tolist() if item.shape else item[()]

    file.visititems(visit)
    return found


def temporaries(folder):
    """The files below a folder that are not complete."""
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob(".tmp-*"))
