"""How cells of tests end or stall the process that grows them."""

import os
import signal
import time


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def segfault():
    os.kill(os.getpid(), signal.SIGSEGV)


def hang():
    """Hang as compiled code does: no Python code runs, no signal handler."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(1000)


def loop():
    """Hang in Python code."""
    while True:
        time.sleep(0.01)


def note(journal, line):
    """Append a line to a file that several processes write."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)
