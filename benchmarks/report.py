"""Tables for the terminal, and all figures as JSON."""

import json
import os
import platform
from pathlib import Path


def table(header, rows):
    """Lines of a table with its columns aligned, numbers to the right."""
    cells = [list(map(_text, row)) for row in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        first = row[0].ljust(widths[0])
        rest = [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([first, *rest]).rstrip())
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _text(value):
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def compute_lines(results):
    """The table of CPU per cell, and the profile of each scenario."""
    names = ("ours ms", "of which system", "reference ms", "ratio", "cells", "points", "points/s")
    header = ("CPU per cell", *names)
    rows = [
        (
            r["scenario"],
            1e3 * r["ours"],
            1e3 * r["ours_system"],
            1e3 * r["reference"] if "reference" in r else None,
            r.get("ratio"),
            r["cells"],
            int(r["points_per_cell"]),
            r["points_per_second"],
        )
        for r in results
    ]
    return table(header, rows)


def profile_lines(results):
    """Where the time of a cell goes, in percent, by scenario."""
    stages = list(dict.fromkeys(s for r in results for s in r["profile"]["shares"]))
    rows = [
        (r["scenario"], *(_percent(r["profile"]["shares"].get(stage)) for stage in stages))
        for r in results
    ]
    return table(("share of a cell (%)", *stages), rows)


def function_lines(result, most=8):
    """The functions with the most time of their own."""
    for name, calls, share in result["profile"]["functions"][:most]:
        per_cell = calls / result["profile"]["cells"]
        yield f"  {100 * share:5.1f} %  {per_cell:8.1f} calls/cell  {name}"


def _percent(share):
    return None if share is None else 100 * share


def run_lines(results):
    """The table of whole runs."""
    header = (
        "whole runs",
        "cells",
        "workers",
        "wall s",
        "CPU s",
        "reference s",
        "ratio",
        "MB/rank",
    )
    rows = [
        (
            r["what"],
            r["cells"],
            r["workers"],
            r["wall"],
            r["cpu"],
            _reference(r),
            r["reference_wall"] / r["wall"] if r.get("reference_wall") else None,
            r.get("rank_memory"),
        )
        for r in results
    ]
    return table(header, rows)


def _reference(result):
    if not result.get("reference_wall"):
        return None
    mark = " (extrapolated)" if result.get("extrapolated") else ""
    return f"{result['reference_wall']:.0f}{mark}"


def machine():
    """The machine that the figures were measured on."""
    model = None
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
    }


def write_json(path, content):
    """Write all figures."""
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
