"""Program: ``python run_module.py MODULE ...`` is ``python -m MODULE ...``, but for one thing.

The current folder is not looked into: a user's ``queue.py`` or ``random.py`` there would take the
place of Python's own (``python -P`` does the same, from Python 3.11 on). A checkout without an
installation finds itself from everywhere.
"""

import sys

if __name__ == "__main__":
    # Before any other import: the folder of this file, whose modules have common names too.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]

    import runpy
    from pathlib import Path

    sys.path.append(str(Path(__file__).resolve().parents[2]))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
