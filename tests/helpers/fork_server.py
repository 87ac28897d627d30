"""The process behind ``forked.run_forked``: it imports what the commands need, then forks for each.

Its input is one JSON object per line: the words, folder and environment of a command, and the files
for its output. Its answers are exit codes, negative for signals, one per line.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import importlib.util
import json
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path

IMPORTED = (
    "luigi.cmdline",
    "morphio.mut",
    "neurots",
    "pandas",
    "region_grower_flow.cli",
    "region_grower_flow.tasks",
    "scipy.stats",
    "trimesh",
    "voxcell",
)
"""Modules that most commands import sooner or later."""

ROOMS = (
    "atlas",
    "calibration",
    "cell",
    "checks",
    "engine",
    "io",
    "placement",
    "record",
    "report",
    "runtime",
    "space",
    "stages",
    "start",
    "validation",
)
"""Rooms whose modules most commands import, one after the other."""


def serve():
    """Answer requests by forks, until the input ends."""
    from region_grower_flow import engine
    from region_grower_flow.record import fingerprint

    for name in (*IMPORTED, *modules_of_rooms()):
        importlib.import_module(name)
    engine.warm_up()
    fingerprint.package_versions()
    build_parser = remember_parsers()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    gc.freeze()  # or every fork would copy all memory to look for garbage
    for line in sys.stdin:
        request = json.loads(line)
        if "--module" in request["words"]:
            build_parser()
            task = request["words"].index("--module") + 2
            build_parser(root_task=request["words"][task], help_all=False)
        child = os.fork()
        if child == 0:
            answers.close()
            os._exit(run_to_end(become(request)))
        _, status = os.waitpid(child, 0)
        # The tests may have given up, and be gone.
        with contextlib.suppress(BrokenPipeError):
            print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def modules_of_rooms():
    """The names of the modules of the rooms that most commands need."""
    import region_grower_flow

    for room in ROOMS:
        folder = Path(region_grower_flow.__path__[0], room)
        for path in sorted(folder.glob("*.py")):
            yield f"region_grower_flow.{room}.{path.stem}"


def remember_parsers():
    """Let Luigi build its parsers of all options of all tasks once: it does nine times per run.

    Returns:
        the function that builds one, or remembers it, by the keywords that Luigi uses.
    """
    from luigi.cmdline_parser import CmdlineParser

    remembering = functools.cache(CmdlineParser._build_parser)
    CmdlineParser._build_parser = staticmethod(remembering)
    return remembering


def become(request):
    """Take on the folder, environment and output of a request; returns its entry point."""
    from luigi.configuration import LuigiConfigParser

    from region_grower_flow.runtime.processes import die_with_parent

    die_with_parent(signal.SIGKILL)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, path in enumerate((os.devnull, request["out"], request["err"])):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    if os.environ.get("PYTHONWARNINGS") == "ignore":
        warnings.simplefilter("ignore")
    _heed_python_path()
    LuigiConfigParser.reload()
    sys.argv = request["words"]
    return _entry_point(Path(sys.argv[0]).name)


def _heed_python_path():
    """Do what Python does with PYTHONPATH when it starts."""
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.modules.pop("sitecustomize", None)
    if importlib.util.find_spec("sitecustomize"):
        importlib.import_module("sitecustomize")


def _entry_point(name):
    if name == "luigi":
        from luigi.cmdline import luigi_run

        # Its default argument is what sys.argv was at the import.
        return lambda: luigi_run(sys.argv[1:])
    from region_grower_flow.cli import main

    return main


def run_to_end(function):
    """Do what Python does with a script, but for freeing all memory; returns the exit code."""
    code = 0
    try:
        function()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        code = traceback.format_exc()
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    serve()
