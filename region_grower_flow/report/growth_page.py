"""The page of a calibration of growth: values, moments, folds, and cells side by side.

Reference cells, cells by NeuroTS's defaults and calibrated ones stand in rows at one scale: eyes
see what no table of moments has.
"""

from dataclasses import dataclass, field

from region_grower_flow.calibration.growth_values import COMPARED_IN
from region_grower_flow.report.html import details, document, figure, number, table, tag
from region_grower_flow.report.lineup import UprightCell, plot_lineup
from region_grower_flow.report.provenance import provenance_section
from region_grower_flow.report.style import image

PAGE_DPI = 90
CELLS_IN_ROW = 6
"""Cells of each kind that a page shows for an mtype."""
REFERENCE, DEFAULT, CALIBRATED = "reference", "NeuroTS", "calibrated"
ROWS = (REFERENCE, DEFAULT, CALIBRATED)
CLOSE = 0.5
"""A moment within this many spreads of the reference is close."""

LEAD = (
    "Numbers of growth are fitted to the moments of the reference cells; a prior keeps them near "
    "the usual ones. What the fit compares is marked in the tables; whether grown cells are like "
    "the reference in anything else, a validation says."
)
FLOOR = (
    "Each real cell is ranked among cells fitted without it and its variants; ranks that are "
    "not uniform show a difference. The floor is the same with real cells instead of grown ones."
)


@dataclass
class GrowthReport:
    """Contents of the page.

    Attributes:
        entries: {mtype: what growth_calibration.calibrate_mtype returns}.
        pictures: {mtype: PNG}.
        mode: of the calibration.
        provenance: for the last section, a dict.
        notes: sentences on what a reader should know of all.
    """

    entries: dict
    mode: str
    pictures: dict = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)
    notes: tuple = ()


def draw_rows(cells):
    """The PNG of reference, default and calibrated cells, in rows at one scale.

    Args:
        cells: {one of ROWS: [FlatMorphology]}, upright, somas near the origin.
    """
    shown = [
        UprightCell(f"{row} {place + 1}", morphology)
        for row in ROWS
        for place, morphology in enumerate(_padded(cells, row))
    ]
    drawn = plot_lineup(shown, in_atlas=False, most_in_row=_width(cells))
    return image(drawn, "png", PAGE_DPI)


def _width(cells):
    return max(1, min(CELLS_IN_ROW, max((len(cells.get(row, ())) for row in ROWS), default=1)))


def _padded(cells, row):
    """As many cells in each row, so that rows begin with their own; first ones stand in again."""
    found = list(cells.get(row, ()))[:CELLS_IN_ROW]
    return [found[place % len(found)] for place in range(_width(cells))] if found else []


def growth_page(report):
    """The page as text."""
    fitted = sum(entry["fitted"] for entry in report.entries.values())
    words = (
        f"{fitted} of {len(report.entries)} mtypes are fitted to their cells, mode {report.mode}"
    )
    return document(
        "Calibration of growth",
        tag("h1", "Calibration of growth"),
        tag("p", words, class_="lead"),
        tag("p", LEAD),
        [tag("p", note, class_="fail") for note in report.notes],
        _overview(report.entries),
        [
            _mtype(mtype, entry, report.pictures.get(mtype))
            for mtype, entry in report.entries.items()
        ],
        provenance_section(report.provenance, {}),
    )


def _overview(entries):
    rows = []
    for mtype, entry in entries.items():
        checked = entry.get("folds") or {}
        losses = entry.get("losses") or []
        rows.append(
            [
                tag("th", tag("a", mtype, href=f"#{mtype}"), scope="row"),
                entry["cells"],
                entry["independent"],
                "fitted" if entry["fitted"] else "usual values",
                losses[0] if losses else None,
                losses[entry["kept_step"]] if losses else None,
                _count(checked.get("failing")),
                _count(checked.get("floor")),
                tag("td", entry.get("why") or checked.get("why") or "", class_="words"),
            ]
        )
    heads = ["mtype", "cells", "independent", "growth", "loss before", "after", "held-out: differ"]
    return table([*heads, "floor", "why"], rows)


def _count(failing):
    return None if failing is None else sum(map(len, failing.values()))


def _mtype(mtype, entry, picture):
    parts = [tag("h2", mtype, id=mtype)]
    if entry.get("why"):
        parts.append(tag("p", f"Not fitted: {entry['why']}."))
    if picture:
        words = "Reference cells, cells by NeuroTS's defaults, calibrated cells, at one scale."
        parts.append(figure(picture, "png", f"{mtype}: {words}"))
    parts.append(_values(entry))
    for name, features in (entry.get("moments") or {}).items():
        parts.append(details(f"{name}: moments", _moments(features, entry["mode"])))
    checked = entry.get("folds") or {}
    if "failing" in checked:
        parts.append(_folds(checked))
    return parts


def _values(entry):
    bounds = {tuple(place) for place in entry.get("bounds", ())}
    rows = []
    for kind, values in entry["values"].items():
        usual, pull = entry["usual"][kind], entry.get("pull", {}).get(kind, {})
        for name, value in values.items():
            remark = "at its bound" if (kind, name) in bounds else ""
            rows.append([kind, name, usual.get(name), value, pull.get(name), remark])
    heads = ["neurite type", "number", "usual", "calibrated", "pull of the prior (sd)", ""]
    return table(heads, rows)


def _moments(features, mode):
    rows = []
    for name, values in features.items():
        off = [_off(values, key) for key in ("before", "after", "after_other_seed")]
        mark = "compared" if name in COMPARED_IN[mode] else ""
        rows.append([tag("th", name, scope="row"), values["reference"], *map(_shown, off), mark])
    heads = ["feature", "reference", "usual values, in spreads", "calibrated", "other seed", ""]
    return table(heads, rows)


def _off(values, key):
    if None in (values[key], values["reference"]):
        return None
    return (values[key] - values["reference"]) / values["spread"]


def _shown(off):
    if off is None:
        return tag("td", number(None), class_="number")
    css = "number" if abs(off) <= CLOSE else "number fail"
    return tag("td", f"{off:+.2f}", class_=css)


def _folds(checked):
    items = []
    for name in checked["failing"]:
        bad, floor = checked["failing"][name], checked["floor"].get(name, [])
        words = ", ".join(bad) if bad else "none"
        also = f" (real cells: {', '.join(floor)})" if floor else ""
        items.append(tag("li", f"{name}: {words}{also}"))
    return [
        tag("p", f"Features that differ in cells that were not fitted. {FLOOR}"),
        tag("ul", items),
    ]
