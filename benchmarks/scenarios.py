"""Scenarios that are measured: folders with inputs and their call, with as many cells as wanted.

A scenario is a folder with ``options.json`` (the command and its options, paths relative to the
folder), as the golden scenarios beside the checkout are. Where these are absent, the package's own
example serves.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

BESIDE = Path(__file__).resolve().parents[2] / "shared"
"""The folder beside the checkout with golden scenarios and real data."""

NAMES = ("plain", "limits", "axon", "external_diameters", "boundary", "sscx", "synthdb_rat")

JITTER = 5.0
"""Cells that are repeated lie within this distance (um, each axis) of the original."""

FEW_BARS, SHORT = 2, 30.0
"""Bars, and their length (um), of the small cells for runs of 100,000 and more."""


SHORTER, MANY = 0.03, 50
"""Part by which a small cell's second bar is shortened at each end, and how often at most."""


@dataclass(frozen=True)
class Scenario:
    """One call of region-grower, in its own option names.

    Attributes:
        name: of the scenario.
        folder: in which relative paths of the options begin.
        options: {option without dashes: value, True for a flag}, without outputs.
    """

    name: str
    folder: Path
    options: dict

    def path(self, option):
        """The absolute path that an option names."""
        return (Path(self.folder) / self.options[option]).resolve()

    def arguments(self, out, **more):
        """The command's arguments, with outputs in the folder ``out``."""
        out = Path(out)
        places = {
            "out-cells": str(out / "nodes.h5"),
            "out-morph-dir": str(out / "morphologies"),
            "out-apical": str(out / "apical.yaml"),
        }
        words = ["synthesize-morphologies"]
        for name, value in {**self.options, **places, **more}.items():
            if value is True:
                words.append(f"--{name}")
            else:
                words += [f"--{name}", str(value)]
        return words

    def keywords(self, out):
        """The options as keyword arguments of the reference's class, paths absolute."""
        values = {name.replace("-", "_"): value for name, value in self.options.items()}
        for name in values.keys() & {name.replace("-", "_") for name in PATHS}:
            values[name] = str(self.path(name.replace("_", "-")))
        for name in values.keys() & {"seed", "min_depth", "max_depth"}:
            values[name] = int(values[name])
        for name in values.keys() & {"max_drop_ratio", "min_hard_scale", *JITTERS}:
            values[name] = float(values[name])
        values["out_morph_ext"] = [values.get("out_morph_ext", "h5")]
        out = Path(out)
        return {
            **values,
            "out_cells": str(out / "nodes.h5"),
            "out_morph_dir": str(out / "morphologies"),
        }


PATHS = (
    "input-cells",
    "tmd-parameters",
    "tmd-distributions",
    "atlas",
    "region-structure",
    "morph-axon",
    "base-morph-dir",
)
JITTERS = ("rotational_jitter_std", "scaling_jitter_std")


def read_scenario(folder):
    """The Scenario of a folder with ``options.json``."""
    folder = Path(folder)
    words = json.loads((folder / "options.json").read_text(encoding="utf-8"))[1:]
    options = {}
    for position, word in enumerate(words):
        if not word.startswith("--"):
            continue
        following = words[position + 1 : position + 2]
        flag = not following or following[0].startswith("--")
        options[word.removeprefix("--")] = True if flag else following[0]
    return Scenario(folder.name, folder, {k: v for k, v in options.items() if k[:4] != "out-"})


def find_scenarios(names=NAMES, more=(), folder=None, scratch=None):
    """The scenarios to measure.

    Args:
        names: of golden scenarios.
        more: further folders with ``options.json``, or folders of such folders.
        folder: of the golden scenarios; default: beside the checkout.
        scratch: where the example is made when there are no golden scenarios.
    """
    folder = Path(folder or BESIDE / "golden")
    found = [read_scenario(folder / name) for name in names if (folder / name).is_dir()]
    for place in map(Path, more):
        inside = [place] if (place / "options.json").is_file() else sorted(place.iterdir())
        found += [read_scenario(path) for path in inside if (path / "options.json").is_file()]
    return found or [example_scenario(scratch)]


def example_scenario(folder):
    """The package's own example as a scenario, its parameters and distributions extracted."""
    import subprocess
    import sys

    from region_grower_flow.example import create_example

    paths = create_example(Path(folder) / "example", n_cells=60, atlas="column")
    options = {
        "input-cells": paths.nodes,
        "tmd-parameters": paths.folder.parent / "tmd_parameters.json",
        "tmd-distributions": paths.folder.parent / "tmd_distributions.json",
        "atlas": paths.atlas,
        "region-structure": paths.region_structure,
        "seed": "0",
    }
    calls = {
        "generate-parameters": ("-pf", options["tmd-parameters"], "--overrides", paths.overrides),
        "generate-distributions": ("-df", options["tmd-distributions"]),
    }
    for command, words in calls.items():
        inputs = [paths.morphologies, paths.mtypes, "-e", "h5"]
        call = [sys.executable, "-m", "region_grower_flow.cli", command, *inputs, *words]
        subprocess.run(list(map(str, call)), check=True)
    return Scenario("example", Path(folder), {name: str(path) for name, path in options.items()})


def with_cells(scenario, count, folder, seed=0):
    """The scenario with ``count`` cells: its own, repeated with their positions moved a little.

    A cell that would leave its region or layer stays where the original is.

    Args:
        scenario: a Scenario.
        count: the number of cells.
        folder: where the new inputs are written.
        seed: of the moves.
    """
    from voxcell import CellCollection, VoxelData

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    originals = CellCollection.load(scenario.path("input-cells")).as_dataframe()
    originals = originals.reset_index(drop=True)
    sources = np.arange(count) % len(originals)
    cells = originals.iloc[sources].reset_index(drop=True)
    moved = cells[["x", "y", "z"]].to_numpy()
    here = VoxelData.load_nrrd(scenario.path("atlas") / "brain_regions.nrrd")
    steps = np.random.default_rng(seed).uniform(-JITTER, JITTER, moved.shape)
    steps[: len(originals)] = 0.0
    away = (moved + steps).astype(moved.dtype)
    stays = here.lookup(moved, outer_value=-1) != here.lookup(away, outer_value=-1)
    cells[["x", "y", "z"]] = np.where(stays[:, None], moved, away)
    cells.index += 1  # voxcell counts from one
    path = folder / f"{scenario.name}_{count}.h5"
    CellCollection.from_dataframe(cells).save(path)
    options = {**_absolute(scenario), "input-cells": str(path)}
    if "morph-axon" in options:
        table = folder / f"{scenario.name}_{count}_axons.tsv"
        options["morph-axon"] = str(_repeat_axons(options["morph-axon"], sources, table))
    return replace(scenario, folder=folder, options=options)


def with_small_cells(scenario, folder):
    """The scenario with cells of a few short bars: growth takes next to no time."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = json.loads(scenario.path("tmd-distributions").read_text(encoding="utf-8"))
    for mtypes in content.values():
        for distributions in mtypes.values():
            for values in distributions.values():
                if isinstance(values, dict) and "persistence_diagram" in values:
                    barcodes = values["persistence_diagram"]
                    values["persistence_diagram"] = [_few_bars(bars) for bars in barcodes]
    path = folder / f"{scenario.name}_small.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    options = {**_absolute(scenario), "tmd-distributions": str(path)}
    return replace(scenario, name=f"{scenario.name}_small", folder=folder, options=options)


def _few_bars(bars):
    """The longest bars, none longer than SHORT; the first of them starts at the soma.

    The second is shortened until the apical point of the two does not hang on the last digits of
    numbers: TMD would estimate it anew for each cell, and its time would be measured.
    """
    from region_grower_flow.engine.apical import NO_POINT, ApicalPoint

    longest = sorted(bars, key=lambda bar: bar[0] - bar[1], reverse=True)[:FEW_BARS]
    scale = min(1.0, SHORT / max(max(bar[:2]) for bar in longest))
    few = [[bar[0] * scale, bar[1] * scale, *bar[2:]] for bar in longest]
    for _ in range(MANY):
        if ApicalPoint.prepare(np.array(few, dtype=float)).bin not in (None, NO_POINT):
            break
        piece = SHORTER * (few[-1][0] - few[-1][1])
        few[-1][:2] = few[-1][0] - piece, few[-1][1] + piece
    return few


def _absolute(scenario):
    names = scenario.options.keys() & set(PATHS)
    return {**scenario.options, **{name: str(scenario.path(name)) for name in names}}


def _repeat_axons(path, sources, target):
    """The axon table with the rows of the repeated cells."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    rows = dict(line.split("\t", 1) for line in lines[1:])
    repeated = [
        f"{cell}\t{rows[str(source)]}" for cell, source in enumerate(sources) if str(source) in rows
    ]
    target.write_text("\n".join([lines[0], *repeated, ""]), encoding="utf-8")
    return target
