"""Runs a flow with bad inputs in this process, by the command line's own code, and looks around."""

import contextlib
import hashlib
import logging
import os
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import luigi
from click.testing import CliRunner
from flow_factory import Flow

TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Bad:
    """One way to be wrong.

    Attributes:
        name: what it is called.
        spoil: a function that spoils a fresh Flow, its files or its options.
        words: texts that the message must hold, all of them.
        base: the kind of flow that is spoilt: "plain", "meshes", "axons" or "calibration".
        slow: left to the slow tests.
    """

    name: str
    spoil: object
    words: tuple
    base: str = "plain"
    slow: bool = False


@dataclass
class Outcome:
    """How a run ended: exit code, all that was printed or logged, files that changed."""

    code: int
    text: str
    changed: list = field(default_factory=list)

    def assert_refused(self, words=()):
        assert self.code == 2, (self.code, self.text)
        assert TRACEBACK not in self.text, self.text
        for word in words:
            assert word in self.text, f"{word!r} is not in:\n{self.text}"
        assert self.changed == []


def synthesize(flow, command="synthesize-morphologies"):
    """Run the command with the flow's options, in its folder and in this process."""
    before = snapshot(flow.folder.parent)
    luigi.task_register.Register.clear_instance_cache()
    log = _Log()
    with contextlib.chdir(flow.folder), log.attached():
        result = CliRunner().invoke(_main(), [command, *arguments_of(flow.options)])
    text = result.output + log.text
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        text += "".join(traceback.format_exception(result.exception))
    return Outcome(result.exit_code, text, changes(before, snapshot(flow.folder.parent)))


def arguments_of(options):
    """The options of a configuration as arguments of the command."""
    words = []
    for name, value in options.items():
        flag = "--" + {"worker_log_level": "log-level"}.get(name, name.replace("_", "-"))
        if value is True or value == "true":
            words.append(flag)
        elif name == "out_morph_ext":
            for extension in str(value).split(","):
                words += [flag, extension]
        else:
            words += [flag, str(value)]
    return words


def snapshot(folder):
    """{path: what is there} of all that is below a folder."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(root, name)
            found[str(path.relative_to(folder))] = _state(path)
    return found


def changes(before, after):
    """What differs between two snapshots."""
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def _state(path):
    if path.is_symlink():
        return "link", os.readlink(path)
    if path.is_dir():
        return ("folder",)
    if not path.is_file():
        return ("special",)
    if not os.access(path, os.R_OK):
        return "secret", path.stat().st_size
    return "file", hashlib.sha256(path.read_bytes()).hexdigest()


def _main():
    from region_grower_flow.cli import main

    return main


class _Log(logging.Handler):
    """All that is logged, with its tracebacks."""

    def __init__(self):
        super().__init__()
        self.lines = []
        self.setFormatter(logging.Formatter("%(message)s"))

    @property
    def text(self):
        return "\n".join(self.lines)

    def emit(self, record):
        self.lines.append(self.format(record))

    @contextlib.contextmanager
    def attached(self):
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)


def copied(flow, folder):
    """A flow of its own with the same inputs."""
    import shutil

    shutil.copytree(flow.folder, folder, symlinks=True)
    return Flow(Path(folder), dict(flow.options))
