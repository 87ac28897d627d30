"""Make the example dataset, whole or not at all."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import writing
from region_grower_flow.io.morphologies import write_morphology

from . import atlases, positions, structures
from .celltypes import CELL_TYPES
from .growth import grow_cell
from .overrides import parameter_overrides
from .targets import depth_of_layer

VERSION = 1
"""Raised whenever the content for the same options changes."""
MARKER = "example.json"
"""Written last; a folder without it is not ours to replace."""
CELLS_PER_MTYPE = 8
DONORS_PER_MTYPE = 2
DEFAULT_CELLS = 60
ATLASES = ("column", "curved")
BOTH = "both"

# Independent random streams of one seed.
_REFERENCE, _DONOR, _POSITIONS, _AXONS = range(4)


@dataclass(frozen=True)
class ExamplePaths:
    """Where the parts of an example are (None: not asked for).

    ``nodes``, ``atlas`` and ``axons`` belong to the column, ``*_curved`` to the curved atlas.
    """

    folder: Path
    morphologies: Path
    mtypes: Path
    donors: Path
    overrides: Path
    region_structure: Path
    region_structure_regions: Path
    region_structure_boundaries: Path
    atlas: Path | None
    nodes: Path | None
    axons: Path | None
    atlas_curved: Path | None
    nodes_curved: Path | None
    axons_curved: Path | None

    @classmethod
    def of(cls, folder, atlas=BOTH):
        """The paths of an example in ``folder``."""
        folder = Path(folder)
        column = folder if atlas in (BOTH, "column") else None
        curved = folder if atlas in (BOTH, "curved") else None
        return cls(
            folder=folder,
            morphologies=folder / "morphologies",
            mtypes=folder / "mtypes.dat",
            donors=folder / "donors",
            overrides=folder / "parameter_overrides.json",
            region_structure=folder / "region_structure.yaml",
            region_structure_regions=folder / "region_structure_regions.yaml",
            region_structure_boundaries=folder / "region_structure_boundaries.yaml",
            atlas=column and column / "atlas_column",
            nodes=column and column / "nodes.h5",
            axons=column and column / "axons.tsv",
            atlas_curved=curved and curved / "atlas_curved",
            nodes_curved=curved and curved / "nodes_curved.h5",
            axons_curved=curved and curved / "axons_curved.tsv",
        )


def create_example(folder, seed=0, atlas=BOTH, n_cells=DEFAULT_CELLS):
    """Make the example in ``folder``; an example that is there with the same options stays.

    The content depends on the options only. It is written to a folder beside and renamed, so that
    ``folder`` holds all of it or nothing.

    Args:
        folder: where to put it. Must not exist, be empty, or hold an example made by this function
            (which is replaced when its options differ).
        seed: of everything drawn.
        atlas: "column", "curved" or "both".
        n_cells: positions per atlas.

    Returns:
        :class:`ExamplePaths`

    Raises:
        InvalidInput: an option is out of range, or the folder holds something else.
        OutputFailed: the folder cannot be written.
    """
    folder = Path(folder)
    options = {"version": VERSION, "seed": seed, "atlas": atlas, "n_cells": n_cells}
    _check_options(seed, atlas, n_cells)
    made_with = _options_of(folder)
    if made_with == options:
        return ExamplePaths.of(folder, atlas)
    with writing(folder):
        _replace(folder, options)
    return ExamplePaths.of(folder, atlas)


def _replace(folder, options):
    """Fill a folder beside ``folder`` and put it in its place."""
    atlas = options["atlas"]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as parent:
        # A folder made inside the temporary one has the permissions of the user's umask.
        fresh = Path(parent) / "new"
        fresh.mkdir()
        _fill(ExamplePaths.of(fresh, atlas), options["seed"], options["n_cells"])
        (fresh / MARKER).write_text(json.dumps(options, indent=1) + "\n", encoding="utf-8")
        if folder.exists():
            os.replace(folder, Path(parent) / "old")
        os.replace(fresh, folder)


def _check_options(seed, atlas, n_cells):
    if seed < 0:
        raise InvalidInput(f"the seed {seed} is negative", hint="Give 0 or more")
    if atlas not in (*ATLASES, BOTH):
        raise InvalidInput(f"there is no atlas {atlas!r}", hint="Give column, curved or both")
    if n_cells < len(CELL_TYPES):
        raise InvalidInput(
            f"{n_cells} cells are too few", hint=f"Give {len(CELL_TYPES)} or more, one per mtype"
        )


def _options_of(folder):
    """The options of the example in ``folder``; None when the folder is absent or empty."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise InvalidInput("it is not a folder", where=folder, hint="Name another folder")
    try:
        return json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if any(folder.iterdir()):
            raise InvalidInput(
                "the folder is not empty and holds no example",
                where=folder,
                hint="Name an empty folder or one that does not exist",
            ) from None
        return None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{MARKER} cannot be read ({error})", where=folder, hint="Remove the folder"
        ) from None


def _fill(paths, seed, n_cells):
    import yaml

    references = _write_references(paths, seed)
    donors = _write_donors(paths, seed)
    overrides = json.dumps(parameter_overrides(references), indent=1)
    paths.overrides.write_text(overrides + "\n", encoding="utf-8")
    for path, structure in (
        (paths.region_structure, structures.plain_structure()),
        (paths.region_structure_regions, structures.regions_structure()),
        (paths.region_structure_boundaries, structures.boundaries_structure()),
    ):
        path.write_text(yaml.safe_dump(structure, sort_keys=False), encoding="utf-8")
    mesh = paths.folder / structures.PIA_MESH
    mesh.parent.mkdir()
    mesh.write_text(structures.pia_mesh(), encoding="utf-8")
    if paths.atlas:
        space = atlases.column()
        atlases.write_atlas(space, paths.atlas)
        rng = np.random.default_rng([seed, _POSITIONS, 0])
        table = positions.cell_table(space, n_cells, rng, positions.usable_in_column(space))
        positions.write_nodes(table, paths.nodes)
        _write_axons(paths.axons, table, donors, np.random.default_rng([seed, _AXONS, 0]))
    if paths.atlas_curved:
        space = atlases.curved()
        atlases.write_atlas(space, paths.atlas_curved)
        rng = np.random.default_rng([seed, _POSITIONS, 1])
        table = positions.cell_table(space, n_cells, rng, positions.usable_in_curved(space))
        positions.write_nodes(table, paths.nodes_curved)
        _write_axons(paths.axons_curved, table, donors, np.random.default_rng([seed, _AXONS, 1]))


def reference_cells(cell_type, seed, count=CELLS_PER_MTYPE, donors=False):
    """Grow the reference cells (or the axon donors) of an m-type.

    Soma depths are spread evenly over the middle 70 % of its layers.

    Returns:
        A list of (name, soma depth in um, FlatMorphology).
    """
    stream = _DONOR if donors else _REFERENCE
    top = depth_of_layer(cell_type.layers[0])[0]
    bottom = depth_of_layer(cell_type.layers[-1])[1]
    depths = top + (bottom - top) * (0.15 + 0.7 * (np.arange(count) + 0.5) / count)
    cells = []
    for index, depth in enumerate(depths):
        rng = np.random.default_rng([seed, stream, CELL_TYPES.index(cell_type), index])
        kind = "axon" if donors else "cell"
        name = f"{cell_type.mtype.replace(':', '-')}_{kind}{index + 1:02d}"
        cells.append((name, float(depth), grow_cell(cell_type, depth, rng, with_axon=donors)))
    return cells


def _write_references(paths, seed):
    """Write the reference cells and the dat file; returns {cell type: [(depth, cell)]}."""
    paths.morphologies.mkdir()
    lines, cells = ["morphology layer mtype"], {}
    for cell_type in CELL_TYPES:
        cells[cell_type] = []
        for name, depth, cell in reference_cells(cell_type, seed):
            write_morphology(paths.morphologies, name, cell, ["h5"])
            lines.append(f"{name} {cell_type.layers[0]} {cell_type.mtype}")
            cells[cell_type].append((depth, cell))
    paths.mtypes.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return cells


def _write_donors(paths, seed):
    """Write the cells whose axons are grafted; returns {mtype: [name]}."""
    paths.donors.mkdir()
    names = {}
    for cell_type in CELL_TYPES:
        names[cell_type.mtype] = []
        for name, _, cell in reference_cells(cell_type, seed, DONORS_PER_MTYPE, donors=True):
            write_morphology(paths.donors, name, cell, ["h5"])
            names[cell_type.mtype].append(name)
    return names


def _write_axons(path, table, donors, rng):
    """Write the axon table: for each cell (from 0 on) a donor of its m-type, and a scale."""
    lines = ["\tmorphology\tscale"]
    for index, mtype in enumerate(table["mtype"]):
        donor = donors[mtype][int(rng.integers(len(donors[mtype])))]
        lines.append(f"{index}\t{donor}\t{np.exp(rng.normal(0.0, 0.05)):.3f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
