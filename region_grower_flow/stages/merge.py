"""The merge: from the results of all chunks to the outputs that users take.

Morphologies are linked from the work folder, so that the outputs of an earlier run stay whole until
those of this one are complete, and so that making an output again costs no growth.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow import layout
from region_grower_flow.errors import FlowError, counted, some
from region_grower_flow.io.atomic import PathLike, make_folder
from region_grower_flow.record.claims import claim
from region_grower_flow.record.tables import read_records
from region_grower_flow.stages.debug_data import write_debug_data
from region_grower_flow.stages.linking import DamagedMorphologies, place_morphologies
from region_grower_flow.stages.results import NO_REASON, WITHOUT_AXON, CellResults

if TYPE_CHECKING:
    import pandas as pd

    from region_grower_flow.io.cells import Cells
    from region_grower_flow.record.file_table import FileTable


H5 = ("h5",)
"""Formats of what is in a shard."""


class TooManyFailures(FlowError):
    """More cells of an mtype than allowed could not be grown; all outputs are written."""


@dataclass(frozen=True)
class MergePlan:
    """Inputs and outputs of a merge (None: not written).

    Attributes:
        cells: the input's Cells.
        chunks: the chunks' tables of results, in order.
        staged: folder of the morphologies in the work folder.
        listing: the file that remembers which morphologies are ours, see ``record.listing``.
        morphologies: the folder of the morphologies for users.
        extensions: of the morphology files.
        out_cells, apical, nrn_sections, debug, container, circuit_config, summary, morphs_df:
            output files.
        skip_write: no morphology has been written.
        shards: folder of the shards that hold the morphologies; None: each is in files of its own.
        work_dir: the work folder, which remembers its container; None where nothing checks for it.
        overwrite: synthesized morphologies of other work folders are removed.
        folders: the folder below ``morphologies`` of each cell's files; empty: as in ``staged``.
        facts: for the summary: what the stages said, versions, options.
        rows: of the cells that are asked for, increasing; None for all.
        cell_table, seed, orientation: for debug data: the cells' rows, the run's seed, and the
            volume of orientations that directions come from.
    """

    cells: Cells
    chunks: Sequence[Path]
    staged: Path
    listing: Path
    morphologies: Path
    extensions: tuple[str, ...]
    out_cells: Path
    summary: Path
    apical: Path | None = None
    nrn_sections: Path | None = None
    debug: Path | None = None
    container: Path | None = None
    circuit_config: Path | None = None
    skip_write: bool = False
    shards: Path | None = None
    work_dir: Path | None = None
    overwrite: bool = False
    folders: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    rows: np.ndarray | None = None
    morphs_df: Path | None = None
    cell_table: Path | None = None
    seed: int = 0
    orientation: Path | None = None


def merge_outputs(
    plan: MergePlan, on_progress: Callable[[str], object] | None = None
) -> tuple[list[Path], dict[str, Any]]:
    """Write the merged outputs.

    Args:
        plan: the MergePlan.
        on_progress: called with a sentence before each output.

    Returns:
        (paths of the output files, summary): the summary is what ``plan.summary`` holds.

    Raises:
        DamagedMorphologies: of the work folder; nothing has been written.
        OutputFailed: an output cannot be written.
    """
    start = time.monotonic()
    tell = on_progress or (lambda sentence: None)
    results = CellResults(plan.chunks, len(plan.cells), plan.folders)
    outputs: list[Path] = []
    if not (plan.skip_write or plan.shards):
        tell("placing the morphologies")
        _place(plan, results.files())
    if plan.container:
        tell("writing the container")  # before the tables: of shards, this is the look for damage
        outputs.append(_write_container(plan.container, plan, results))
    tell("writing the tables")
    outputs += _write_tables(plan, results)
    if plan.circuit_config:
        outputs.append(_write_circuit_config(plan.circuit_config, plan))
    summary = summarize(plan, results)
    summary.setdefault("seconds", {})["SynthesizeMorphologies"] = round(time.monotonic() - start, 3)
    _write_json(plan.summary, summary)
    return [*outputs, plan.summary], summary


def _place(plan: MergePlan, files: FileTable) -> None:
    # In the work folder, they are in no folders of mtypes.
    staged = {name: name.partition("/")[2] for name in files} if plan.folders else None
    places = (plan.staged, plan.morphologies, plan.listing)
    place_morphologies(files, *places, staged, plan.overwrite)


def chunks_of(plan: MergePlan, files: Collection[str]) -> list[Path]:
    """The tables of results among ``plan.chunks`` that name some of these staged files (a set)."""
    return [
        chunk
        for chunk in plan.chunks
        if any(
            f"{record['name']}.{extension}" in files
            for record in read_records(chunk)
            for extension in (record["files"] or (H5 if record.get("shard") else ()))
        )
    ]


def check_failures(summary: Mapping[str, Any], max_ratio: float) -> None:
    """Raise when more cells of an mtype than allowed could not be grown.

    Raises:
        TooManyFailures: naming the mtypes, their ratios and the commonest reason of each.
    """
    sentences = []
    for mtype, counts in summary["mtypes"].items():
        failed = counts["dropped"] - counts["without_axon"]
        ratio = failed / counts["asked"] if counts["asked"] else 0.0
        if ratio > max_ratio:
            failures = {why: n for why, n in counts["reasons"].items() if why != WITHOUT_AXON}
            reason = max(failures, key=failures.__getitem__)
            sentences.append(f"{mtype} ({failed} of {counts['asked']}, mostly: {reason})")
    if sentences:
        raise TooManyFailures(
            f"More than {max_ratio:.0%} of the cells of {counted(len(sentences), 'mtype')} could "
            f"not be grown: {some(sentences)}. All outputs are written; see the summary, mend the "
            "parameters or raise the option max_failure_ratio."
        )


def _write_tables(plan: MergePlan, results: CellResults) -> list[Path]:
    from region_grower_flow.io import apical
    from region_grower_flow.io.cell_files import write_cells
    from region_grower_flow.io.id_map import write_id_map

    places = (plan.out_cells, plan.apical, plan.nrn_sections, plan.debug)
    for path in (*places, plan.morphs_df):
        if path is not None:
            make_folder(Path(path).parent)
    write_cells(plan.out_cells, plan.cells, results.names)
    id_map = layout.id_map_path(plan.out_cells)
    reasons = map([*results.sentences, None].__getitem__, results.reasons)
    write_id_map(id_map, results.names, reasons, plan.rows)
    outputs = [plan.out_cells, id_map]
    if plan.morphs_df:
        outputs.append(_write_morphs_df(plan.morphs_df, plan, results))
    if plan.apical:
        apical.write_apical_points(plan.apical, results.points_by_name())
        outputs.append(plan.apical)
    if plan.nrn_sections:
        apical.write_apical_nrn_sections(plan.nrn_sections, results.sections_by_name())
        outputs.append(plan.nrn_sections)
    if plan.debug and plan.cell_table:
        outputs.append(
            write_debug_data(plan.debug, plan.chunks, plan.cell_table, plan.seed, plan.orientation)
        )
    return outputs


def _write_morphs_df(path: Path, plan: MergePlan, results: CellResults) -> Path:
    """The table of the cells that were made, in their order, with the paths of their files."""
    from region_grower_flow.io.atomic import write_text_atomic
    from region_grower_flow.io.csv_files import csv_text

    made = np.flatnonzero(results.made)
    mtypes = plan.cells.properties["mtype"].iloc[made]
    rows = []
    for name, mtype in zip(map(bytes.decode, results.names[made]), mtypes, strict=True):
        file = Path(plan.morphologies, f"{name}.{plan.extensions[0]}").absolute()
        rows.append((name, str(mtype), str(file)))
    write_text_atomic(path, csv_text(("name", "mtype", "path"), rows))
    return path


def _write_container(path: Path, plan: MergePlan, results: CellResults) -> Path:
    from region_grower_flow.io.containers import write_container

    make_folder(path.parent)
    if plan.work_dir is not None:
        claim(plan.work_dir, path)
    shards = plan.shards
    items = _from_shards(shards, results) if shards else _from_files(plan, results)
    write_container(path, items)
    return path


def _from_files(plan: MergePlan, results: CellResults) -> Iterator[tuple[str, Any]]:
    """(name, content) of each cell that was made, from the work folder's files."""
    from region_grower_flow.io.morphologies import read_morphology

    extension = "h5" if "h5" in plan.extensions else plan.extensions[0]
    files = results.files()
    for name in map(bytes.decode, results.names[results.made]):
        file = f"{name}.{extension}"
        path = plan.staged / file
        content = path.read_bytes()
        if (len(content), zlib.crc32(content)) != files[file][:2]:
            raise DamagedMorphologies({file})
        yield name, content if extension == "h5" else read_morphology(path)


def _from_shards(folder: Path, results: CellResults) -> Iterator[tuple[str, Any]]:
    """The same from the shards; raises DamagedMorphologies at the end, with all that are."""
    from region_grower_flow.io.shards import ShardReader

    damaged = set()
    with ShardReader(folder) as reader:
        for name, place in results.images():
            image = reader.read(place)
            if image is None:
                damaged.add(f"{name}.h5")
            elif not damaged:
                yield name, image
    if damaged:
        raise DamagedMorphologies(damaged)


def _write_circuit_config(path: Path, plan: MergePlan) -> Path:
    from region_grower_flow.io.circuit import circuit_config

    config = circuit_config(
        plan.out_cells,
        plan.cells.population,
        None if plan.skip_write or plan.shards else plan.morphologies,
        plan.extensions,
        plan.container,
        folder=path.parent,
    )
    _write_json(path, config)
    return path


def _write_json(path: PathLike, content: object) -> None:
    from region_grower_flow.io.atomic import write_json_atomic

    make_folder(Path(path).parent)
    write_json_atomic(path, content, indent=2)


def summarize(plan: MergePlan, results: CellResults) -> dict[str, Any]:
    """The run's summary: cells asked, made, dropped by mtype and reason, fallbacks, facts."""
    mtypes: dict[str, dict[str, Any]] = {}
    columns = plan.cells.properties["mtype"], results.reasons
    if plan.rows is not None:
        columns = columns[0].iloc[plan.rows], columns[1][plan.rows]
    for mtype, code, count in _counted(*columns):
        zero = {"asked": 0, "made": 0, "dropped": 0, "without_axon": 0, "reasons": {}}
        counts = mtypes.setdefault(mtype, zero)
        counts["asked"] += count
        if code == NO_REASON:
            counts["made"] += count
            continue
        reason = results.sentences[code]
        counts["dropped"] += count
        counts["without_axon"] += count if reason is WITHOUT_AXON else 0
        counts["reasons"][reason] = counts["reasons"].get(reason, 0) + count
    total = {
        name: sum(counts[name] for counts in mtypes.values())
        for name in ("asked", "made", "dropped", "without_axon")
    }
    return {
        "cells": total,
        "attempts": results.attempts,
        "fallbacks": {
            "cells": sum(results.fallbacks.values()),
            "reasons": results.fallbacks,
        },
        "mtypes": dict(sorted(mtypes.items())),
        **plan.facts,
    }


def _counted(mtypes: pd.Series, reasons: np.ndarray) -> Iterator[tuple[str, int, int]]:
    """(mtype, code of a reason, number of cells) of each pair, in the order of the first cells."""
    import pandas as pd

    codes, names = pd.factorize(mtypes, use_na_sentinel=False)
    most = int(reasons.max(initial=0)) - NO_REASON + 1
    pairs = codes * most + (reasons - NO_REASON)
    pairs, firsts, counts = np.unique(pairs, return_index=True, return_counts=True)
    for place in np.argsort(firsts):
        mtype, reason = divmod(int(pairs[place]), most)
        yield str(names[mtype]), reason + NO_REASON, int(counts[place])


def summary_sentences(summary: Mapping[str, Any]) -> Iterator[str]:
    """The summary for a terminal, a line each."""
    cells = summary["cells"]
    asked = counted(cells["asked"], "cell")
    yield f"{asked} asked, {cells['made']:,} made, {cells['dropped']:,} dropped."
    entries = [f"{name} {count:,}" for name, count in summary.get("entries", {}).items()]
    if entries:
        yield f"Cells by entry of the region structure: {', '.join(entries)}."
    for mtype, counts in summary["mtypes"].items():
        for reason, count in sorted(counts["reasons"].items(), key=lambda item: -item[1]):
            yield f"  {mtype}: {count} of {counts['asked']} dropped: {reason}"
    fallbacks = summary["fallbacks"]
    for reason, count in fallbacks["reasons"].items():
        yield f"  {count} cells were grown by NeuroTS: {reason}"
