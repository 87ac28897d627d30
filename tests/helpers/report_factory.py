"""Small made-up morphologies, results and synthesis summaries for the tests of reports."""

import json

import numpy as np

from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE, FlatMorphology
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.results import Results
from region_grower_flow.validation.verdict import Verdict

HOSTILE = '<script>alert("x")</script>&amp;\u202e"\'$\\frac{1}$ ../../etc/passwd'
"""An mtype whose name would break HTML, formulas and paths."""


def fork(kind=BASAL_DENDRITE, up=1.0, size=10.0, start=(0.0, 5.0, 0.0)):
    """Points, parents and types of a tree: a trunk of 2 segments that bifurcates into 2 tips."""
    x, y, z = start
    top = y + 2 * size * up
    sections = [
        [(x, y, z), (x, y + size * up, z), (x, top, z)],
        [(x, top, z), (x - size, top, z)],
        [(x, top, z), (x + size, top, z)],
    ]
    return sections, [-1, 0, 0], [kind] * 3


def flat(*trees, diameter=1.0):
    """A FlatMorphology of trees, with a soma contour of radius 5 um around the origin."""
    sections, parents, types = [], [], []
    for own, local, kinds in trees:
        parents += [parent + len(sections) if parent >= 0 else -1 for parent in local]
        sections += own
        types += kinds
    points = np.concatenate([np.array(section, dtype=np.float32) for section in sections])
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    contour = np.c_[5 * np.cos(angles), 5 * np.sin(angles), 0 * angles].astype(np.float32)
    return FlatMorphology(
        points=points,
        diameters=np.full(len(points), diameter, dtype=np.float32),
        offsets=np.cumsum([0, *map(len, sections)]),
        types=np.array(types, dtype=np.int32),
        parents=np.array(parents, dtype=np.int64),
        soma_points=contour,
        soma_diameters=np.zeros(8, dtype=np.float32),
    )


def pyramid(size=10.0):
    """A cell with a basal tree downwards and an apical tree upwards."""
    return flat(
        fork(BASAL_DENDRITE, up=-1.0, size=size, start=(0.0, -5.0, 0.0)),
        fork(APICAL_DENDRITE, up=3.0, size=size),
    )


def results(mtypes=("L5_PC", HOSTILE)):
    """Results of a validation with every verdict, in two parts."""
    found = Results(options={"validation_of": "atlas", "evil": HOSTILE})
    for part in ("full", "holdout"):
        found.populations[part] = {}
        for mtype in mtypes:
            found.populations[part][mtype] = {
                "n_reference": 9,
                "n_synthesized": 12,
                "asked": 13,
                "dropped": 1,
                "reasons": {HOSTILE: 1},
                "reference": "cells",
                "neurite_types": ["basal_dendrite"],
                "notes": [HOSTILE],
            }
            found.add(part, verdicts(mtype))
            found.extend("cells", cell_rows(part, mtype))
            found.extend("depths", depth_rows(part, mtype))
        found.add(part, [Verdict("structure", "stray files", "pass", detail="none")])
    found.provenance = {"fingerprint": "f" * 64, "recipe": {"packages": {"neurom": HOSTILE}}}
    return found


def verdicts(mtype):
    about = {"mtype": mtype, "neurite_type": "basal_dendrite", "n_reference": 9}
    about["n_synthesized"] = 12
    return [
        Verdict("structure", "finite points", "pass", mtype=mtype, detail=HOSTILE),
        Verdict(
            "morphometrics",
            "total length",
            "fail",
            statistic=0.61234,
            p=0.00012,
            p_adjusted=0.0021,
            interval=(0.1, 0.9),
            threshold={"p_adjusted": 0.05, "interval": 0.5, "mvs": 0.25},
            detail="the medians differ",
            values={"mvs": 0.4, "mvs_null95": 0.25},
            **about,
        ),
        Verdict("morphometrics", "features", "fail", detail="0 of 1 features agree", **about),
        Verdict("topology", "energy distance", "no power", statistic=float("nan"), **about),
        Verdict("trunks", "pia angle", "not testable", threshold={"cells": 8}, **about),
    ]


def cell_rows(part, mtype):
    rng = np.random.default_rng(1)
    return [
        {
            "part": part,
            "mtype": mtype,
            "population": population,
            "cell": f"{population} {i}",
            "neurite_type": "basal_dendrite",
            "total length": float(rng.normal(mean, 5.0)),
            "bifurcations": 0.0,
        }
        for population, count, mean in (("reference", 9, 100.0), ("synthesized", 12, 130.0))
        for i in range(count)
    ]


def depth_rows(part, mtype):
    return [
        {
            "part": part,
            "mtype": mtype,
            "neurite_type": "basal_dendrite",
            "from_um": 25.0 * i,
            "to_um": 25.0 * (i + 1),
            "reference": float(i),
            "synthesized": float(5 - i),
        }
        for i in range(6)
    ]


def summary():
    """The summary of a synthesis of two mtypes."""
    return {
        "cells": {"asked": 30, "made": 27, "dropped": 3, "without_axon": 0},
        "attempts": 54,
        "fallbacks": {"cells": 2, "reasons": {HOSTILE: 2}},
        "mtypes": {
            "L5_PC": {"asked": 10, "made": 10, "dropped": 0, "without_axon": 0, "reasons": {}},
            HOSTILE: {
                "asked": 20,
                "made": 17,
                "dropped": 3,
                "without_axon": 0,
                "reasons": {"the soma lies below its layers": 2, HOSTILE: 1},
            },
        },
        "grown_now": 30,
        "taken_over": 0,
        "given_up_at": None,
        "seconds": {"LoadAtlas": 2.0, "SynthesizeChunk": 125.0},
        "provenance": {
            "fingerprint": "a" * 64,
            "recipe": {"packages": {"numpy": "1.26.4"}, "files": {}},
            "options": {"seed": 0, "out_cells": HOSTILE, "empty": None},
        },
    }


def pixels(figure):
    """(height, width, 3) of a figure as it would be written."""
    import io

    from matplotlib.image import imread

    from region_grower_flow.report.style import image

    return imread(io.BytesIO(image(figure, "png", 90)), format="png")[..., :3]


def shows(picture, color, least=20, tolerance=0.12):
    """True when at least so many pixels are near a color (hex)."""
    from matplotlib.colors import to_rgb

    near = np.abs(picture - np.array(to_rgb(color))).max(axis=-1) < tolerance
    return int(near.sum()) >= least


def cells(sizes):
    return [ValidationCell(f"cell {size:g}", pyramid(size)) for size in sizes]


def debug_file(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def debug_line(cell, mtype, target=(), limits=(), layers=()):
    infos = {
        "input_scaling": {
            "target_func": {"inputs": {}, "scaling": [{"scaling_ratio": s} for s in target]},
            "default_func": {"inputs": {}, "scaling": [{"scaling_ratio": s} for s in layers]},
        },
        "neurite_hard_limit_rescaling": [
            {"neurite_type": "basal_dendrite", "scale": s, "deleted": s < 0.2} for s in limits
        ],
    }
    return {"cell": cell, "mtype": mtype, "debug_infos": infos}


def fit(**changes):
    return {
        "extents": [10.0, 20.0, 30.0],
        "path_distances": [20.0, 40.0, 90.0],
        "used": [True, True, False],
        "slope": 2.0,
        "intercept": 0,
        "n_trees": 3,
        "n_used": 2,
        "r2": 1.0,
        "rms_residual": 0.0,
        "synthesized": [(10.0, 23.0), (20.0, 36.0)],
        "slope_in_parameters": 1.5,
        **changes,
    }
