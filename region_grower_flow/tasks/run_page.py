"""The page of a run, from a synthesis that has been made: what is found, read and written for it.

Functions of a task (SynthesizeMorphologies): the synthesis itself writes its page at the end, and
ReportSynthesis writes it anew.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import layout
from region_grower_flow.checks import inputs
from region_grower_flow.errors import FlowError, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.outputs import places_of, writes_files
from region_grower_flow.record.manifest import read_manifest
from region_grower_flow.tasks.atlas_outputs import atlas_outputs
from region_grower_flow.tasks.base import Facts, FlowTask, load_json_output, processes, stages_above
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.models import MODEL_STAGES, model_paths
from region_grower_flow.tasks.parameters import BuildParameters
from region_grower_flow.tasks.reconstructions import preparation, prepared_dataset

if TYPE_CHECKING:
    from region_grower_flow.report.run_page.gather import RunData
    from region_grower_flow.report.run_page.page import OtherPage
    from region_grower_flow.report.run_page.timeline import Bar
    from region_grower_flow.report.slices import LayerMap


L = logging.getLogger(__name__)

VALIDATION = "validation"
"""The folder where a validation is looked for, beside the cells and in the current folder."""
LARGEST_ATLAS = 60_000_000
"""Voxels: a slice of a larger atlas is drawn without its layers, to read them takes too long."""
HEAD = 1000
"""Characters of a page within which it says whose cells it shows."""
MOST_HELD = 3_000_000
"""Bytes of other pages that the page holds; larger ones are linked."""
MOST_FIGURES = 5_000_000
"""Bytes of figures of other reports on the page."""


def page_of(synthesis: FlowTask) -> Path:
    """The place of the page of a synthesis: ``out_report``, or in the work folder.

    A page tells of times and of what was kept, so two runs of equal inputs have two pages: it is
    not among the outputs unless it is put there.
    """
    if synthesis.out_report:
        return Path(synthesis.out_report)
    cells = Path(synthesis.out_cells or "cells").with_suffix("")
    # Several configurations may share a work folder: the name tells whose cells they are.
    parts = [part for part in Path(synthesis.relative(cells)).parts if part != os.pardir]
    return synthesis.work_path(f"{'_'.join(parts)}_report.html")


def is_of_cells(page: PathLike, fingerprint: str) -> bool:
    """True if there is a page, and it was drawn of the cells of the synthesis of a fingerprint.

    A run may have been killed before its page was drawn, or may not have drawn one.
    """
    try:
        with open(page, encoding="utf-8", errors="replace") as file:
            return f'name="cells" content="{fingerprint}"' in file.read(HEAD)
    except OSError:
        return False


def write_at_end(synthesis: FlowTask) -> Path | None:
    """Write the page of a synthesis that has just been made, where it is asked for.

    The cells are made by then: a page that cannot be written is a line in the log.

    Returns:
        Its path; None without one.
    """
    if synthesis.skip_page or not writes_files(synthesis):
        return None
    try:
        synthesis.show("drawing the page")
        return write(synthesis)
    except FlowError as error:
        L.warning("There is no page of this run: %s", error)
    except Exception:  # a defect of the page must not cost the cells
        L.warning("There is no page of this run, for a defect of the page.", exc_info=True)
    return None


def write(
    synthesis: FlowTask,
    mtypes: Sequence[str] = (),
    pictured: int = 6,
    seed: int = 0,
    count: int | None = None,
) -> Path:
    """Write the page of a synthesis; returns its path.

    Args:
        synthesis: SynthesizeMorphologies, made.
        mtypes: those to show (all).
        pictured: cells per mtype in pictures.
        seed: of the choice of cells.
        count: of processes that measure and draw (as many as there are cores).

    Raises:
        FlowError: a table of the synthesis cannot be read, or the page not be written.
    """
    from region_grower_flow.io.atomic import make_folder, write_text_atomic
    from region_grower_flow.report.run_page.gather import run_report
    from region_grower_flow.report.run_page.page import run_page

    manifest = synthesis.existing_manifest()
    page = page_of(synthesis)
    data, warnings = run_data(synthesis, manifest.facts, mtypes, pictured, seed, count)
    bars, idle = stage_bars(synthesis)
    provenance = manifest.facts.get("provenance", {})
    report = run_report(
        data,
        _title(synthesis, manifest.facts),
        file=Path(synthesis.out_cells).name if synthesis.out_cells else "",
        bars=bars,
        idle=idle,
        made_at=manifest.made_at.replace("T", " ")[:16],
        command=provenance.get("command"),
        inputs=[(*item,) for item in _inputs(provenance)],
        written=list(written(synthesis)),
        warnings=warnings,
        calibration=list(calibrations(synthesis)),
        figures=list(figures_of(synthesis, manifest.fingerprint)),
        pages=_pages(synthesis, manifest.fingerprint, page),
        sentences=_sentences(data.validation),
    )
    make_folder(page.parent)
    write_text_atomic(page, run_page(report))
    return page


def _title(synthesis: FlowTask, facts: Facts) -> str:
    """The entries of the region structure that the cells lie in, or the name of their file."""
    entries = [name for name in facts.get("entries") or () if name != layout.DEFAULT_REGION]
    if entries:
        return some(entries, 3)
    return Path(synthesis.out_cells).stem if synthesis.out_cells else "Synthesized cells"


def run_data(
    synthesis: FlowTask,
    summary: dict[str, Any],
    mtypes: Sequence[str] = (),
    pictured: int = 6,
    seed: int = 0,
    count: int | None = None,
) -> tuple[RunData, list[str]]:
    """(RunData of a synthesis, [sentence to know])."""
    from region_grower_flow.atlas.structure import load_region_structure
    from region_grower_flow.calibration.pool import share_out
    from region_grower_flow.report.placed import SynthesizedCells
    from region_grower_flow.report.run_page.gather import PRELOADED, RunData
    from region_grower_flow.report.run_page.words import how_to_validate, warnings_of
    from region_grower_flow.report.units import ReportSettings

    structure = load_region_structure(synthesis.region_structure)
    placed = SynthesizedCells.read(atlas_outputs(synthesis), structure)
    warnings = list(warnings_of(summary))
    layers, lost = _layers(synthesis, structure)
    references, missing = _references(synthesis)
    settings = ReportSettings(page_of(synthesis).parent, seed=seed, pictured=pictured)
    workers = processes(count)

    def advance(done: int, total: int) -> None:
        synthesis.show(f"drawing the page, {done} of {total} mtypes", 100 * done / max(total, 1))

    def share(
        function: Callable[..., Any], units: Sequence[Any], meanwhile: Callable[[], object] | None
    ) -> list[Any]:
        return share_out(function, units, workers, advance, PRELOADED, meanwhile)

    if mtypes:
        summary = {**summary, "mtypes": {m: summary["mtypes"][m] for m in mtypes}}
    data = RunData(
        summary=summary,
        placed=placed,
        references=references,
        parameters=_parameters(synthesis),
        layers=layers,
        chunks=[chunk.path for chunk in synthesis.chunks()],
        seed=synthesis.seed,
        settings=settings,
        how_to_validate=how_to_validate(
            summary.get("provenance", {}).get("command"), synthesis.out_cells
        ),
        validation=validation_of(synthesis, synthesis.existing_manifest().fingerprint)[0],
        share=share,
        uncalibrated=_uncalibrated(synthesis),
    )
    return data, [*warnings, *lost, *missing]


def _layers(synthesis: FlowTask, structure: dict[str, Any]) -> tuple[LayerMap | None, list[str]]:
    from region_grower_flow.atlas.volumes import read_geometry
    from region_grower_flow.report.slices import LayerMap

    try:
        shape = read_geometry(synthesis.atlas, layout.BRAIN_REGIONS)[0].shape
        voxels = 1
        for length in shape:
            voxels *= int(length)
        if voxels > LARGEST_ATLAS:
            return None, [f"The atlas has {voxels:,} voxels: layers are not drawn on this page."]
        return LayerMap.load(Path(synthesis.atlas), structure), []
    except FlowError as error:
        return None, [f"Layers are not drawn: {error}"]


def _references(synthesis: FlowTask) -> tuple[dict[str, Any], list[str]]:
    """({mtype: [ReferenceCell]}, [sentence]): the reconstructions, where they are as grown from."""
    if not inputs.has_reconstructions(synthesis):
        return {}, []
    try:
        if not all(stage.is_current() for stage in preparation(synthesis).values()):
            return {}, ["The reconstructions are not prepared: they are not shown."]
        return prepared_dataset(synthesis).mtypes, []
    except FlowError as error:
        return {}, [f"The reconstructions are not shown: {error}"]


def _parameters(synthesis: FlowTask) -> dict[str, Any] | None:
    from region_grower_flow.engine.parameters import load_parameters

    try:
        return load_parameters(model_paths(synthesis)["parameters"], validate=False)
    except FlowError:
        return None


def _uncalibrated(synthesis: FlowTask) -> dict[str, tuple[Any, Any]]:
    """{mtype: (parameters, distributions)} that the calibration of growth began with."""
    if synthesis.tmd_parameters or synthesis.growth_calibration == "none":
        return {}
    stages = [synthesis.clone(stage) for stage in (BuildParameters, ExtractDistributions)]
    if not all(stage.is_current() for stage in stages):
        return {}
    parameters, distributions = (load_json_output(stage.path)[synthesis.region] for stage in stages)
    return {m: (own, distributions[m]) for m, own in parameters.items() if m in distributions}


def stage_bars(synthesis: FlowTask) -> tuple[list[Bar], float]:
    """See :func:`region_grower_flow.report.run_page.timeline.timeline`: stages and chunks."""
    from region_grower_flow.report.run_page.timeline import timeline

    upstream = synthesis.cell_stages()
    stages = {s.label: s for each in upstream.values() for s in (*stages_above(each), each)}
    stages |= {chunk.label: chunk for chunk in synthesis.chunks()}
    check = synthesis.check()
    manifests = {name: stage.manifest() for name, stage in stages.items()}
    if check is not None:
        manifests = {check.label: check.manifest(), **manifests}
    return timeline(
        [
            (name.replace("SynthesizeChunk_", "cells "), m.made_at, m.facts.get("seconds"),
             m.facts.get("grown"), m.facts.get("dropped", 0))
            for name, m in manifests.items()
            if m is not None
        ]
    )  # fmt: skip


def written(synthesis: FlowTask) -> Iterator[tuple[str, str, int | None]]:
    """(what, path, bytes) of the outputs."""
    for what, place in places_of(synthesis).items():
        if place is not None:
            path = Path(place)
            size = path.stat().st_size if path.is_file() else None
            yield what.replace("_", " "), os.path.abspath(place), size


def calibrations(synthesis: FlowTask) -> Iterable[tuple[str, list[str]]]:
    """(stage, sentences) of what was calibrated for the synthesis."""
    found = {}
    for each in synthesis.cell_stages().values():
        for task in (*stages_above(each), each):
            if isinstance(task, MODEL_STAGES) and (manifest := task.manifest()) is not None:
                found[task.task_family] = manifest.facts.get("sentences", [])
    return found.items()


def _inputs(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for role, (path, digest) in (provenance.get("inputs") or {}).items():
        yield role, path, digest[:16]


def validation_of(
    synthesis: FlowTask, fingerprint: str
) -> tuple[list[Mapping[str, Any]] | None, Path | None]:
    """(verdicts that decide, folder) of a validation of these very cells; (None, None) without."""
    from region_grower_flow.validation.results import JSON_NAME, deciding

    for folder in (Path(synthesis.out_cells).parent / VALIDATION, Path(VALIDATION)):
        try:
            content = json.loads((folder / JSON_NAME).read_text(encoding="utf-8"))
            recipe = content["provenance"]["recipe"]
            if recipe["upstream"]["SynthesizeMorphologies"] == fingerprint:
                return deciding(content["verdicts"]), folder
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None, None


def _sentences(verdicts: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """{mtype: what the validation says of it}."""
    counts: dict[str, dict[str, int]] = {}
    for verdict in verdicts or ():
        if verdict["mtype"] is not None:
            own = counts.setdefault(verdict["mtype"], {})
            own[verdict["verdict"]] = own.get(verdict["verdict"], 0) + 1
    return {
        mtype: "Validation: " + ", ".join(f"{n} {verdict}" for verdict, n in own.items()) + "."
        for mtype, own in counts.items()
    }


def _pages(synthesis: FlowTask, fingerprint: str, page: Path) -> list[OtherPage]:
    from region_grower_flow.report.page import PAGE_NAME

    found: list[tuple[str, PathLike]] = []
    _, folder = validation_of(synthesis, fingerprint)
    if folder is not None and (folder / PAGE_NAME).is_file():
        found.append(
            ("The page of the validation: every test with its numbers", folder / PAGE_NAME)
        )
    for each in synthesis.cell_stages().values():
        for stage in stages_above(each):
            manifest = stage.manifest() if stage.task_family == "CalibrateGrowth" else None
            for path in manifest.outputs if manifest is not None else ():
                if path.endswith(".html"):
                    found.append(("The calibration of growth: before and after", path))
    return list(_others(found, page.parent))


def _others(found: Iterable[tuple[str, PathLike]], folder: Path) -> Iterator[OtherPage]:
    """OtherPages of {words: path}: held whole, as long as they leave the page small."""
    from region_grower_flow.report.run_page.page import OtherPage

    left = MOST_HELD
    for words, path in dict(found).items():
        address, content = Path(os.path.relpath(path, folder)).as_posix(), None
        with contextlib.suppress(OSError, ValueError):
            if os.path.getsize(path) <= left:
                content = Path(path).read_text(encoding="utf-8")
                left -= len(content)
        yield OtherPage(words, address, content)


def figures_of(
    synthesis: FlowTask, fingerprint: str
) -> Iterator[tuple[str, list[tuple[bytes, str, str]]]]:
    """(report, [(bytes, kind, caption)]) of other reports on these very cells, while they fit."""
    left = MOST_FIGURES
    for path in sorted(synthesis.work_path(layout.MANIFESTS).glob("*_atlas.json")):
        manifest = read_manifest(path)
        if manifest is None:
            continue
        if manifest.recipe.get("upstream", {}).get("SynthesizeMorphologies") != fingerprint:
            continue
        shown = []
        for name in manifest.outputs:
            picture = _small(Path(name))
            if picture is not None and len(picture) * 4 / 3 <= left:
                left -= len(picture) * 4 // 3
                shown.append((picture, "webp", Path(name).stem))
        if shown:
            yield manifest.recipe.get("stage", path.stem), shown


def _small(path: Path) -> bytes | None:
    """A PNG file as the bytes of a WebP, which are fewer; None for other files."""
    import io

    from PIL import Image

    if path.suffix != ".png":
        return None
    try:
        buffer = io.BytesIO()
        Image.open(path).convert("RGB").save(buffer, "webp", quality=80, method=4)
        return buffer.getvalue()
    except OSError:
        return None
