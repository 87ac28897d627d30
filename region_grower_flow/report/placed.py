"""Synthesized cells with their places: what pictures and profiles in the atlas are made of."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from region_grower_flow.errors import FlowError, InvalidInput
from region_grower_flow.io.morphologies import load_morphology
from region_grower_flow.report.lineup import UprightCell
from region_grower_flow.validation.populations import read_synthesized, sample, upright


@dataclass(frozen=True)
class PlacedCell:
    """A synthesized cell.

    Attributes:
        name: of its morphology.
        mtype: the mtype.
        morphology: FlatMorphology (um), upright: the soma at the origin, the pia along +y.
        position: (3,) um, of the soma in the atlas.
        orientation: (3, 3), from upright to the atlas.
        depth: of the soma below the top of the region (um); None without layers and in vacuum.
        boundaries: depths (um) of the layers' boundaries at the cell, from the top down; None.
        layers: [(name, top, bottom)] of the same.
    """

    name: str
    mtype: str
    morphology: object
    position: np.ndarray
    orientation: np.ndarray
    depth: float | None = None
    boundaries: tuple | None = None
    layers: tuple = ()

    def upright(self, label=None):
        """The cell as a lineup draws it."""
        words = label or (
            f"soma at {self.depth:.0f} µm" if self.depth is not None else self.name[:8]
        )
        return UprightCell(words, self.morphology, self.depth or 0.0, self.layers)


class PlacedCells:
    """The cells of a synthesis.

    Args:
        outputs: :class:`~region_grower_flow.validation.populations.SynthesisOutputs`.
        structure: the region structure (dict), for the names of layers; None in vacuum.
    """

    def __init__(self, outputs, structure=None):
        from region_grower_flow.io.table import read_table

        self.synthesized = read_synthesized(outputs)
        self.table = read_table(outputs.cell_table)
        self._structure = structure

    @property
    def mtypes(self):
        """{mtype: MtypeCells}."""
        return self.synthesized.mtypes

    def sample(self, mtype, wanted=0, seed=0):
        """Some cells of an mtype: ([PlacedCell], [sentence on what cannot be read]).

        Which cells depends on the mtype, their number and the seed alone.

        Args:
            mtype: one of ``mtypes``.
            wanted: how many at most (0: all).
            seed: of the choice.
        """
        population = self.synthesized.mtypes[mtype]
        rng = np.random.default_rng([seed, zlib.crc32(mtype.encode("utf-8", "surrogatepass"))])
        chosen = sample(len(population.names), wanted, rng)
        found, lost = [], []
        for index in chosen:
            try:
                found.append(self._read(population.names[index], population.rows[index], mtype))
            except FlowError as error:
                lost.append(str(error))
        return found, lost

    def _read(self, name, row, mtype):
        if row < 0:
            raise InvalidInput("the cell table has no row of the cell", name)
        orientation = self.table.orientations[row]
        if not np.isfinite(orientation).all():
            orientation = np.eye(3)
        extension = self.synthesized.extensions[0]
        path = Path(self.synthesized.folder, f"{name}.{extension}")
        boundaries, depth = self.table.layers_of(row), float(self.table.depths[row])
        known = boundaries is not None and np.isfinite(depth)
        return PlacedCell(
            name=name,
            mtype=mtype,
            # What validation would call unsound is drawn all the same: pictures show it.
            morphology=upright(load_morphology(path), orientation),
            position=self.table.positions[row],
            orientation=orientation,
            depth=depth if known else None,
            boundaries=tuple(boundaries) if known else None,
            layers=self._layers(row, boundaries) if known else (),
        )

    def _layers(self, row, boundaries):
        entry = (self._structure or {}).get(self.table.synthesis_regions[row]) or {}
        names = layer_names(entry, len(boundaries) - 1)
        edges = zip(names, boundaries[:-1], boundaries[1:], strict=True)
        return tuple((name, float(top), float(bottom)) for name, top, bottom in edges)


def layer_names(entry, count):
    """Names of the layers of an entry of the region structure, from the top down."""
    layers = list(entry.get("layers") or ())
    return layers if len(layers) == count else list(range(1, count + 1))


def common_layers(cells):
    """[(name, top, bottom)] as medians over cells; () when their layers differ in number."""
    stacks = [cell.layers for cell in cells if cell.layers]
    if not stacks or len({tuple(name for name, _, _ in stack) for stack in stacks}) != 1:
        return ()
    edges = np.median([[(top, bottom) for _, top, bottom in stack] for stack in stacks], axis=0)
    names = [name for name, _, _ in stacks[0]]
    return tuple(
        (name, float(top), float(bottom)) for name, (top, bottom) in zip(names, edges, strict=True)
    )
