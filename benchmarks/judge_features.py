"""The features by which grown cells are judged, two thirds of which no fit of the package knows.

Of its own, so that a mistake of the package's morphometrics is not repeated here. All lengths in
um; the soma's center is near the origin and the pia along +y.
"""

import numpy as np

STEP = 20.0
"""um between the spheres of a Sholl profile."""
LOCAL = 5.0
"""um after a bifurcation where its local angle is measured."""
WINDOWS = (10.0, 20.0, 50.0)
"""um of path over which bending is measured."""
TUFT = 2 / 3
"""Share of an apical tree's height above which its tuft is."""
BASAL, APICAL = 3, 4

COMMON = (
    "trees",
    "tips",
    "total length",
    "area",
    "terminal sections",
    "inner sections",
    "order of tips",
    "path to tips",
    "greatest radial",
    "tortuosity",
    "tortuosity at 20",
    "bending over 10",
    "bending over 50",
    "local angle",
    "remote angle",
    "partition of tips",
    "partition of length",
    "Sholl peak",
    "Sholl radius",
    "extent x",
    "extent y",
    "extent z",
    "cable up",
    "trunks up",
    "first section",
    "mean diameter",
    "greatest diameter",
    "tip diameter",
    "siblings",
    "taper",
    "share of the largest tree",
)
OF_APICALS = ("length in the tuft", "tips below half height", "trunk to first fork of the tuft")


def names(kind):
    """The names of the features of a neurite type."""
    return COMMON + (OF_APICALS if kind == APICAL else ())


def measure(morphology, kind):
    """The features of one type of neurites of a cell, NaN where there is nothing to measure.

    Args:
        morphology: FlatMorphology.
        kind: 3 or 4, the type of the neurites.

    Returns:
        (n,) float64, in the order of :func:`names`.
    """
    cell = _Cell(morphology, kind)
    found = dict.fromkeys(names(kind), np.nan)
    found["trees"], found["tips"] = len(cell.roots), len(cell.tips)
    found["total length"] = sum(cell.length.values())
    if cell.sections:
        found |= _sizes(cell) | _paths(cell) | _windows(cell)
        found |= _forks(cell) | _space(cell) | _diameters(cell)
        if kind == APICAL:
            found |= _tuft(cell)
    return np.array([found[name] for name in names(kind)], dtype=float)


def soma_radius(morphology):
    """Mean distance of the soma's contour from its center, or half its diameter."""
    points = np.asarray(morphology.soma_points, dtype=float)
    if len(points) < 3:
        return float(morphology.soma_diameters[0]) / 2 if len(points) else np.nan
    return float(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())


def table(morphologies, kinds):
    """(names, (cells, features)) of all types of neurites, the soma's radius last."""
    heads = [f"{name} ({kind})" for kind in kinds for name in names(kind)] + ["soma radius"]
    rows = [
        np.concatenate([*(measure(m, kind) for kind in kinds), [soma_radius(m)]])
        for m in morphologies
    ]
    return heads, np.array(rows).reshape(-1, len(heads))


class _Cell:
    """The sections of one type of a morphology, a parent before its children."""

    def __init__(self, morphology, kind):
        points = np.asarray(morphology.points, dtype=float)
        self.sections = [i for i in range(morphology.n_sections) if morphology.types[i] == kind]
        spans = {i: slice(morphology.offsets[i], morphology.offsets[i + 1]) for i in self.sections}
        self.points = {i: points[span] for i, span in spans.items()}
        self.diameters = {
            i: np.asarray(morphology.diameters[span], dtype=float) for i, span in spans.items()
        }
        self.steps = {i: _norms(np.diff(p, axis=0)) for i, p in self.points.items()}
        self.length = {i: float(steps.sum()) for i, steps in self.steps.items()}
        known = set(self.sections)
        self.parent = {i: p if (p := int(morphology.parents[i])) in known else -1 for i in known}
        self.children = {i: [] for i in self.sections}
        self.path, self.order, self.root = {}, {}, {}
        for i in self.sections:
            parent = self.parent[i]
            self.path[i] = self.length[i] + self.path.get(parent, 0.0)
            self.order[i] = self.order[parent] + 1 if parent >= 0 else 0
            self.root[i] = self.root[parent] if parent >= 0 else i
            if parent >= 0:
                self.children[parent].append(i)
        self.roots = [i for i in self.sections if self.parent[i] < 0]
        self.tips = [i for i in self.sections if not self.children[i]]
        self.forks = [i for i in self.sections if len(self.children[i]) == 2]


def _norms(vectors):
    return np.linalg.norm(vectors, axis=1)


def _mean(values):
    values = np.asarray(list(values), dtype=float)
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else np.nan


def _sizes(cell):
    area = sum(
        float(np.sum(np.pi * steps * 0.5 * (cell.diameters[i][1:] + cell.diameters[i][:-1])))
        for i, steps in cell.steps.items()
    )
    of_tree = dict.fromkeys(cell.roots, 0.0)
    for i in cell.sections:
        of_tree[cell.root[i]] += cell.length[i]
    return {
        "area": area,
        "terminal sections": _mean(cell.length[i] for i in cell.tips if cell.parent[i] >= 0),
        "inner sections": _mean(cell.length[i] for i in cell.sections if cell.children[i]),
        "first section": _mean(cell.length[i] for i in cell.roots),
        "order of tips": _mean(cell.order[i] for i in cell.tips),
        "share of the largest tree": max(of_tree.values()) / max(sum(of_tree.values()), 1e-9),
    }


def _paths(cell):
    return {
        "path to tips": _mean(cell.path[i] for i in cell.tips),
        "greatest radial": max(
            float(np.linalg.norm(cell.points[i][-1] - cell.points[cell.root[i]][0]))
            for i in cell.tips
        ),
    }


def _along(cell, i, step):
    """Points every ``step`` um along a section, from its first point."""
    along = np.concatenate([[0.0], np.cumsum(cell.steps[i])])
    wanted = np.arange(0.0, along[-1] + 1e-9, step)
    return np.stack([np.interp(wanted, along, cell.points[i][:, j]) for j in range(3)], axis=1)


def _windows(cell):
    raw, coarse, bends = [], [], {width: [] for width in WINDOWS}
    for i in cell.sections:
        chord = float(np.linalg.norm(cell.points[i][-1] - cell.points[i][0]))
        if chord <= 0.0:
            continue
        raw.append(cell.length[i] / chord)
        if cell.length[i] > 2 * STEP:
            way = np.vstack([_along(cell, i, STEP), cell.points[i][-1:]])
            coarse.append(float(_norms(np.diff(way, axis=0)).sum()) / chord)
        for width in WINDOWS:
            steps = np.diff(_along(cell, i, width), axis=0)
            bends[width] += (1.0 - _norms(steps) / width).tolist()
    return {
        "tortuosity": _mean(raw),
        "tortuosity at 20": _mean(coarse),
        "bending over 10": _mean(bends[10.0]),
        "bending over 50": _mean(bends[50.0]),
    }


def _angle(first, second):
    size = np.linalg.norm(first) * np.linalg.norm(second)
    return float(np.arccos(np.clip(first @ second / size, -1, 1))) if size > 0 else np.nan


def _forks(cell):
    tips, cable = {}, {}
    for i in reversed(cell.sections):
        below = cell.children[i]
        tips[i] = sum(tips[c] for c in below) if below else 1
        cable[i] = cell.length[i] + sum(cable[c] for c in below)
    local, remote, of_tips, of_cable, siblings = [], [], [], [], []
    for i in cell.forks:
        a, b = cell.children[i]
        begin = cell.points[i][-1]
        remote.append(_angle(cell.points[a][-1] - begin, cell.points[b][-1] - begin))
        near = [_near(cell, c) - begin for c in (a, b)]
        local.append(_angle(*near))
        if tips[a] + tips[b] > 2:
            of_tips.append(abs(tips[a] - tips[b]) / (tips[a] + tips[b] - 2))
        of_cable.append(abs(cable[a] - cable[b]) / max(cable[a] + cable[b], 1e-9))
        thick = sorted(float(np.mean(cell.diameters[c])) for c in (a, b))
        siblings.append(thick[0] / thick[1] if thick[1] > 0 else np.nan)
    return {
        "local angle": _mean(local),
        "remote angle": _mean(remote),
        "partition of tips": _mean(of_tips),
        "partition of length": _mean(of_cable),
        "siblings": _mean(siblings),
    }


def _near(cell, i):
    """The point LOCAL um along a section, or its end."""
    along = np.concatenate([[0.0], np.cumsum(cell.steps[i])])
    return np.array([np.interp(LOCAL, along, cell.points[i][:, j]) for j in range(3)])


def _space(cell):
    points = np.concatenate(list(cell.points.values()))
    extents = np.ptp(points, axis=0)
    middles = np.concatenate([0.5 * (p[1:] + p[:-1]) for p in cell.points.values()])
    weights = np.concatenate(list(cell.steps.values()))
    center = (middles * weights[:, None]).sum(axis=0) / max(weights.sum(), 1e-9)
    radial = _norms(middles)
    reach = float((radial * weights).sum() / max(weights.sum(), 1e-9))
    crossings = _sholl(cell)
    radii = (np.arange(len(crossings)) + 1) * STEP
    heads = [_near(cell, i) - cell.points[i][0] for i in cell.roots]
    return {
        "extent x": extents[0],
        "extent y": extents[1],
        "extent z": extents[2],
        "cable up": center[1] / max(reach, 1e-9),
        "trunks up": _mean(h[1] / n for h in heads if (n := np.linalg.norm(h)) > 0),
        "Sholl peak": crossings.max() if len(crossings) else 0.0,
        "Sholl radius": float((crossings * radii).sum() / crossings.sum())
        if len(crossings) and crossings.sum()
        else np.nan,
    }


def _sholl(cell):
    spheres = [np.floor(_norms(p) / STEP).astype(int) for p in cell.points.values()]
    counts = np.zeros(max(int(s.max()) for s in spheres) + 1)
    for inside in spheres:
        low, high = np.minimum(inside[1:], inside[:-1]), np.maximum(inside[1:], inside[:-1])
        for sphere in range(len(counts)):
            counts[sphere] += np.sum((low <= sphere) & (sphere < high))
    return counts


def _diameters(cell):
    weights = np.concatenate([_shares(steps) for steps in cell.steps.values()])
    values = np.concatenate(list(cell.diameters.values()))
    tapers = [
        (cell.diameters[i][-1] - cell.diameters[i][0]) / cell.length[i]
        for i in cell.sections
        if cell.length[i] > STEP
    ]
    return {
        "mean diameter": float((weights * values).sum() / max(weights.sum(), 1e-9)),
        "greatest diameter": float(values.max()),
        "tip diameter": _mean(cell.diameters[i][-1] for i in cell.tips),
        "taper": _mean(tapers),
    }


def _shares(steps):
    """The length that each point of a section stands for."""
    shares = np.zeros(len(steps) + 1)
    shares[1:] += 0.5 * steps
    shares[:-1] += 0.5 * steps
    return shares


def _tuft(cell):
    height = max(float(p[:, 1].max()) for p in cell.points.values())
    low = min(float(cell.points[i][0, 1]) for i in cell.roots)
    line = low + TUFT * (height - low)
    inside = sum(float(cell.steps[i][cell.points[i][1:, 1] > line].sum()) for i in cell.sections)
    half = low + 0.5 * (height - low)
    below = sum(cell.points[i][-1, 1] < half for i in cell.tips)
    above = [cell.points[i][-1, 1] for i in cell.forks if cell.points[i][-1, 1] > half]
    return {
        "length in the tuft": inside / max(sum(cell.length.values()), 1e-9),
        "tips below half height": below / len(cell.tips),
        "trunk to first fork of the tuft": (min(above) - low) / (height - low) if above else np.nan,
    }
