"""The reference of all options, for the docs and as a commented configuration.

``python -m region_grower_flow.options.documents`` writes ``docs/reference/options.rst`` and
``configs/all_options.cfg`` in the current folder's checkout, from the options' own descriptions.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

from region_grower_flow.options import GROUPS
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Option

SECTION = "region_grower_flow"
"""The section of the configuration that all tasks share."""

WIDTH = 98


def described() -> list[tuple[type[Group], dict[str, Option]]]:
    """[(group, {name: option})]: each name once, in the first group that has it."""
    seen: set[str] = set()
    found: list[tuple[type[Group], dict[str, Option]]] = []
    for group in GROUPS:
        own = {name: option for name, option in group.DECLARED.items() if name not in seen}
        seen |= own.keys()
        found.append((group, own))
    return found


def default_of(option: Option) -> str | None:
    """The default as text: empty for none, None where a value must be given."""
    return None if option.required else option.text(option.default)


def reference() -> str:
    """The page of the docs (reStructuredText)."""
    lines = [
        "Options",
        "=======",
        "",
        "All options of the tasks, for the section ``[region_grower_flow]`` of a configuration,",
        "and as ``--option-with-dashes`` on the command line. Made from the options' own",
        "descriptions by ``python -m region_grower_flow.options.documents``.",
        "",
    ]
    for group, own in described():
        title = (group.__doc__ or group.__name__).strip().splitlines()[0].rstrip(".")
        lines += [title, "-" * len(title), ""]
        for name, option in own.items():
            text = f"{_described(option)} {_default_in_words(option)}"
            lines += [f"``{name}``", textwrap.indent(textwrap.fill(text, WIDTH - 4), "    "), ""]
    return "\n".join(lines)


def configuration() -> str:
    """A configuration with every option, commented out at its default."""
    lines = [
        "# Every option of the tasks with its description and default, commented out. Copy what",
        '# you need. Made by "python -m region_grower_flow.options.documents"; runnable',
        "# configurations are beside it.",
        "",
        f"[{SECTION}]",
    ]
    for group, own in described():
        title = (group.__doc__ or group.__name__).strip().splitlines()[0]
        lines += ["", f"# {title}".upper()]
        for name, option in own.items():
            text = _described(option)
            lines += ["", textwrap.fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ")]
            default = default_of(option)
            lines.append(f"#{name} = {default or ''}".rstrip())
    return "\n".join([*lines, ""])


def _described(option: Option) -> str:
    text = re.sub(r"\s+", " ", option.help).strip().rstrip(".")
    return f"{text}."


def _default_in_words(option: Option) -> str:
    default = default_of(option)
    if default is None:
        return "Must be given."
    return f"Default: ``{default}``." if default else "Default: none."


def main() -> int:
    """Write both files below the current folder."""
    Path("docs/reference/options.rst").write_text(reference(), encoding="utf-8")
    Path("configs/all_options.cfg").write_text(configuration(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
