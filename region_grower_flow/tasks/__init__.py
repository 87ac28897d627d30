"""The Luigi tasks: one module per stage. All are loaded together: Luigi then knows their names."""

import importlib

from luigi.configuration import get_config

from region_grower_flow import TASKS
from region_grower_flow.runtime.processes import open_streams

EXIT_CODES = {
    "already_running": 10,
    "missing_data": 20,
    "not_run": 25,
    "task_failed": 30,
    "scheduling_error": 35,
    "unhandled_exception": 40,
}
"""Exit codes of the command ``luigi`` where the configuration says nothing: Luigi's own are 0, even
for a run that failed, so that a script would go on."""


def _tell_failures(config):
    # At import: Luigi reads these after it has imported the module that --module names, and before
    # it makes the first task.
    for name, code in EXIT_CODES.items():
        if not config.has_option("retcode", name):
            config.set("retcode", name, str(code))


open_streams()
_tell_failures(get_config())
for _module in sorted(set(TASKS.values())):
    importlib.import_module(f"{__name__}.{_module}")
