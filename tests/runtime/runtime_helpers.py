"""What the runtime's tests share: processes left behind, journals and files of fake cells."""

import contextlib
import os
import time
from pathlib import Path

HERE = Path(__file__).parent
MARK = "RGF_TEST_MARK"


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


def orphaned_memory():
    """The shared memory of MPICH that no process has open."""
    names = {str(path) for path in Path("/dev/shm").glob("mpich_shm_*")}
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            names -= {line.split()[-1] for line in maps.read_text().splitlines()}
    return names


def journal(plan):
    """The rows that were begun, in order, repeated ones included."""
    path = Path(plan.settings["journal"])
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def files(plan):
    """{name: content} of the cells' files."""
    folder = Path(plan.settings["folder"])
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}
