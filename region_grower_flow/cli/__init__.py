"""The command line: region-grower's commands, as thin ways to run the tasks."""

from region_grower_flow.cli import beginning, looking  # noqa: F401 (their commands)
from region_grower_flow.cli.commands import main

__all__ = ["main"]
