"""The merged outputs of a synthesis: the task that users name."""

from __future__ import annotations

import dataclasses
import os
import platform
import shlex
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import __version__, layout
from region_grower_flow.checks import inputs
from region_grower_flow.io.atomic import remove_own
from region_grower_flow.options.outputs import places_of, writes_files
from region_grower_flow.record.listing import checksum, placed_listing
from region_grower_flow.record.run_lock import release
from region_grower_flow.tasks import messages, run_page
from region_grower_flow.tasks.arrival import arrival_time
from region_grower_flow.tasks.atlas import LoadAtlas
from region_grower_flow.tasks.base import Facts, FlowTask, Made, stages_above
from region_grower_flow.tasks.leftovers import remove_unasked
from region_grower_flow.tasks.models import model_stages
from region_grower_flow.tasks.synthesis import MendChunk, OfCells, SynthesizeChunk
from region_grower_flow.tasks.targets import StageTarget

if TYPE_CHECKING:
    from region_grower_flow.record.manifest import Manifest
    from region_grower_flow.stages.merge import MergePlan


class SynthesizeMorphologies(OfCells):
    """Synthesize the morphologies of all cells and write the merged outputs."""

    _to_mend: Sequence[MendChunk] = ()
    page_follows = False
    """True if a command draws the page after the run, where there is none of these cells."""

    def chunks(self) -> list[SynthesizeChunk]:
        """The chunks, in order; raises InvalidInput when the cells cannot be counted."""
        ranges = self.ranges()
        return [self.clone(SynthesizeChunk, first=first, last=last) for first, last in ranges]

    def requires(self) -> dict[str, FlowTask]:
        """The chunks, and the stages whose outputs the user has named: these are outputs too."""
        return {**{chunk.label: chunk for chunk in self.chunks()}, **self._named_stages()}

    def _named_stages(self) -> dict[str, FlowTask]:
        """{name: stage} of those that make parameters or distributions at a place of the user's."""
        return {
            name: stage
            for name, stage in model_stages(self).items()
            if any(getattr(stage, option) for option in stage.own_outputs)
        }

    def is_current(self) -> bool:
        """True when also what the user has named of the stages above is as it was written."""
        named = self._named_stages().values()
        return super().is_current() and all(stage.is_current() for stage in named)

    def upstream_fingerprints(self) -> dict[str, str]:
        """All cells count as one: results do not depend on how they are grouped."""
        return {SynthesizeChunk.__name__: self.cells_recipe().fingerprint()}

    def results(self) -> dict[str, Any]:
        """The options of the chunks are in the chunks' fingerprints; the places count here."""
        places = {n: self.relative(p) for n, p in places_of(self).items() if p is not None}
        return {"max_failure_ratio": self.max_failure_ratio, **places}

    def external_files(self) -> dict[str, Any]:
        """The cells: their columns are among the outputs."""
        return {"input_cells": self.input_cells}

    def read_upstream(self) -> Iterable[FlowTask]:
        """None: the lines of the chunks' tables have checksums."""
        return ()

    def output(self) -> dict[str, StageTarget]:
        """{what: target} of all that is written; ``nodes`` are the cells."""
        places = places_of(self)
        places["nodes"] = places.pop("out_cells")
        return {n: StageTarget(p, self) for n, p in places.items() if p is not None}

    def run(self) -> Any:
        """Merge what the chunks have grown; cells whose morphologies are damaged grow again.

        Luigi makes the tasks that are yielded, and begins this anew.
        """
        from region_grower_flow.stages.linking import DamagedMorphologies

        try:
            yield from super().run()
        except DamagedMorphologies:
            if not self._to_mend:
                raise
            yield self._to_mend

    def make_and_record(self) -> None:
        """Merge, and say in the terminal what came of it.

        Raises:
            DamagedMorphologies: their chunks are to be made again.
        """
        from region_grower_flow.stages.linking import DamagedMorphologies

        try:
            super().make_and_record()
            run_page.write_at_end(self)
        except DamagedMorphologies as damaged:
            self._to_mend = self._forget_chunks(damaged.names)
            raise
        finally:
            release()
        messages.announce(self)

    def _forget_chunks(self, files: Collection[str]) -> list[MendChunk]:
        """Remove the manifests of the chunks of damaged morphologies: they take over other cells.

        Returns:
            what makes them again; nothing where this run has grown one of them itself: then the
            disk damages what it is given, and only another run tries again.
        """
        from region_grower_flow.stages.merge import chunks_of

        plan = self.plan()
        tables = chunks_of(plan, files)
        chunks = zip(self.chunks(), plan.chunks, strict=True)
        damaged = [chunk for chunk, table in chunks if table in tables]
        again = any(chunk.manifest_path.stat().st_mtime > self._begin() for chunk in damaged)
        for chunk in damaged:
            remove_own(chunk.manifest_path)
        return [] if again else [chunk.clone(MendChunk) for chunk in damaged]

    def _begin(self) -> float:
        """The time (s) since when a chunk has been made by this run.

        A process of another workflow may run several: what was merged before is of an earlier one.
        """
        try:
            return max(arrival_time(), self.manifest_path.stat().st_mtime)
        except OSError:
            return arrival_time()

    def make(self) -> Made:
        """See :func:`region_grower_flow.stages.merge.merge_outputs`."""
        from region_grower_flow.stages.merge import check_failures, merge_outputs

        outputs, summary = merge_outputs(self.plan(), self.show)
        remove_unasked(self.manifest_path, places_of(self), outputs, self.work_dir)
        check_failures(summary, self.max_failure_ratio)
        return outputs, {**summary, "listing": checksum(self.listing)}

    def unfit_for_today(self, facts: Facts) -> str | None:
        """The list of what was placed may be that of another time."""
        if writes_files(self) and checksum(self.listing) != facts.get("listing"):
            return "the list of the morphologies that were placed is missing or another one"
        return super().unfit_for_today(facts)

    def headline(self, facts: Facts) -> str:
        """The work of the merge itself; the chunks have told of their cells."""
        return "outputs written" if self.page_written() is None else "outputs and page written"

    def summary_of(self, facts: Facts) -> str:
        """The summary's sentences."""
        from region_grower_flow.stages.merge import summary_sentences

        return "\n".join(summary_sentences(facts))

    def unlisted_folder(self) -> str | Path | None:
        """The folder of the morphologies."""
        return self.out_morph_dir if writes_files(self) else None

    def page_written(self) -> str | Path | None:
        """The page of these cells, where there is one."""
        page, manifest = run_page.page_of(self), self.manifest()
        if self.skip_page or not writes_files(self) or manifest is None:
            return None
        return page if run_page.is_of_cells(page, manifest.fingerprint) else None

    def page_left_out(self) -> str | None:
        """The reason why there is no page although one is asked for, and what makes it."""
        if self.skip_page or self.page_written():
            return None
        if writes_files(self):
            if self.page_follows:
                return None
            from region_grower_flow.report.run_page.words import how_to_draw

            page, command = run_page.page_of(self), self.facts()["provenance"].get("command")
            what = "shows other cells" if page.is_file() else "has not been drawn"
            return f"The page {page} {what}: {how_to_draw(command)} draws that of these cells."
        option = "container_only" if self.container_only else "skip_write"
        return f"No page: it shows morphologies in files, and {option} leaves none."

    def intact(self) -> bool:
        """True when every placed morphology is as it was written."""
        from region_grower_flow.record.listing import intact

        return not writes_files(self) or intact(self.listing, self.out_morph_dir)

    @property
    def listing(self) -> Path:
        """The file that remembers which morphologies are ours."""
        return placed_listing(self.work_dir, self.out_morph_dir)

    def plan(self) -> MergePlan:
        """The MergePlan."""
        from region_grower_flow.stages.merge import MergePlan

        places: dict[str, Any] = {n: Path(p) if p else None for n, p in places_of(self).items()}
        places["morphologies"] = Path(self.out_morph_dir)
        chunks = self.chunks()
        return MergePlan(
            # Orientations are 72 bytes a cell, and those of the outputs are identities.
            cells=dataclasses.replace(inputs.cells(self), orientations=None),
            rows=inputs.rows_to_grow(self),
            chunks=[chunk.path for chunk in chunks],
            staged=self.work_path(layout.MORPHOLOGIES),
            listing=self.listing,
            extensions=self.out_morph_ext,
            skip_write=self.skip_write,
            shards=self.work_path(layout.SHARDS) if self.container_only else None,
            work_dir=Path(self.work_dir),
            overwrite=self.overwrite,
            facts=self.run_facts([chunk.existing_manifest() for chunk in chunks]),
            cell_table=self.clone(LoadAtlas).path,
            seed=self.seed,
            orientation=Path(self.atlas, f"{layout.ORIENTATION}.nrrd"),
            **places,
        )

    def run_facts(self, manifests: Sequence[Manifest]) -> Facts:
        """The facts of the run that the summary has beside its cells."""
        recipe = self.recipe()
        return {
            "grown_now": sum(manifest.facts["grown"] for manifest in manifests),
            "taken_over": sum(manifest.facts["taken_over"] for manifest in manifests),
            "given_up_at": min(
                (m.facts["given_up_at"] for m in manifests if m.facts["given_up_at"] is not None),
                default=None,
            ),
            "entries": self.clone(LoadAtlas).facts().get("entries", {}),  # none without cells
            "seconds": self.stage_seconds(manifests),
            "provenance": {
                "fingerprint": recipe.fingerprint(),
                "recipe": recipe.as_dict(),
                "options": {name: _plain(getattr(self, name)) for name in self.options},
                "inputs": self._inputs(),
                "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
                "folder": os.getcwd(),
                "package": __version__,
                "python": platform.python_version(),
            },
        }

    def _inputs(self) -> dict[str, list[str]]:
        """{role: [path, digest]} of all that is read from outside."""
        digests = self.digests()
        files = {role: str(path) for role, path in inputs.all_files(self).items()}
        return {role: [path, digests.digest(path)] for role, path in files.items()}

    def stage_seconds(self, chunks: Sequence[Manifest]) -> dict[str, float]:
        """{stage: seconds} that the stages below took when they were made."""
        upstream = self.cell_stages()
        stages = [self.check(), *(s for each in upstream.values() for s in stages_above(each))]
        manifests = {s.task_family: s.manifest() for s in [*stages, *upstream.values()]}
        seconds = {name: m.facts["seconds"] for name, m in manifests.items() if m is not None}
        return {**seconds, "SynthesizeChunk": round(sum(m.facts["seconds"] for m in chunks), 3)}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
