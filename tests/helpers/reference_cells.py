"""Small reference cells for the tests of calibration, written by MorphIO."""

import os
import signal

import numpy as np
from morphio import PointLevel, SectionType, SomaType
from morphio.mut import Morphology

PYRAMIDAL, INTERNEURON = "L5_PC:A", "L1_IN"


def make_cell(rng, basals=3, apicals=0, axons=0, depth=3, diameter=1.0):
    """A random cell: trees that bifurcate ``depth`` times, basal downwards and apical upwards."""
    cell = Morphology()
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    cell.soma.points = np.c_[5 * np.cos(angles), 5 * np.sin(angles), 0 * angles]
    cell.soma.diameters = np.zeros(8)
    cell.soma.type = SomaType.SOMA_SIMPLE_CONTOUR
    kinds = (
        (SectionType.axon, axons, -1.0),
        (SectionType.basal_dendrite, basals, -0.2),
        (SectionType.apical_dendrite, apicals, 3.0),
    )
    for kind, count, up in kinds:
        for _ in range(count):
            direction = rng.normal(size=3) + [0, up, 0]
            direction /= np.linalg.norm(direction)
            root = cell.append_root_section(_section(rng, 5 * direction, direction, diameter), kind)
            _bifurcate(rng, root, direction, depth, diameter)
    return cell


def _section(rng, start, direction, diameter, count=6):
    steps = 4 * direction + rng.normal(scale=0.8, size=(count - 1, 3))
    points = np.vstack([start, start + np.cumsum(steps, axis=0)])
    return PointLevel(points, diameter * rng.uniform(0.8, 1.2, count))


def _bifurcate(rng, section, direction, depth, diameter):
    if depth == 0:
        return
    for _ in range(2):
        turned = direction + rng.normal(scale=0.4, size=3)
        turned /= np.linalg.norm(turned)
        level = _section(rng, section.points[-1], turned, 0.8 * diameter)
        _bifurcate(rng, section.append_section(level), turned, depth - 1, 0.8 * diameter)


def write_cell(cell, folder, name, extension="h5"):
    """Write a cell, for swc with a soma of one point."""
    folder.mkdir(parents=True, exist_ok=True)
    if extension == "swc":
        cell.soma.points, cell.soma.diameters = np.zeros((1, 3)), [10.0]
        cell.soma.type = SomaType.SOMA_SINGLE_POINT
    path = folder / f"{name}.{extension}"
    cell.write(str(path))
    return path


def write_dataset(folder, extension="h5", header=True):
    """6 pyramidal cells with an apical tree and 6 interneurons without: (folder, dat file)."""
    rng = np.random.default_rng(7)
    lines = ["morphology layer mtype"] if header else []
    for i in range(6):
        write_cell(make_cell(rng, apicals=1), folder / "cells", f"pc_{i}", extension)
        write_cell(make_cell(rng, basals=2 + i % 3), folder / "cells", f"in_{i}", extension)
        lines += [f"pc_{i} 5 {PYRAMIDAL}", f"in_{i} 1 {INTERNEURON}"]
    return folder / "cells", write_dat(folder, lines)


def write_dat(folder, lines):
    """A dat file of these lines."""
    path = folder / "neurondb.dat"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def die(task):
    """Stands for a process that is killed from outside while it works on a task."""
    os.kill(os.getpid(), signal.SIGKILL)


def write_first_rows(table, path, count, mtypes=None):
    """Write a table with the first ``count`` cells of each mtype (or of some): it is read sooner.

    Args:
        table: the table of reconstructions, its mtypes in the last column, with a header.
        path: of the table to write.
        count: of cells per mtype.
        mtypes: those that stay, None for all.
    """
    header, *lines = table.read_text(encoding="utf-8").splitlines()
    kept = {}
    for line in lines:
        mtype = line.split()[-1]
        if mtypes is None or mtype in mtypes:
            kept.setdefault(mtype, []).append(line)
    rows = [line for group in kept.values() for line in group[:count]]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path
