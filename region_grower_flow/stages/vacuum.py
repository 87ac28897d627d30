"""Vacuum synthesis: some cells of each mtype grown without any atlas.

For a quick look at parameters, and for validation. It is the synthesis of a chunk on a cell table
without space: all somata are at 0, upright, in a region without layers. So barcodes are not
scaled, and the limits and targets of ``context_constraints``, which are heights in layers, mean
nothing: as region-grower does in a region without layers, they are ignored. Each cell is the one
that NeuroTS grows from the same parameters, distributions and seed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow import layout
from region_grower_flow.cell.settings import SynthesisSettings
from region_grower_flow.engine.parameters import entry_region, load_distributions, load_parameters
from region_grower_flow.errors import InvalidInput, InvalidInputs, nearest, some
from region_grower_flow.io.atomic import PathLike, make_folder, remove_own, write_text_atomic
from region_grower_flow.io.csv_files import csv_text, read_csv
from region_grower_flow.options.execution import Execution
from region_grower_flow.options.growth import Growth
from region_grower_flow.options.vacuum import DEFAULT_CELLS
from region_grower_flow.record.tables import read_records
from region_grower_flow.runtime.commands import INPROCESS
from region_grower_flow.stages.chunk import ChunkPlan, synthesize_chunk
from region_grower_flow.stages.merge import MergePlan, merge_outputs

if TYPE_CHECKING:
    from region_grower_flow.io.cells import Cells
    from region_grower_flow.io.table import CellTable
    from region_grower_flow.runtime.plans import ChunkProgress


INDEX_COLUMNS = ("name", "mtype", "seed", "path")

FEW_CELLS = 200
"""Up to so many cells are grown in one process: a launch of MPI takes longer than they do."""

_FOLDER = re.compile(r"[^\w.+:-]|^\.")


@dataclass(frozen=True)
class VacuumPlan:
    """A vacuum synthesis.

    Attributes:
        parameters, distributions: JSON files, {region: {mtype: ...}}.
        folder: where the outputs go.
        mtypes: names of mtypes; empty: all of the parameters.
        cells: how many of each mtype.
        growth: how cells are grown; for its seed see :func:`vacuum_cells`.
        region: whose parameters are used; ``default`` where it has none.
        work_dir: folder of the intermediates; None: beside ``folder``, with ``_work``.
        launcher, workers: how cells are grown, see ChunkPlan; by default in this process.
        execution, log_level: see ChunkPlan.
        versions: {package: version} of what affects results; None: those of today.
        facts: for the summary.
    """

    parameters: Path
    distributions: Path
    folder: Path
    mtypes: tuple[str, ...] = ()
    cells: int = DEFAULT_CELLS
    growth: Growth = Growth()
    region: str = layout.DEFAULT_REGION
    work_dir: Path | None = None
    launcher: str = INPROCESS
    workers: int = 1
    execution: Execution = Execution()
    log_level: str = "info"
    versions: dict[str, str | None] | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The folder of the intermediates."""
        beside = Path(self.folder).absolute()
        return Path(self.work_dir or beside.with_name(f"{beside.name}_work")).absolute()


@dataclass(frozen=True)
class VacuumResult:
    """Outcome of a synthesis without an atlas.

    Attributes:
        index: a dict with the keys of INDEX_COLUMNS per morphology, by mtype; ``path`` is absolute.
        outputs: the paths of the files beside the morphologies.
        summary: what the summary file holds: cells asked, made, dropped and why.
        facts: of the chunk, see :func:`region_grower_flow.stages.chunk.synthesize_chunk`.
    """

    index: list[dict[str, Any]]
    outputs: list[Path]
    summary: dict[str, Any]
    facts: dict[str, Any]


def synthesize_vacuum(
    plan: VacuumPlan, on_progress: Callable[[ChunkProgress], object] | None = None
) -> VacuumResult:
    """Grow cells of each mtype without an atlas, and write them with an index.

    Morphologies go to ``folder/<mtype>/<name>.<extension>``; beside them ``index.csv`` (name,
    mtype, seed, path from ``folder``), ``nodes.h5`` (SONATA, positions 0), ``nodes_ids.csv`` (each
    cell asked for, with the reason of a drop) and ``summary.json``. What a killed run has grown is
    taken over; morphologies that an earlier run has written and that are no more wanted go.

    Args:
        plan: the VacuumPlan.
        on_progress: called with the runtime's ChunkProgress.

    Returns:
        VacuumResult

    Raises:
        InvalidInputs: an mtype is not in the parameters or distributions.
        WorkerFailed, OutputFailed: finished cells stay for the next run.
    """
    from region_grower_flow.io.table import write_table
    from region_grower_flow.record.listing import renew_listing

    known = vacuum_mtypes(plan)
    table = vacuum_table(known, plan)
    work = plan.work
    make_folder(work)
    # While the records of the run before this one tell what is ours.
    listing, staged = layout.vacuum_listing(work), work / layout.MORPHOLOGIES
    renew_listing(listing, plan.folder, staged)
    write_table(work / layout.CELL_TABLE, table)
    chunk = _chunk_plan(plan, work, len(table))
    facts = synthesize_chunk(chunk, on_progress or (lambda _: None))
    merge = _merge_plan(plan, work, table, chunk, facts)
    outputs, summary = merge_outputs(merge)
    index = _index(plan, chunk)
    _write_index(plan, index)
    _tidy(plan, work, chunk)
    return VacuumResult(index, [Path(plan.folder) / layout.VACUUM_INDEX, *outputs], summary, facts)


def read_index(folder: PathLike) -> list[dict[str, Any]]:
    """The index of a vacuum synthesis in ``folder``, as :class:`VacuumResult` has it.

    Raises:
        InvalidInput: there is none, or the file is something else.
    """
    path = Path(folder) / layout.VACUUM_INDEX
    try:
        return [
            {**row, "seed": int(row["seed"]), "path": str(Path(folder).absolute() / row["path"])}
            for row in read_csv(path)
        ]
    except OSError as error:
        raise InvalidInput("there is no index of a vacuum synthesis", where=path) from error
    except (KeyError, ValueError) as error:
        raise InvalidInput("it is no index of a vacuum synthesis", where=path) from error


def vacuum_mtypes(plan: VacuumPlan) -> list[str]:
    """The mtypes of the parameters that serve the plan's region, sorted, and checked.

    Raises:
        InvalidInputs: an mtype that is asked for has no parameters or no distributions.
    """
    parameters = load_parameters(plan.parameters, plan.growth.synthesize_axons, validate=False)
    distributions = load_distributions(plan.distributions, validate=False)
    paths = (plan.parameters, plan.distributions)
    problems = vacuum_problems(parameters, distributions, plan.region, plan.mtypes, paths)
    if problems:
        raise InvalidInputs(problems)
    return known_mtypes(parameters, plan.region)


def known_mtypes(data: Mapping[str, Any], region: str) -> list[str]:
    """The mtypes of parameters or distributions that serve a region, sorted."""
    used = entry_region(data, region, region)
    return [] if used is None else sorted(data[used])


def vacuum_problems(
    parameters: Mapping[str, Any],
    distributions: Mapping[str, Any],
    region: str,
    mtypes: Sequence[str] = (),
    paths: tuple[object, object] = (None, None),
) -> list[InvalidInput]:
    """Mtypes that cannot be grown since something of them is missing, as a list of InvalidInput.

    Args:
        parameters, distributions: as ``io.parameters`` loads them.
        region: whose entries are used.
        mtypes: those asked for; empty: all of the parameters.
        paths: their files, for the messages.
    """
    problems = []
    for data, path in zip((parameters, distributions), paths, strict=True):
        used = entry_region(data, region, region)
        if used is None:
            hint = f"Give the option region; there are {some(data)}"
            problems.append(InvalidInput(f"there is no region {region!r}", path, hint))
            continue
        known = data[used]
        wanted = mtypes or known_mtypes(parameters, region)
        for mtype in dict.fromkeys(wanted):
            if mtype not in known:
                problem = f"the mtype {mtype!r} is missing in the region {used!r}"
                similar = nearest(mtype, known)
                hint = similar[:1].upper() + similar[1:] or f"There are {some(sorted(known))}"
                problems.append(InvalidInput(problem, path, hint))
    return problems


def vacuum_cells(known: Sequence[str], plan: VacuumPlan) -> tuple[np.ndarray, np.ndarray]:
    """(mtypes, numbers) of the cells, in the order in which they are grown.

    Cells are counted round by round over all mtypes that the parameters know: the first cell of
    each, the second of each. This count is the cell's number, see
    :func:`region_grower_flow.io.table.cell_seed`. So neither a restriction to some mtypes nor
    another number of cells changes a cell.

    Args:
        known: all mtypes of the parameters, sorted.
        plan: the VacuumPlan.
    """
    wanted = set(plan.mtypes or known)
    counted = [
        (mtype, turn * len(known) + place)
        for turn in range(plan.cells)
        for place, mtype in enumerate(known)
        if mtype in wanted
    ]
    mtypes = np.empty(len(counted), dtype=object)
    mtypes[:] = [mtype for mtype, _ in counted]
    return mtypes, np.array([number for _, number in counted], dtype=np.int64)


def vacuum_table(known: Sequence[str], plan: VacuumPlan) -> CellTable:
    """The CellTable of a vacuum synthesis: no place, no layers, nothing that constrains growth."""
    from region_grower_flow.io.table import CellTable

    mtypes, numbers = vacuum_cells(known, plan)
    count = len(mtypes)
    regions = np.full(count, plan.region, dtype=object)
    return CellTable(
        ids=np.arange(count, dtype=np.int64),
        numbers=numbers,
        positions=np.zeros((count, 3)),
        orientations=np.tile(np.eye(3), (count, 1, 1)),
        depths=np.full(count, np.nan),
        layer_depths=np.full((count, 1), np.nan),
        layer_counts=np.zeros(count, dtype=np.int64),
        regions=regions,
        synthesis_regions=regions.copy(),
        mtypes=mtypes,
        axon_names=np.full(count, None, dtype=object),
        axon_scales=np.full(count, np.nan),
        meta={"version": layout.CELL_TABLE_VERSION, "regions": {}, "layers": {}, "atlas": None},
    )


def folder_of(mtype: str) -> str:
    """The name of an mtype's folder: the mtype, but for what a path must not hold.

    Another name gets a checksum of the mtype, so that no two mtypes share a folder.
    """
    name = _FOLDER.sub("_", mtype)
    plain = name == mtype and name not in ("", *layout.VACUUM_TABLES)
    return name if plain else f"{name}_{zlib.crc32(mtype.encode()):08x}"


def _chunk_plan(plan: VacuumPlan, work: Path, count: int) -> ChunkPlan:
    from region_grower_flow.record.fingerprint import package_versions

    settings = SynthesisSettings(
        cell_table=str(work / layout.CELL_TABLE),
        rows=(0, count),
        parameters=str(Path(plan.parameters).absolute()),
        distributions=str(Path(plan.distributions).absolute()),
        morphologies=str(work / layout.MORPHOLOGIES),
        growth=plan.growth,
        versions=package_versions() if plan.versions is None else plan.versions,
    )
    return ChunkPlan(
        settings=settings,
        first=0,
        last=count,
        work_dir=work,
        launcher=plan.launcher,
        workers=plan.workers,
        execution=plan.execution,
        log_level=plan.log_level,
    )


def _merge_plan(
    plan: VacuumPlan, work: Path, table: CellTable, chunk: ChunkPlan, facts: Mapping[str, Any]
) -> MergePlan:
    folder = Path(plan.folder)
    names = ("grown", "taken_over", "given_up_at", "seconds")
    seconds = {"SynthesizeVacuum": facts["seconds"]}
    return MergePlan(
        cells=_cells(table, plan.growth.seed),
        chunks=[chunk.results],
        staged=work / layout.MORPHOLOGIES,
        listing=layout.vacuum_listing(work),
        morphologies=folder,
        extensions=plan.growth.out_morph_ext,
        out_cells=folder / layout.VACUUM_NODES,
        summary=folder / layout.VACUUM_SUMMARY,
        folders=tuple(folder_of(mtype) for mtype in table.mtypes),
        facts={**{name: facts[name] for name in names}, "seconds": seconds, **plan.facts},
    )


def _cells(table: CellTable, seed: int) -> Cells:
    import pandas as pd

    from region_grower_flow.io.cells import Cells
    from region_grower_flow.io.table import cell_seed

    seeds = cell_seed(seed, table.numbers)
    properties = pd.DataFrame({"mtype": table.mtypes, "region": table.regions, "seed": seeds})
    return Cells(table.positions, None, properties)


def _index(plan: VacuumPlan, chunk: ChunkPlan) -> list[dict[str, Any]]:
    from region_grower_flow.io.table import cell_seed, read_table

    seeds = cell_seed(plan.growth.seed, read_table(chunk.settings.cell_table).numbers)
    rows = [
        {
            "name": record["name"],
            "mtype": record["mtype"],
            "seed": int(seeds[record["row"]]),
            "path": str(_path(plan, record).absolute()),
        }
        for record in read_records(chunk.results)
        if record["status"] == layout.MADE
    ]
    return sorted(rows, key=lambda row: row["mtype"])  # stable: the cells of an mtype in order


def _path(plan: VacuumPlan, record: Mapping[str, Any]) -> Path:
    name = f"{record['name']}.{plan.growth.out_morph_ext[0]}"
    return Path(plan.folder) / folder_of(record["mtype"]) / name


def _write_index(plan: VacuumPlan, index: Iterable[Mapping[str, Any]]) -> None:
    folder = Path(plan.folder).absolute()
    rows = [{**row, "path": Path(row["path"]).relative_to(folder).as_posix()} for row in index]
    write_text_atomic(folder / layout.VACUUM_INDEX, csv_text(INDEX_COLUMNS, rows))


def _tidy(plan: VacuumPlan, work: Path, chunk: ChunkPlan) -> None:
    """Remove what other numbers of cells or other parameters have left in the work folder."""
    from region_grower_flow.record.listing import synthesized_by_others

    kept = {
        f"{record['name']}.{extension}"
        for record in read_records(chunk.results)
        for extension in record["files"]
    }
    for name in synthesized_by_others(work / layout.MORPHOLOGIES, kept):
        (work / layout.MORPHOLOGIES / name).unlink(missing_ok=True)
    for path in chunk.results.parent.iterdir():
        if path != chunk.results and layout.chunk_range(path.name):
            remove_own(path)
    for folder in Path(plan.folder).iterdir():
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
