"""Runs the flow's commands in forks of one process that has imported what they import.

A process of luigi or region-grower-flow takes two seconds before it begins, and the tests run
hundreds of them. In a fork everything else is as in a process of its own: the entry point, its
arguments, folder, environment and output, its end and its exit code. Tests of the processes
themselves (kills, locks, ranks, the web UI) start real ones.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path

from helpers.marked_processes import MARK

SERVER = Path(__file__).with_name("fork_server.py")


class _Server:
    """The process that forks: started at the first command, it ends with the tests."""

    def __init__(self):
        self._process = None

    def run(self, request, timeout):
        """Let a fork do what is asked; returns its exit code, as of subprocess.

        Raises:
            subprocess.TimeoutExpired: it has not ended in time, and is killed.
        """
        if self._process is None:
            self._process = self._start()
        print(json.dumps(request), file=self._process.stdin, flush=True)
        ready, _, _ = select.select([self._process.stdout], [], [], timeout)
        if not ready:
            self._process.kill()  # its fork dies with it
            self._process = None
            raise subprocess.TimeoutExpired(request["words"], timeout)
        return int(self._process.stdout.readline())

    @staticmethod
    def _start():
        # It outlives the test that starts it, and its mark.
        environment = {k: v for k, v in os.environ.items() if k != MARK}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        # In the root folder: Luigi reads a luigi.cfg of its folder when it is imported.
        return subprocess.Popen([sys.executable, SERVER], cwd="/", env=environment, **pipes)


_server = _Server()


def run_forked(command, folder, environment, timeout):
    """Run a command like ``subprocess.run`` with text output, in a fork of the server.

    Args:
        command: its words; the first one is the path of ``luigi`` or ``region-grower-flow``.
        folder: in which it runs.
        environment: all of its environment variables.
        timeout: seconds.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryDirectory() as scratch:
        out, err = Path(scratch, "out"), Path(scratch, "err")
        request = {"words": words, "folder": str(folder), "environment": environment}
        code = _server.run({**request, "out": str(out), "err": str(err)}, timeout)
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())
