"""The Luigi tasks: one module per stage. All are loaded together: Luigi then knows their names."""

import importlib
from typing import Any

from luigi.configuration import get_config
from luigi.interface import core

from region_grower_flow import TASKS
from region_grower_flow.runtime.processes import open_streams
from region_grower_flow.tasks.interrupts import end_in_one_line, is_luigi_command

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


RETRIES = {"rpc_retry_attempts": 3, "rpc_retry_wait": 2}
"""Tries to reach a central scheduler, and seconds between them, where the configuration says
nothing: Luigi's own cost a minute and a half each time, when it has gone."""


def _set_defaults(config: Any) -> None:
    # At import: Luigi reads these after it has imported the module that --module names, and before
    # it makes the first task.
    for section, options in (("retcode", EXIT_CODES), ("core", RETRIES)):
        for name, value in options.items():
            if not config.has_option(section, name):
                config.set(section, name, str(value))


open_streams()
_set_defaults(get_config())
# Luigi reads these where it uses them, and would warn that its section core does not declare them.
core.ignore_unconsumed.update(RETRIES)
if is_luigi_command():
    end_in_one_line()
for _module in sorted(set(TASKS.values())):
    importlib.import_module(f"{__name__}.{_module}")
