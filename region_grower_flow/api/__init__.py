"""The package from Python: reconstructions, a model of them, cells and populations.

Thin over the stages: what is slow is made once and found again in a work folder, as in workflows::

    import region_grower_flow as rgf

    ref = rgf.Reconstructions("dend/", "index.dat", mtypes=["L5_TPC:A"])
    model = ref.calibrate()
    cell = model.grow("L5_TPC:A", seed=1)
    pop = model.populate("nodes.h5", atlas="atlas/", region_structure="regions.yaml", limit=300)

Errors are FlowErrors: a sentence each, of what is wrong, where, and what to do.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from region_grower_flow import layout
from region_grower_flow.api.grown import Cell, Population, read_cells
from region_grower_flow.errors import DropCell, InvalidInput, nearest
from region_grower_flow.io.atomic import make_own_folder, write_bytes_atomic
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.options.growth import Growth
from region_grower_flow.report import show
from region_grower_flow.tasks.direct import build, task_of

__all__ = ["Cell", "Model", "Population", "Reconstructions"]

L = logging.getLogger(__name__)

WORK = "region_grower_flow_work"
GROWTH = {"exact": "none", "parameters": "parameters", "extended": "extended"}
"""Ways to grow, and the values of the option ``growth_calibration``."""


@dataclass(frozen=True)
class Reconstructions:
    """Reconstructed cells of some mtypes.

    Attributes:
        folder: of the files (h5, swc or asc), upright: the pia along +y.
        table: the mtype of each cell (.dat, .csv, .tsv or neuronDB .xml).
        mtypes: those to use; all by default.
        extension: of the files; found from the first of them by default.
        work_dir: where what is made of them is kept and found again.
    """

    folder: str | Path
    table: str | Path
    mtypes: Iterable[str] | None = ()
    extension: str | None = None
    work_dir: str | Path = WORK

    def __post_init__(self) -> None:
        object.__setattr__(self, "mtypes", _names(self.mtypes))

    def options(self) -> dict[str, Any]:
        """The options that name them in tasks."""
        extension = self.extension
        if extension is None:
            found = sorted(p.suffix for p in Path(self.folder).glob("*") if _is_morphology(p))
            extension = found[0].lstrip(".") if found else "h5"
        return {
            "morphologies_dir": str(self.folder),
            "dat_file": str(self.table),
            "morphologies_ext": extension,
            "mtypes": self.mtypes,
            "work_dir": str(self.work_dir),
        }

    def dataset(self) -> dict[str, Any]:
        """{mtype: [ReferenceCell]}, in the order of the table."""
        from region_grower_flow.calibration.sources import read_reconstructions

        found: dict[str, Any] = read_reconstructions(
            task_of("ExtractDistributions", **self.options())
        ).mtypes
        return found

    def morphologies(self, mtype: str) -> list[FlatMorphology]:
        """The cells of an mtype (um, the soma's center at the origin).

        Raises:
            InvalidInput: there are none of it, or they cannot be used.
        """
        dataset = self.dataset()
        if mtype not in dataset:
            problem = f"no cell is of the mtype {mtype!r}"
            raise InvalidInput(problem, self.table, nearest(mtype, dataset))
        return read_cells(dataset, mtype)

    def calibrate(self, growth: str = "exact", **options: Any) -> Model:
        """Extract distributions and make parameters, unless that has been done.

        What the reconstructions do not give is warned of in the log, as in the terminal.

        Args:
            growth: ``exact`` (as NeuroTS grows), ``parameters`` (fitted within NeuroTS) or
                ``extended`` (with growth levers).
            options: of the tasks (``trunk_fits``, ``overrides``, ...).

        Raises:
            FlowError: reconstructions that cannot be used, each with its sentence.
        """
        if growth not in GROWTH:
            raise InvalidInput(f"{growth!r} is no way to grow", "calibrate", f"one of {[*GROWTH]}")
        own = {**self.options(), "growth_calibration": GROWTH[growth], **options}
        own = {n: v for n, v in own.items() if n != "growth_calibration" or v != "none"}
        calibrated = "growth_calibration" in own
        stage = "CalibrateGrowth" if calibrated else "BuildParameters"
        stages = [build(task_of(name, **own)) for name in (stage, "ExtractDistributions")]
        for made in reversed(stages):
            for remark in made.facts().get("remarks", ()):
                L.warning("%s", remark)
        folder = self._keep(*(made.path for made in stages))
        return Model(folder / layout.PARAMETERS, folder / layout.DISTRIBUTIONS, self, dict(own))

    def _keep(self, parameters: Path, distributions: Path) -> Path:
        """The folder of copies, named by their content: the next calibration writes over these."""
        contents = {
            layout.PARAMETERS: Path(parameters).read_bytes(),
            layout.DISTRIBUTIONS: Path(distributions).read_bytes(),
        }
        key = hashlib.sha256(b"\0".join(contents.values())).hexdigest()[:20]
        folder = make_own_folder(self.work_dir, layout.MODELS, key)
        for name, content in contents.items():
            place = folder / name
            if not (place.is_file() and place.read_bytes() == content):
                write_bytes_atomic(place, content)
        return folder

    def _repr_html_(self) -> str:
        cells = self.dataset()
        counts = [(mtype, len(own)) for mtype, own in cells.items()]
        rows = [(m, read_cells(cells, m)[:1]) for m in list(cells)[: show.MOST]]
        return show.table("Reconstructions", counts) + show.picture(
            [cell for _, own in rows for cell in own]
        )


def _names(mtypes: str | Iterable[str] | None) -> tuple[str, ...]:
    """Mtypes as they may be given: one as text, any number, read only once, or None for none."""
    return (mtypes,) if isinstance(mtypes, str) else tuple(mtypes or ())


def _is_morphology(path: Path) -> bool:
    return path.suffix.lstrip(".") in layout.MORPHOLOGY_EXTENSIONS


@dataclass(frozen=True)
class Model:
    """Parameters and distributions, from which cells grow.

    Attributes:
        parameters, distributions: JSON files.
        reconstructions: that they are made of; None where they are given.
        options: that they were made with.
    """

    parameters: Path
    distributions: Path
    reconstructions: Reconstructions | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("parameters", "distributions"):
            object.__setattr__(self, name, Path(getattr(self, name)))

    def grow(
        self, mtype: str, seed: int = 0, region: str = layout.DEFAULT_REGION, **growth: Any
    ) -> Cell:
        """A cell without an atlas: that of ``SynthesizeVacuum`` with this seed. Nothing is kept.

        Args:
            mtype: one of the parameters.
            seed: of the cell.
            region: whose parameters are used.
            growth: options of growth.

        Raises:
            DropCell: the cell cannot be grown, with the reason.
            InvalidInput: the mtype is not known.
        """
        from region_grower_flow.cell.settings import SynthesisSettings
        from region_grower_flow.cell.synthesis import Synthesizer
        from region_grower_flow.io.morphologies import load_morphology
        from region_grower_flow.io.table import write_table
        from region_grower_flow.record.fingerprint import package_versions
        from region_grower_flow.stages.vacuum import VacuumPlan, vacuum_mtypes, vacuum_table

        if not isinstance(mtype, str):
            raise InvalidInput(f"expected the name of an mtype, not {mtype!r}", "grow")
        plan = VacuumPlan(
            self.parameters, self.distributions, Path("nowhere"), mtypes=(mtype,), cells=1,
            region=region,
        )  # fmt: skip
        table = vacuum_table(vacuum_mtypes(plan), plan)
        table.numbers[:] = 0  # the cell's seed is the run's
        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder, layout.CELL_TABLE)
            write_table(rows, table)
            settings = SynthesisSettings(
                cell_table=str(rows), rows=(0, 1), parameters=str(self.parameters.absolute()),
                distributions=str(self.distributions.absolute()), morphologies=folder,
                growth=Growth(**growth).replace(
                    seed=Growth.DECLARED["seed"].check(seed) % layout.MAX_SEED,
                    out_morph_ext=("h5",),
                ),
                versions=package_versions(),
            )  # fmt: skip
            record = Synthesizer(settings).synthesize(0)
            if record["status"] != layout.MADE:
                raise DropCell(f"{mtype} with seed {seed}: {record['reason']}")
            morphology = load_morphology(Path(folder, f"{record['name']}.h5"))
        return Cell(mtype, int(seed), morphology)

    def populate(
        self,
        cells: str | Path,
        atlas: str | Path,
        region_structure: str | Path,
        limit: int | None = None,
        mtypes: Iterable[str] | None = (),
        seed: int = 0,
        work_dir: str | Path | None = None,
        **options: Any,
    ) -> Population:
        """The cells of a workflow: positions, an atlas, one morphology each.

        Args:
            cells: SONATA nodes or MVD3.
            atlas, region_structure: see :doc:`/reference/formats`.
            limit: cells, of each mtype as many as of any other; all by default.
            mtypes: only cells of these; by default of those that the reconstructions were chosen
                by, or all.
            seed: of the run.
            work_dir: where cells are kept and found again, and replaced by those of other options;
                beside the model's parameters by default.
            options: of SynthesizeMorphologies.
        """
        mtypes = _names(mtypes)
        if not mtypes and self.reconstructions is not None:
            mtypes = _names(self.reconstructions.mtypes)
        if self.reconstructions is not None:  # a folder of this model alone
            usual = self.parameters.parent
        else:
            usual = Path(self.options.get("work_dir", WORK))
        beside = Path(work_dir or usual / "populations")
        task = task_of(
            "SynthesizeMorphologies",
            **{
                "input_cells": str(cells), "atlas": str(atlas), "seed": seed,
                "cells_limit": limit, "cells_mtypes": mtypes,
                "region_structure": str(region_structure), "work_dir": str(beside / "work"),
                "tmd_parameters": str(self.parameters),
                "tmd_distributions": str(self.distributions),
                "out_cells": str(beside / "out" / "nodes.h5"),
                "out_morph_dir": str(beside / "out" / "morphologies"),
                "circuit_config": str(beside / "out" / "circuit_config.json"),
                "skip_page": True, "hide_progress_bar": True, **options,
            },
        )  # fmt: skip
        return Population(build(task))

    def _repr_html_(self) -> str:
        return show.table(
            "Model", [("parameters", self.parameters), ("distributions", self.distributions)]
        )
