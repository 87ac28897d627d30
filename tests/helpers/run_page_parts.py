"""Made-up cells in layers, and the page of a run of them."""

import numpy as np

from helpers.report_factory import HOSTILE, pyramid, summary
from region_grower_flow.report.palette import looks
from region_grower_flow.report.placed import PlacedCell
from region_grower_flow.report.run_page import science
from region_grower_flow.report.run_page.mtypes import (
    MtypePart,
    draw_rows,
    feature_charts,
    profile_chart,
    side_by_side,
)
from region_grower_flow.report.run_page.outline import outlines
from region_grower_flow.report.run_page.page import RunReport
from region_grower_flow.report.run_page.scene import scene
from region_grower_flow.report.run_page.section import draw_section, fullest_slice
from region_grower_flow.report.run_page.timeline import timeline


class Stack:
    """Layers of 100 um, one above the other along y, in a box of 1 mm."""

    voxel = 10.0

    def shadow(self, axis):
        ends = ((-500.0, 500.0), (0.0, 300.0), (-500.0, 500.0))
        return np.ones((4, 4), dtype=bool), [ends[i] for i in range(3) if i != axis]

    def lookup(self, points):
        inside = (np.abs(points[:, [0, 2]]) < 500).all(axis=1)
        inside &= (points[:, 1] > 0) & (points[:, 1] < 300)
        numbers = np.where(inside, 2 - points[:, 1] // 100, -1).astype(int)
        return [1, 2, 3], numbers


def placed(position, mtype="L5_PC", orientation=None, name="cell"):
    cell = PlacedCell(
        name, mtype, None, np.array(position, float),
        np.eye(3) if orientation is None else orientation, depth=float(300 - position[1]),
        layers=((1, 0, 100), (2, 100, 200), (3, 200, 300)),
        row=0,
    )  # fmt: skip
    cell.__dict__["morphology"] = pyramid()
    return cell


def told(cell, color="#0072b2"):
    return {"mtype": cell.mtype, "color": color, "short": cell.name, "facts": [("id", HOSTILE)]}


def run_report():
    mtypes = list(summary()["mtypes"])
    shown = looks(mtypes)
    cells = [
        placed((60.0 * i, 150.0, 0.0), mtype, name=f"c{i}") for i, mtype in enumerate(2 * mtypes)
    ]
    view = fullest_slice([cell.position for cell in cells], (0, 1, 0))
    low, high = np.full(3, -600.0), np.full(3, 600.0)
    found = scene(
        [(cell, told(cell, shown[cell.mtype].color)) for cell in cells],
        [(HOSTILE, lines) for _, lines in outlines(Stack(), np.eye(3), low, high)],
    )
    frame = {"across": [1, 0, 0], "up": [0, 1, 0], "normal": [0, 0, 1], "mtypes": mtypes}
    rows = draw_rows([("Reconstructions", [pyramid()]), ("Grown", [pyramid()])])
    somata = [(cell.mtype, cell.position) for cell in cells]
    charts = feature_charts([pyramid()], [pyramid()] * 9, ["basal_dendrite", "apical_dendrite"])
    profile = profile_chart([pyramid()], cells, ["basal_dendrite", "apical_dendrite"], 0)
    return RunReport(
        title=HOSTILE,
        summary=summary(),
        findings=[
            science.Finding(state, HOSTILE, HOSTILE)
            for state in (science.RIGHT, science.WRONG, science.NOTE, science.UNKNOWN)
        ],
        looks=shown,
        section=draw_section(cells, somata, view, Stack(), shown),
        scene={**found, **frame},
        where=[(rows[0].data, HOSTILE)],
        beside=side_by_side({m: [pyramid()] for m in mtypes}, {m: [pyramid()] for m in mtypes}),
        mtypes=[MtypePart(HOSTILE, rows, charts, profile, [HOSTILE])],
        verdicts=[
            {
                "mtype": HOSTILE,
                "neurite_type": None,
                "tier": "space",
                "test": HOSTILE,
                "verdict": verdict,
                "detail": HOSTILE,
            }
            for verdict in ("fail", "pass")
        ],
        sentences={HOSTILE: HOSTILE},
        bars=timeline([("chunk", "2026-01-02T09:00:30+0000", 30.0, 60)])[0],
        made_at="2026-01-02",
        command=HOSTILE,
        inputs=[("atlas", HOSTILE, "abc")],
        written=[("cells", HOSTILE, 1234), ("morphologies", "out", None)],
        warnings=[HOSTILE],
        calibration=[("ExtractDistributions", [HOSTILE])],
        figures=[("PlotCollage", [(rows[0].data, "webp", HOSTILE)])],
    )
