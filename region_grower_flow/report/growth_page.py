"""The page of a calibration of growth: values, moments, folds, and cells side by side.

Reference cells, cells by NeuroTS's defaults and calibrated ones stand in rows at one scale: eyes
see what no table of moments has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from region_grower_flow.calibration.growth_values import COMPARED_IN
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.report.figures import ShownFigure
from region_grower_flow.report.lineup import UprightCell, plot_lineup
from region_grower_flow.report.names import file_stem
from region_grower_flow.report.provenance import provenance_of
from region_grower_flow.report.style import image
from region_grower_flow.report.templates import render

PAGE_DPI = 90
CELLS_IN_ROW = 6
"""Cells of each kind that a page shows for an mtype."""
REFERENCE, DEFAULT, CALIBRATED = "reference", "NeuroTS", "calibrated"
USUAL = "usual values"
"""Words for cells of an mtype that has too few reference cells for a fit."""
ROWS = (REFERENCE, DEFAULT, CALIBRATED)
CLOSE = 0.5
"""A moment within this many spreads of the reference is close."""


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

    entries: dict[str, dict[str, Any]]
    mode: str
    pictures: dict[str, bytes] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def draw_rows(cells: Mapping[str, Sequence[FlatMorphology]], fitted: bool = True) -> bytes:
    """The PNG of reference, default and calibrated cells, in rows at one scale.

    Args:
        cells: {one of ROWS: [FlatMorphology]}, upright, somas near the origin.
        fitted: whether the calibrated ones are fitted, or grow with the usual values.
    """
    shown = [
        UprightCell(f"{row_words(row, fitted)} {place + 1}", morphology)
        for row in ROWS
        for place, morphology in enumerate(_padded(cells, row))
    ]
    drawn = plot_lineup(shown, in_atlas=False, most_in_row=_width(cells))
    return image(drawn, "png", PAGE_DPI)


def row_words(row: str, fitted: bool) -> str:
    """The words below the cells of a row."""
    return USUAL if row == CALIBRATED and not fitted else row


def _width(cells: Mapping[str, Sequence[FlatMorphology]]) -> int:
    return max(1, min(CELLS_IN_ROW, max((len(cells.get(row, ())) for row in ROWS), default=1)))


def _padded(cells: Mapping[str, Sequence[FlatMorphology]], row: str) -> list[FlatMorphology]:
    """Rows of equal length, so that each begins with its own cells; first ones stand in again."""
    found = list(cells.get(row, ()))[:CELLS_IN_ROW]
    return [found[place % len(found)] for place in range(_width(cells))] if found else []


def growth_page(report: GrowthReport) -> str:
    """The page as text."""
    fitted = sum(entry["fitted"] for entry in report.entries.values())
    return render(
        "growth.html.j2",
        {},
        title="Calibration of growth",
        lead=f"{fitted} of {len(report.entries)} mtypes are fitted to their cells, mode "
        f"{report.mode}",
        notes=report.notes,
        mtypes=[
            _mtype(mtype, entry, report.pictures.get(mtype))
            for mtype, entry in report.entries.items()
        ],
        close=CLOSE,
        provenance=provenance_of(report.provenance, {}),
    )


def _mtype(mtype: str, entry: Mapping[str, Any], picture: bytes | None) -> dict[str, Any]:
    """Values of the template for an mtype."""
    checked, losses = entry.get("folds") or {}, entry.get("losses") or []
    moments = entry.get("moments") or {}
    return {
        **{name: entry[name] for name in ("cells", "independent", "fitted")},
        "name": mtype,
        "id": f"m-{file_stem(mtype)}",
        "why": entry.get("why"),
        "unchecked": checked.get("why"),
        "loss_before": losses[0] if losses else None,
        "loss_after": losses[entry["kept_step"]] if losses else None,
        "differ": _count(checked.get("failing")),
        "floor": _count(checked.get("floor")),
        "picture": ShownFigure(picture, "png", mtype) if picture else None,
        "numbers": _numbers(entry),
        "moments": [(kind, _moments(each, entry["mode"])) for kind, each in moments.items()],
        "folds": _folds(checked) if "failing" in checked else None,
    }


def _count(failing: Mapping[str, Sequence[str]] | None) -> int | None:
    return None if failing is None else sum(map(len, failing.values()))


def _numbers(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    bounds = {tuple(place) for place in entry.get("bounds", ())}
    return [
        {
            "kind": kind,
            "name": name,
            "usual": entry["usual"][kind].get(name),
            "value": value,
            "pull": entry.get("pull", {}).get(kind, {}).get(name),
            "bound": (kind, name) in bounds,
        }
        for kind, values in entry["values"].items()
        for name, value in values.items()
    ]


def _moments(features: Mapping[str, Mapping[str, Any]], mode: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "reference": values["reference"],
            "off": [_off(values, key) for key in ("before", "after", "after_other_seed")],
            "compared": name in COMPARED_IN[mode],
        }
        for name, values in features.items()
    ]


def _off(values: Mapping[str, Any], key: str) -> float | None:
    """Distance of a moment from the reference in spreads of the latter; None where unknown."""
    if None in (values[key], values["reference"]):
        return None
    return (values[key] - values["reference"]) / values["spread"]


def _folds(checked: Mapping[str, Any]) -> list[tuple[str, list[str], list[str]]]:
    """[(neurite type, features that differ, those of real cells that do)]."""
    floor = checked["floor"]
    return [(kind, bad, floor.get(kind, [])) for kind, bad in checked["failing"].items()]
