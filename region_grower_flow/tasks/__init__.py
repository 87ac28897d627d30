"""The Luigi tasks: one module per stage. All are loaded together: Luigi then knows their names."""

import importlib

from region_grower_flow import TASKS

for _module in sorted(set(TASKS.values())):
    importlib.import_module(f"{__name__}.{_module}")
