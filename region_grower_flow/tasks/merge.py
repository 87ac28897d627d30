"""The merged outputs of a synthesis: the task that users name."""

import functools
import os
from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput
from region_grower_flow.record.manifest import read_manifest
from region_grower_flow.record.run_lock import release
from region_grower_flow.tasks import inputs, messages
from region_grower_flow.tasks.base import FlowTask, stages_above
from region_grower_flow.tasks.checks import Checked, CheckInputs, guard_of
from region_grower_flow.tasks.launching import GrowsCells
from region_grower_flow.tasks.options.synthesis import OutputOptions
from region_grower_flow.tasks.synthesis import SynthesizeChunk

MAX_CHUNKS = 200
"""Luigi's scheduler is quadratic in tasks: chunks get larger rather than more numerous."""


class SynthesizeMorphologies(GrowsCells, Checked, OutputOptions, FlowTask):
    """Synthesize the morphologies of all cells and write the merged outputs."""

    own_check = CheckInputs
    no_result = SynthesizeChunk.no_result

    def requires(self):
        """The checks and all chunks."""
        return self._required

    @functools.cached_property
    def _required(self):
        """What is required, found once: Luigi does not expect it to change during a run."""
        try:
            return [self.check(), *self.chunks()]
        except InvalidInput:  # the cells cannot be counted: the checks say why
            return [self.check()]

    def chunks(self):
        """The chunks, in order."""
        count = inputs.count_cells(self)
        size = max(self.chunksize, -(-count // MAX_CHUNKS))
        guard = guard_of(self)
        return [
            self.clone(SynthesizeChunk, first=first, last=min(first + size, count), guard=guard)
            for first in range(0, count, size)
        ]

    def run(self):
        """Wait for chunks that could not be counted before, then merge."""
        from region_grower_flow.stages.linking import DamagedMorphologies

        chunks = [chunk for chunk in self.chunks() if not chunk.complete()]
        if chunks:
            yield chunks
        try:
            try:
                super().run()
            except DamagedMorphologies as damaged:
                self._mend(damaged.names)
                super().run()
        finally:
            release()
        messages.announce(self)

    def _mend(self, files):
        """Grow cells again whose morphologies in the work folder are damaged.

        Their chunks take over the other cells. They run here: for Luigi they have been done.
        """
        from region_grower_flow.stages.merge import chunks_of

        plan = self.plan()
        damaged = chunks_of(plan, files)
        for chunk, table in zip(self.chunks(), plan.chunks, strict=True):
            if table in damaged:
                Path(chunk.output().path).unlink(missing_ok=True)
                chunk.run()

    def upstream(self):
        """All cells as one chunk: results do not depend on how cells are grouped."""
        return [self.clone(SynthesizeChunk, first=0, last=0, guard=guard_of(self))]

    def values(self):
        """The options of the chunks are in the chunks' fingerprints; the places count here."""
        places = {
            name: os.path.relpath(value, self.work_dir)
            for name, value in self.places().items()
            if value is not None
        }
        return {"max_failure_ratio": self.max_failure_ratio, **places}

    def make(self):
        """See :func:`region_grower_flow.stages.merge.merge_outputs`."""
        from region_grower_flow.stages.merge import check_failures, merge_outputs

        outputs, summary = merge_outputs(self.plan(), self.tell)
        check_failures(summary, self.max_failure_ratio)
        return outputs, summary

    def account(self, facts):
        """The summary's sentences."""
        from region_grower_flow.stages.merge import summary_sentences

        return "\n".join(summary_sentences(facts))

    def intact(self):
        """Whether every placed morphology is as it was written."""
        from region_grower_flow.record.listing import intact

        return self.skip_write or intact(self.listing, self.out_morph_dir)

    @property
    def listing(self):
        """The file that remembers which morphologies are ours."""
        return self.work_path(layout.MANIFESTS, layout.LISTING)

    def plan(self):
        """The MergePlan."""
        from region_grower_flow.stages.merge import MergePlan

        places = {name: Path(p) if p else None for name, p in self.places().items()}
        places["morphologies"] = Path(self.out_morph_dir)
        chunks = self.chunks()
        manifests = [read_manifest(chunk.output().path) for chunk in chunks]
        return MergePlan(
            cells=inputs.cells(self),
            chunks=[next(iter(manifest.outputs)) for manifest in manifests],
            staged=self.work_path(layout.MORPHOLOGIES),
            listing=self.listing,
            extensions=self.out_morph_ext,
            skip_write=self.skip_write,
            facts=self.facts(manifests),
            **places,
        )

    def facts(self, manifests):
        """What the summary says of the run beside its cells."""
        recipe = self.recipe()
        return {
            "grown_now": sum(manifest.facts["grown"] for manifest in manifests),
            "taken_over": sum(manifest.facts["taken_over"] for manifest in manifests),
            "given_up_at": min(
                (m.facts["given_up_at"] for m in manifests if m.facts["given_up_at"] is not None),
                default=None,
            ),
            "seconds": self.stage_seconds(manifests),
            "provenance": {
                "fingerprint": recipe.fingerprint(),
                "recipe": recipe.as_dict(),
                "options": {name: _plain(value) for name, value in self.param_kwargs.items()},
            },
        }

    def stage_seconds(self, chunks):
        """{stage: seconds} that the stages below took when they were made."""
        stages = [self.check(), *stages_above(self.upstream()[0])]
        manifests = {stage.task_family: read_manifest(stage.output().path) for stage in stages}
        seconds = {name: m.facts["seconds"] for name, m in manifests.items() if m is not None}
        return {**seconds, "SynthesizeChunk": round(sum(m.facts["seconds"] for m in chunks), 3)}


def _plain(value):
    return list(value) if isinstance(value, tuple) else value
