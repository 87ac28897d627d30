"""Grown cells: a single one, and those of a synthesis in an atlas."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.report import show

if TYPE_CHECKING:
    import morphio
    import pandas as pd
    from matplotlib.figure import Figure

    from region_grower_flow.report.placed import PlacedCell, SynthesizedCells


class Reconstructed(Protocol):
    """Reconstructions that a population is compared with."""

    def dataset(self) -> dict[str, Any]:
        """{mtype: [ReferenceCell]}."""


def read_cells(dataset: Mapping[str, Any], mtype: str) -> list[FlatMorphology]:
    """The cells of an mtype (um, the soma's center at the origin); empty where there are none.

    Args:
        dataset: {mtype: [ReferenceCell]}.
        mtype: its name.
    """
    from region_grower_flow.validation.populations import read_references

    cells, _ = read_references(dataset.get(mtype, ()), mtype)
    return [cell.morphology for cell in cells]


@dataclass(frozen=True)
class Cell:
    """A grown cell.

    Attributes:
        mtype: its mtype.
        seed: its seed.
        morphology: FlatMorphology (um), the soma at the origin, the pia along +y.
    """

    mtype: str
    seed: int
    morphology: FlatMorphology = field(repr=False)

    def plot(self) -> Figure:
        """A matplotlib Figure of the cell."""
        return show.figure([self.morphology], f"{self.mtype}, seed {self.seed}")

    def plot3d(self) -> show.Page:
        """The cell in 3D, for a notebook or a file (``.save(path)``)."""
        return show.in_space([(self.mtype, f"seed {self.seed}", self.morphology)])

    def to_morphio(self) -> morphio.mut.Morphology:
        """The morphio.mut.Morphology."""
        return self.morphology.to_morphio()

    def save(self, path: str | Path) -> None:
        """Write the cell in the format of its extension; raises InvalidInput for any other name."""
        from region_grower_flow.io.morphologies import write_morphology

        path = Path(path)
        kind = path.suffix.lstrip(".")
        if kind not in layout.MORPHOLOGY_EXTENSIONS:
            hint = f"one of .{', .'.join(layout.MORPHOLOGY_EXTENSIONS)}"
            raise InvalidInput("its extension says no format of morphologies", path, hint)
        write_morphology(path.parent, path.stem, self.morphology, (kind,))

    def _repr_html_(self) -> str:
        counts = [
            ("seed", self.seed),
            ("trees", int((self.morphology.parents < 0).sum())),
            ("sections", self.morphology.n_sections),
        ]
        return show.table(self.mtype, counts) + show.picture([self.morphology])


class Population:
    """The cells of a synthesis in an atlas, or those of one mtype of it.

    They are read when they are asked for. When another run has written to their place by then, or
    the current folder is another one and their place begins from there, InvalidInput is raised.

    Args:
        task: SynthesizeMorphologies, made.
        mtypes: those that belong to it; all by default.
    """

    def __init__(self, task: Any, mtypes: Iterable[str] = ()) -> None:
        from region_grower_flow.atlas.structure import load_region_structure
        from region_grower_flow.report.placed import SynthesizedCells
        from region_grower_flow.tasks.atlas_outputs import atlas_outputs

        self.task, self._folder = task, os.getcwd()
        structure = load_region_structure(task.region_structure)
        self._cells = SynthesizedCells.read(atlas_outputs(task), structure)
        self._made = task.existing_manifest()
        known = list(self._cells.mtypes)
        self.mtypes = [mtype for mtype in known if not mtypes or mtype in set(mtypes)]

    @property
    def _placed(self) -> SynthesizedCells:
        self._require_same()
        return self._cells

    def _require_same(self) -> None:
        """Raise InvalidInput where the cells are no more those that were grown."""
        if os.getcwd() != self._folder and not os.path.isabs(self.task.out_cells):
            problem = "the current folder is another one than where this population was grown"
            raise InvalidInput(problem, os.getcwd(), f"go back: os.chdir({self._folder!r})")
        manifest = self.task.manifest()
        if manifest is None or manifest.fingerprint != self._made.fingerprint:
            raise InvalidInput(
                "the cells of this population have been replaced or removed since they were grown",
                Path(self.task.out_cells).parent,
                "grow it again, with a work_dir of its own",
            )

    def __len__(self) -> int:
        return sum(len(self._placed.mtypes[mtype].names) for mtype in self.mtypes)

    def __getitem__(self, mtype: str) -> Population:
        if mtype not in self.mtypes:
            raise KeyError(mtype)
        self._require_same()
        return Population(self.task, [mtype])

    def __iter__(self) -> Iterator[PlacedCell]:
        """The cells as SynthesizedCells; each file is read when its ``morphology`` is asked for."""
        for mtype in self.mtypes:
            yield from self._placed.sample(mtype)

    def summary(self) -> pd.DataFrame:
        """A pandas.DataFrame: cells asked, made and dropped, and the commonest reason, by mtype."""
        import pandas as pd

        self._require_same()
        told = self._made.facts["mtypes"]
        rows = [
            {
                "mtype": mtype,
                **{name: told[mtype][name] for name in ("asked", "made", "dropped")},
                "reason": max(told[mtype]["reasons"], key=told[mtype]["reasons"].get, default=""),
            }
            for mtype in self.mtypes
        ]
        return pd.DataFrame(rows).set_index("mtype")

    def plot(self, cells: int = 6, seed: int = 0) -> Figure:
        """A matplotlib Figure of some cells of each mtype, upright, in their layers."""
        from region_grower_flow.report.lineup import plot_lineup

        chosen = [c for m in self.mtypes for c in self._placed.sample(m, cells, seed)]
        return plot_lineup([cell.upright() for cell in chosen])

    def plot3d(self, cells: int = 6, seed: int = 0) -> show.Page:
        """Some cells of each mtype where they lie, in 3D."""
        chosen = [c for m in self.mtypes for c in self._placed.sample(m, cells, seed)]
        return show.placed_in_space(chosen)

    def compare(self, reference: Reconstructed, cells: int = 50, seed: int = 0) -> pd.DataFrame:
        """A pandas.DataFrame of scores: features of some cells against the reconstructions.

        A score (MVS) is the difference of the medians over the visible spread; ``limit`` is what
        equal populations of these sizes stay below.
        """
        import pandas as pd

        from region_grower_flow.report.by_mtype import neurite_types
        from region_grower_flow.report.features import cell_rows, score_rows
        from region_grower_flow.validation.cells import ValidationCell
        from region_grower_flow.validation.results import REFERENCE, SYNTHESIZED

        rows, dataset = [], reference.dataset()
        for mtype in self.mtypes:
            theirs = [
                ValidationCell(f"{mtype} {i}", m) for i, m in enumerate(read_cells(dataset, mtype))
            ]
            own = [c.measurable() for c in self._placed.sample(mtype, cells, seed)]
            if theirs and own:
                kinds = neurite_types(theirs, own)
                measured = cell_rows(mtype, {REFERENCE: theirs, SYNTHESIZED: own}, kinds)
                rows += score_rows(mtype, measured, seed)
        return pd.DataFrame(rows)

    def save(self, nodes: str | Path, overwrite: bool = False) -> Path:
        """Copy nodes, morphologies and circuit configuration into the folder of ``nodes``.

        Args:
            nodes: path of the nodes there.
            overwrite: whether other files that are there already are replaced.

        Raises:
            InvalidInput: a file is there already, with another content; these are the cells of
                some mtypes only; or the folder is one of the run's own. Nothing has been written.
        """
        from region_grower_flow.checks import places
        from region_grower_flow.record.listing import read_listing
        from region_grower_flow.stages.saving import save_outputs

        self._require_same()
        if len(self.mtypes) < len(self._cells.mtypes):
            hint = f"save all, or what populate(mtypes={self.mtypes}) gives"
            raise InvalidInput("not all mtypes of a population can be saved", nodes, hint)
        target, own = Path(nodes), Path(self.task.out_cells)
        if target.suffix != own.suffix:
            raise InvalidInput(f"its extension must be {own.suffix}", target, f"as of {own}")
        for name in ("work_dir", "out_morph_dir"):
            if Path(getattr(self.task, name)).resolve() in target.resolve().parents:
                hint = "save into a folder of its own"
                raise InvalidInput(f"is in {name} of this population's run", target, hint)
        if target.resolve() != own.resolve():
            folder = Path(self.task.out_morph_dir)
            names = read_listing(self.task.listing, folder) or ()
            read = {what: getattr(self.task, name, None) for name, what in places.INPUTS.items()}
            save_outputs(
                list(self._made.outputs), own, folder, names, target,
                {what: path for what, path in read.items() if path}, overwrite,
            )  # fmt: skip
        return target

    def _repr_html_(self) -> str:
        cells = [self._placed.sample(m, 1)[:1] for m in self.mtypes[: show.MOST]]
        counts = [(m, len(self._placed.mtypes[m].names)) for m in self.mtypes]
        return show.table("Population", counts) + show.picture(
            [cell.morphology for own in cells for cell in own]
        )

    def positions(self) -> np.ndarray:
        """(N, 3) um, of the somata."""
        rows = self._placed.rows()
        return self._placed.table.positions[np.concatenate([rows[m] for m in self.mtypes])]
