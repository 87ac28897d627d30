"""The options of commands, made of the groups that the options are declared in."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

import region_grower_flow
from region_grower_flow import layout
from region_grower_flow.cli.running import INVALID
from region_grower_flow.options import kinds
from region_grower_flow.options.former import former_options
from region_grower_flow.options.group import declared

if TYPE_CHECKING:
    from region_grower_flow.options.group import Group
    from region_grower_flow.options.kinds import Option
    from region_grower_flow.tasks.base import FlowTask


FLAGS = {"worker_log_level": ("--log-level",)}
"""Flags of region-grower that differ from the names of the options, in all commands."""

CALIBRATION_FLAGS = {
    "diametrizer_config": ("-dc", "--diametrizer-config"),
    "morphologies_ext": ("-e", "--ext"),
}
PARAMETER_FLAGS = {
    "base_parameters": ("-tp", "--tmd-parameters"),
    "generated_parameters": ("-pf", "--parameter-filename"),
    **CALIBRATION_FLAGS,
}
DISTRIBUTION_FLAGS = {
    "extracted_distributions": ("-df", "--distribution-filename"),
    "processes": ("--nb-processes",),
    **CALIBRATION_FLAGS,
}


class TaskCommand(click.Command):
    """A command whose options are those of groups, with a heading for each group in its help.

    Args:
        groups: the groups.
        flags: {option: (flags of the command)} of those that are not named like their options.
        without: names of options that the command does not have.
        arguments: names of options that are positional.
        defaults: {option: what help says of the command's own default}.
        others: options that stand for those of the groups with the same names, or beside them.
    """

    def __init__(
        self,
        *args: Any,
        groups: Sequence[type[Group]],
        flags: Mapping[str, tuple[str, ...]] | None = None,
        without: Collection[str] = (),
        arguments: Sequence[str] = (),
        defaults: Mapping[str, str] | None = None,
        others: Iterable[Option] = (),
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.groups, self._own = groups, list(self.params)
        flags = {**FLAGS, **(flags or {})}
        defaults = {"work_dir": "beside the output", **(defaults or {})}
        found = {**declared(groups), **{option.name: option for option in others}}
        self.params = [click.Argument([name], required=True) for name in arguments]
        found = {name: o for name, o in found.items() if name not in (*without, *arguments)}
        for name, option in found.items():
            own = flags.get(name, (_flag(name),))
            self.params.append(click_option(option, own, defaults.get(name)))
        for name, option in former_options(found).items():
            self.params.append(click_option(option, (_flag(name),), hidden=True))
        self.params += self._own

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, by group."""
        shown: set[str] = set()
        for group in self.groups:
            names = group.DECLARED.keys() - shown
            shown |= names
            self._format(ctx, formatter, group.TITLE, names)
        others = {str(p.name) for p in self.get_params(ctx)} - shown
        self._format(ctx, formatter, "Other", others)

    def _format(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
        title: str,
        names: Collection[str],
    ) -> None:
        records = [p.get_help_record(ctx) for p in self.get_params(ctx) if p.name in names]
        if any(records):
            with formatter.section(title):
                formatter.write_dl([record for record in records if record])


def task_class(name: str) -> type[FlowTask]:
    """The class of a task; ends the process when Luigi cannot read its configuration."""
    try:
        return getattr(region_grower_flow, name)
    except (configparser.Error, UnicodeDecodeError) as error:  # Luigi reads it when it is loaded
        if isinstance(error, UnicodeDecodeError) and error.encoding != "utf-8":
            raise  # the encoding of the locale: commands.Commands says what to set
        path = os.environ.get("LUIGI_CONFIG_PATH", "luigi.cfg")
        click.echo(f"{path}: cannot be parsed ({' '.join(str(error).split())}).", err=True)
        sys.exit(INVALID)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def click_option(
    option: Option, flags: Iterable[str], default: str | None = None, hidden: bool = False
) -> click.Option:
    """An option of a command.

    Args:
        option: its declaration.
        flags: those of the command.
        default: what help says of the default, None for that of the declaration.
        hidden: whether help does not show it.
    """
    settings: dict[str, Any] = {
        "help": _help(option, default), "required": option.required, "hidden": hidden
    }  # fmt: skip
    if isinstance(option, kinds.Switch):
        settings.update(is_flag=True, default=False)
    elif isinstance(option, kinds.Extensions):
        settings.update(
            multiple=True, type=click.Choice(sorted(layout.MORPHOLOGY_EXTENSIONS, reverse=True))
        )
    elif isinstance(option, kinds.Choice):
        settings.update(type=click.Choice(option.words))
    elif isinstance(option, kinds.Whole):
        settings.update(type=int)
    elif isinstance(option, kinds.Number):
        settings.update(type=float)
    return click.Option([*flags, option.name], **settings)


def _help(option: Option, default: str | None) -> str:
    """The description of an option, with its default where that can be told."""
    text = option.description
    if default is not None:
        text = text.removesuffix(" (in the work folder)")
    elif option.required or isinstance(option.default, bool):
        return text
    else:
        default = option.text(option.default)
    return f"{text} (default: {default})" if default else text
