"""Runs a flow with bad inputs in this process, by the command line's own code, and looks around."""

import contextlib
import ctypes
import hashlib
import json
import logging
import os
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import luigi
import pytest
from click.testing import CliRunner

from helpers.flow_factory import Flow
from helpers.sentences import says

TRACEBACK = "Traceback (most recent call last)"


@dataclass(frozen=True)
class Bad:
    """One way to be wrong.

    Attributes:
        name: what it is called.
        spoil: a function that spoils a fresh Flow, its files or its options.
        words: what the message must tell, all of it (of a tuple: one of them), each in one line:
            "place | key | value | hint", see helpers/sentences.py.
        base: the kind of flow that is spoilt: "plain", "meshes", "axons" or "calibration".
        slow: left to the slow tests.
        humble: run without the right of root to read and write everything.
    """

    name: str
    spoil: object
    words: tuple
    base: str = "plain"
    slow: bool = False
    humble: bool = False


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
            choices = word if isinstance(word, tuple) else (word,)
            found = any(says(self.text, choice) for choice in choices)
            assert found, f"{word!r} is not in:\n{self.text}"
        assert self.changed == []


def synthesize(flow, command="synthesize-morphologies", humble=False):
    """Run the command with the flow's options, in its folder and in this process (or a fork)."""
    before = snapshot(flow.folder.parent)
    code, text = (_in_a_humble_fork if humble else _run)(flow, command)
    return Outcome(code, text, changes(before, snapshot(flow.folder.parent)))


def _run(flow, command):
    luigi.task_register.Register.clear_instance_cache()
    log = _Log()
    with pytest.MonkeyPatch.context() as patch, log.attached():
        patch.chdir(flow.folder)
        result = CliRunner().invoke(_main(), [command, *arguments_of(flow.options)])
    text = result.output + log.text
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        text += "".join(traceback.format_exception(result.exception))
    return result.exit_code, text


def _in_a_humble_fork(flow, command):
    """Root reads and writes whatever the permissions say: a fork gives that right away."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _give_rights_away()
            answer = _run(flow, command)
        except BaseException:
            answer = (-1, traceback.format_exc())
        with open(writer, "w", encoding="utf-8") as pipe:
            json.dump(answer, pipe)
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as pipe:
        answer = json.load(pipe)
    os.waitpid(child, 0)
    return answer


def _give_rights_away():
    """Drop CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH (Linux) for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    rights = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, rights) == 0
    for kind in range(3):
        rights[kind] &= ~0b110
    assert libc.capset(header, rights) == 0


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
    """The differences between two snapshots."""
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
