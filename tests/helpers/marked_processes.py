"""The processes that a test has started, found by a mark in their environment."""

import contextlib
import os
import time
from pathlib import Path

MARK = "RGF_TEST_MARK"
"""The environment variable with the mark of a test."""


def marked_processes(value):
    """{pid: command line} of the other living processes with this mark."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if f"{MARK}={value}".encode() in (folder / "environ").read_bytes():
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                if state not in "ZX":
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(folder.name)] = command
        except OSError:
            continue
    return found


def wait_until_gone(value, seconds=10.0):
    """Wait until no marked process is left; returns the seconds, fails after ``seconds``."""
    start = time.monotonic()
    while left := marked_processes(value):
        assert time.monotonic() - start < seconds, f"left behind: {left}"
        time.sleep(0.02)
    return time.monotonic() - start


def send(pids, number):
    """Send a signal to processes, some of which may have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
