"""Make the reference of all options: a page, and a commented configuration.

``python docs/make_options.py`` writes ``docs/reference/options.rst`` and
``configs/all_options.cfg`` from the options' own descriptions.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from region_grower_flow.options import GROUPS, SECTION
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Option

ROOT = Path(__file__).resolve().parents[1]
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
        "descriptions by ``python docs/make_options.py``.",
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
        '# you need. Made by "python docs/make_options.py"; runnable configurations are beside it.',
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


def files() -> dict[Path, str]:
    """{file: its content} of all that is made."""
    return {
        ROOT / "docs/reference/options.rst": reference(),
        ROOT / "configs/all_options.cfg": configuration(),
    }


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
