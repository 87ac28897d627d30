"""The reference of all options, for the docs and as a commented configuration.

``python -m region_grower_flow.tasks.reference`` writes ``docs/reference/options.rst`` and
``configs/all_options.cfg`` in the current folder's checkout, from the options' own descriptions.
"""

import re
import sys
import textwrap
from pathlib import Path

from region_grower_flow.tasks.options import (
    calibration,
    placement,
    report,
    synthesis,
    validation,
    work,
)
from region_grower_flow.tasks.options.types import SECTION, Option

GROUPS = (
    work.WorkOptions,
    calibration.CalibrationOptions,
    calibration.ReferenceOptions,
    calibration.ParameterOptions,
    calibration.FitOptions,
    synthesis.AtlasOptions,
    synthesis.GrowthOptions,
    synthesis.SynthesisOptions,
    synthesis.OutputOptions,
    synthesis.VacuumOptions,
    validation.ValidationOptions,
    report.ReportOptions,
    report.CollageOptions,
    report.SynthesisReportOptions,
    report.ReportChoice,
    placement.PlacementOptions,
    placement.PlanesOptions,
    placement.SliceOptions,
    placement.AxonChoiceOptions,
)
WIDTH = 98


def own_options(group):
    """{name: option} of those that a group itself declares, in its order."""
    found = {name: value for name, value in vars(group).items() if isinstance(value, Option)}
    return dict(sorted(found.items(), key=lambda item: item[1]._counter))


def described():
    """[(group, {name: option})]: each name once, in the first group that has it."""
    seen, found = set(), []
    for group in GROUPS:
        own = {name: option for name, option in own_options(group).items() if name not in seen}
        seen |= own.keys()
        found.append((group, own))
    return found


def default_of(option):
    """The default as text: empty for none, None where a value must be given."""
    value = option._default
    if value is None:
        return ""
    if not isinstance(value, str | int | float | tuple):
        return None
    return str(value).lower() if isinstance(value, bool) else option.serialize(value)


def reference():
    """The page of the docs (reStructuredText)."""
    lines = [
        "Options",
        "=======",
        "",
        "All options of the tasks, for the section ``[region_grower_flow]`` of a configuration,",
        "and as ``--option-with-dashes`` on the command line. Made from the options' own",
        "descriptions by ``python -m region_grower_flow.tasks.reference``.",
        "",
    ]
    for group, own in described():
        title = (group.__doc__ or group.__name__).strip().splitlines()[0].rstrip(".")
        lines += [title, "-" * len(title), ""]
        for name, option in own.items():
            text = f"{_described(option)} {_default_in_words(option)}"
            lines += [f"``{name}``", textwrap.indent(textwrap.fill(text, WIDTH - 4), "    "), ""]
    return "\n".join(lines)


def configuration():
    """A configuration with every option, commented out at its default."""
    lines = [
        "# Every option of the tasks with its description and default, commented out. Copy what",
        '# you need. Made by "python -m region_grower_flow.tasks.reference"; runnable',
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


def _described(option):
    text = re.sub(r"\s+", " ", option.description or "").strip().rstrip(".")
    return f"{text}."


def _default_in_words(option):
    default = default_of(option)
    if default is None:
        return "Must be given."
    return f"Default: ``{default}``." if default else "Default: none."


def main():
    """Write both files below the current folder."""
    Path("docs/reference/options.rst").write_text(reference(), encoding="utf-8")
    Path("configs/all_options.cfg").write_text(configuration(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
