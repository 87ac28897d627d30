"""A judge of grown cells that is not the loss of the fit: half B against cells grown from half A.

``python -m benchmarks judge`` deals the reconstructions of some populations into halves, grows
cells from the one, and compares them with the other: features that are not the fit's own
(:mod:`judge_features`), by Kolmogorov-Smirnov tests corrected for the features of a population,
and by a random forest that has to tell grown cells from real ones. Beside it stand two floors:
half A itself drawn to as many cells ("copies": that inherits the sampling error of half A), and
half A as it is.
"""

import csv
import hashlib
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import judge_features

BASAL, APICAL = judge_features.BASAL, judge_features.APICAL
CELLS = 150
ALPHA = 0.05
TREES, ROUNDS = 100, 5
"""Trees of the random forest, and how often grown cells are drawn to be as many as real ones."""
RAT, MOUSE = "rat_s1_nmc2015_dendrites", "mouse_L4_interneurons_scala"
PYRAMIDS = ("PC", "STPC", "TTPC1", "TTPC2", "UTPC", "TPC_L1", "TPC_L4")

POPULATIONS = {
    "LBC": (RAT, lambda mtype: mtype.endswith("_LBC")),
    "MC": (RAT, lambda mtype: mtype.endswith("_MC")),
    "NBC": (RAT, lambda mtype: mtype.endswith("_NBC")),
    "L6_LBC": (RAT, lambda mtype: mtype == "L6_LBC"),
    "L1": (RAT, lambda mtype: mtype.startswith("L1_")),
    "PC": (RAT, lambda mtype: mtype.partition("_")[2] in PYRAMIDS),
    "mouse_LBC": (MOUSE, lambda mtype: mtype == "L4_LBC"),
    "mouse_BPC": (MOUSE, lambda mtype: mtype in ("L4_BPC", "L4_DBC")),
}
"""{name: (folder of the set, which of its mtypes)}; PC has apical dendrites."""


@dataclass(frozen=True)
class Real:
    """A reconstruction.

    Attributes:
        name, path, mtype: of the cell.
        parent: the same for variants of one reconstruction.
    """

    name: str
    path: Path
    mtype: str
    parent: str


@dataclass
class Half:
    """One comparison: cells against the half B of a population.

    Attributes:
        name: of the population.
        seed: of the split.
        kinds: types of neurites that count.
        values: {"B", "A", "copies", ...: (cells, features)}.
        heads: names of the features.
    """

    name: str
    seed: int
    kinds: tuple
    heads: list
    values: dict = field(default_factory=dict)


def read_set(data, name):
    """The reconstructions of a set below ``data``, by its ``index.csv``."""
    folder = Path(data) / name
    with open(folder / "index.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        path = (
            folder / row["file"] if "file" in row else folder / row["mtype"] / f"{row['name']}.h5"
        )
        parent = f"{row['mtype']}_{row.get('parent_reconstruction') or path.stem}"
        found.append(Real(path.stem, path, row["mtype"], parent))
    return found


def population(data, name):
    """The reconstructions of one of POPULATIONS."""
    folder, wanted = POPULATIONS[name]
    return [cell for cell in read_set(data, folder) if wanted(cell.mtype)]


def halves(cells, seed):
    """(A, B): variants of one reconstruction together, mtypes in equal shares."""
    groups = {}
    for cell in cells:
        groups.setdefault((cell.mtype, cell.parent), []).append(cell)
    order = sorted(groups, key=lambda key: (key[0], _shuffled(seed, key[1])))
    sides = [], []
    for number, key in enumerate(order):
        sides[number % 2].extend(groups[key])
    return sides


def _shuffled(seed, text):
    return hashlib.sha256(f"judge {seed} {text}".encode()).digest()


def load(path):
    """A FlatMorphology with the center of its soma at the origin."""
    from region_grower_flow.io.morphologies import load_morphology

    return load_morphology(Path(path)).centered()


def write_table(cells, path, mtype):
    """The table of reconstructions of one mtype, as the package reads it."""
    lines = ["name,path,mtype,parent"]
    lines += [f"{c.name},{c.path.resolve()},{mtype},{c.parent}" for c in cells]
    Path(path).write_text("\n".join([*lines, ""]), encoding="utf-8")


def grow(cells, folder, mtype, count=CELLS, options=()):
    """Grow cells of one mtype from reconstructions by SynthesizeVacuum; their paths.

    Args:
        cells: [Real] that the growth may know.
        folder: for everything that is written.
        mtype: what they are called.
        count: how many to grow.
        options: further options of ``luigi --module region_grower_flow SynthesizeVacuum``.
    """
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "cells.csv"
    write_table(cells, table, mtype)
    command = [
        *(sys.executable, "-m", "luigi", "--module", "region_grower_flow", "SynthesizeVacuum"),
        *("--local-scheduler", "--work-dir", folder / "work", "--dat-file", table),
        *("--morphologies-dir", cells[0].path.parents[1].resolve()),
        *("--on-bad-morphology", "skip", "--vacuum-dir", folder / "grown"),
        *("--vacuum-cells", count, *options),
    ]
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False
    )
    (folder / "log.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    index = folder / "grown" / "index.csv"
    if not index.is_file():
        raise RuntimeError(f"nothing was grown, see {folder / 'log.txt'}")
    with open(index, encoding="utf-8", newline="") as file:
        return [folder / "grown" / row["path"] for row in csv.DictReader(file)]


def prepare(name, cells, seed, count=CELLS):
    """The halves of a population, measured, with both floors: (Half, cells of A)."""
    first, second = halves(cells, seed)
    morphologies = {cell.path: load(cell.path) for cell in [*first, *second]}
    kinds = tuple(
        kind
        for kind in (BASAL, APICAL)
        if 2 * sum(kind in morphologies[c.path].types for c in cells) > len(cells)
    )
    heads, a = judge_features.table([morphologies[c.path] for c in first], kinds)
    _, b = judge_features.table([morphologies[c.path] for c in second], kinds)
    drawn = np.random.default_rng(seed).integers(len(a), size=count)
    return Half(name, seed, kinds, heads, {"B": b, "A": a, "copies": a[drawn]}), first


def failing(reference, other, heads, alpha=ALPHA):
    """{feature: signed KS distance} of features that differ, corrected by Benjamini-Hochberg."""
    from scipy.stats import ks_2samp

    found = []
    for column, name in enumerate(heads):
        a, b = (v[np.isfinite(v)] for v in (reference[:, column], other[:, column]))
        if min(len(a), len(b)) < 4:
            continue
        test = ks_2samp(a, b)
        sign = np.sign(np.median(b) - np.median(a)) or 1.0
        found.append((test.pvalue, name, sign * test.statistic))
    found.sort()
    last = max(
        (i for i, (p, *_) in enumerate(found) if p <= alpha * (i + 1) / len(found)), default=-1
    )
    return {name: round(float(d), 2) for _, name, d in found[: last + 1]}


def told_apart(reference, other, seed=0):
    """Balanced accuracy of a random forest, trained on halves of both and tested on the others.

    As many grown cells as real ones are drawn each time.
    """
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(seed)
    size = min(len(reference), len(other))
    right = []
    for turn in range(ROUNDS):
        a = reference[rng.permutation(len(reference))[:size]]
        b = other[rng.permutation(len(other))[:size]]
        fold = np.arange(size) % 2
        values = np.vstack([a, b])
        values = values[:, np.isfinite(values).any(axis=0)]
        values = np.where(np.isfinite(values), values, np.nanmedian(values, axis=0))
        classes, folds = np.repeat([0, 1], size), np.tile(fold, 2)
        for test in (0, 1):
            forest = RandomForestClassifier(TREES, random_state=seed + turn, n_jobs=1)
            forest.fit(values[folds != test], classes[folds != test])
            right += (forest.predict(values[folds == test]) == classes[folds == test]).tolist()
    return float(np.mean(right))


def verdict(half, key, seed=0):
    """{"population", "seed", "what", "features", "failing", "classifier"} of some cells."""
    values = half.values
    bad = failing(values["B"], values[key], half.heads)
    return {
        "population": half.name,
        "seed": half.seed,
        "what": key,
        "cells": [len(values["B"]), len(values[key])],
        "features": len(half.heads),
        "failing": bad,
        "classifier": round(told_apart(values["B"], values[key], seed), 3),
    }


def line(found):
    """A verdict as a line of text."""
    worst = sorted(found["failing"].items(), key=lambda item: -abs(item[1]))
    words = ", ".join(f"{name} {value:+.2f}" for name, value in worst[:12])
    return (
        f"{found['population']:>10} {found['seed']} {found['what']:<12} "
        f"{len(found['failing']):>3} of {found['features']:<3} "
        f"{found['classifier']:.2f}  {words}"
    )


def totals(verdicts):
    """A line for each kind of cells: features that fail, and the mean accuracy."""
    for what in dict.fromkeys(found["what"] for found in verdicts):
        some = [found for found in verdicts if found["what"] == what]
        bad = sum(len(found["failing"]) for found in some)
        every = sum(found["features"] for found in some)
        accuracy = np.mean([found["classifier"] for found in some])
        yield f"{what:<12} {bad} of {every} features fail, classifier {accuracy:.2f}"


def measure(options, scratch, say):
    """The part ``judge`` of the command: every population, each split, each kind of growth."""
    data = options.data
    found = []
    for name in options.populations or POPULATIONS:
        cells = population(data, name)
        for seed in options.splits:
            half, first = prepare(name, cells, seed)
            for mode in options.modes:
                more = ["--growth-calibration", mode] if mode != "none" else []
                place = scratch / f"judge_{name}_{seed}_{mode}"
                paths = grow(first, place, name, CELLS, [*more, *options.option])
                rows = judge_features.table([load(path) for path in paths], half.kinds)[1]
                half.values[mode] = rows
            for what in ("A", "copies", *options.modes):
                found.append(verdict(half, what))
                say(line(found[-1]))
    say("", *totals(found))
    return found
