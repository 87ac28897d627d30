"""The command line itself: its groups of commands, and what several of them share."""

from __future__ import annotations

import errno
import gc
import os
import sys
from pathlib import Path
from typing import Any

import click

from region_grower_flow import __version__
from region_grower_flow.cli.running import FAILED, INVALID
from region_grower_flow.errors import InvalidInput
from region_grower_flow.options import Execution, Growth, Model, Outputs, Reference, Space, Work
from region_grower_flow.runtime.processes import end_of_output, open_streams

SYNTHESIS = (Space, Reference, Model, Growth, Outputs, Execution, Work)
"""The groups of a synthesis, in the order of its help."""


NEW_OBJECTS = 200_000
"""Objects made before Python looks for garbage among them, as in mypy: to look at every 700, as it
does by itself, takes a tenth of the time of a command's imports, which leave none."""

UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT)
"""Errors of a standard output that takes no more."""
KINDS = {
    "Your own data": ("init", "run", "validate", "report", "status", "clean", "migrate"),
    "As in region-grower": (
        "generate-distributions",
        "generate-parameters",
        "synthesize-morphologies",
    ),
    "Cells that are there": ("plot", "reproduce"),
    "Machines and clusters": ("doctor", "plan-pieces", "make-piece"),
}
"""{heading: commands} of the help, those of a first day first."""


class Commands(click.Group):
    """Commands that help lists by what they are for."""

    def main(self, *arguments: Any, **keywords: Any) -> Any:
        """Run as click does; a standard stream that takes no more is a sentence."""
        gc.set_threshold(NEW_OBJECTS)
        try:
            return super().main(*arguments, **keywords)
        except OSError as error:
            if error.errno not in UNWRITABLE or error.filename is not None:
                raise
            end_of_output(error)
            sys.exit(FAILED)
        except UnicodeDecodeError as error:
            if error.encoding == "utf-8":
                raise
            # Luigi reads luigi.cfg in the encoding of the locale, when it is imported.
            hint = "set LC_ALL=C.UTF-8 or PYTHONUTF8=1"
            problem = f"is no text in the encoding of the locale ({error.encoding})"
            click.echo(str(InvalidInput(problem, "luigi.cfg", hint)), err=True)
            sys.exit(INVALID)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, by kind."""
        for heading, names in KINDS.items():
            rows = [(name, self.commands[name].get_short_help_str(60)) for name in names]
            with formatter.section(heading):
                formatter.write_dl(rows)


@click.group(cls=Commands)
@click.version_option(__version__)
def main() -> None:
    """Grow neurons into a brain atlas.

    \b
    Example:
      region-grower-flow init --cells nodes.h5 --atlas atlas/ --morphologies dend/
      region-grower-flow run flow.cfg --limit 50
    """
    open_streams()


def enter(flow: str) -> Path:
    """The configuration that is named, in the folder that it is in: paths in it start from there.

    Args:
        flow: its path, or a folder with a flow.cfg.
    """
    path = Path(os.path.expanduser(flow))
    if path.is_dir():
        path = path / "flow.cfg"
    if path.parent != Path(".") and path.parent.is_dir():
        click.echo(f"In {path.parent}:")
        os.chdir(path.parent)
        path = Path(path.name)
    return path


def agreed(question: str, default: bool = False) -> bool:
    """True when somebody answers yes; False where nobody is there to answer."""
    try:
        return click.confirm(question, default=default)
    except click.Abort:
        return False


def names(mtypes: str | None) -> list[str]:
    """The mtypes of an option, which has commas between them."""
    return [name.strip() for name in (mtypes or "").split(",") if name.strip()]
