"""The command line: region-grower's commands, as thin ways to run the tasks."""

from region_grower_flow.cli import (  # noqa: F401 (their commands)
    beginning,
    growing,
    looking,
    machines,
    runs,
)
from region_grower_flow.cli.commands import main

__all__ = ["main"]
