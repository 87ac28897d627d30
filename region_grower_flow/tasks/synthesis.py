"""Synthesis of a chunk of cells, as a task."""

from __future__ import annotations

import dataclasses
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import layout
from region_grower_flow.checks import inputs
from region_grower_flow.errors import InvalidInput, counted
from region_grower_flow.io.words import duration
from region_grower_flow.options import (
    Execution,
    Growth,
    Model,
    Outputs,
    Reference,
    Space,
    Work,
)
from region_grower_flow.options.kinds import Whole
from region_grower_flow.options.outputs import writes_files
from region_grower_flow.record.fingerprint import Recipe, package_versions
from region_grower_flow.tasks.atlas import LoadAtlas
from region_grower_flow.tasks.base import Facts, FlowTask, Made, named
from region_grower_flow.tasks.cluster import InJobs
from region_grower_flow.tasks.launching import GrowsCells, wanted_workers
from region_grower_flow.tasks.models import model_paths, model_stages
from region_grower_flow.tasks.progress import Part
from region_grower_flow.tasks.targets import StageTarget

if TYPE_CHECKING:
    from region_grower_flow.cell.settings import SynthesisSettings
    from region_grower_flow.stages.chunk import ChunkPlan


MAX_CHUNKS = 200
"""Luigi's scheduler is quadratic in tasks: chunks get larger rather than more numerous."""
_renewed: set[Path] = set()
"""Listings that this process has looked at."""

HIGHEST_PRIORITY = 10_000_000
"""Scheduler priority of the first chunk."""


class OfCells(InJobs, GrowsCells):
    """Base of the stages that grow the cells of an atlas: all cells, or some.

    Results do not depend on how cells are grouped, so both have the same recipe but for the range.
    """

    groups = (Work, Reference, Model, Space, Growth, Execution, Outputs)
    checked_by = "synthesis"

    def cell_stages(self) -> dict[str, FlowTask]:
        """{name: stage} of those whose outputs the cells are grown from."""
        return {**named(self.clone(LoadAtlas)), **model_stages(self)}

    def ranges(self) -> list[tuple[int, int]]:
        """[(first, last)] of the chunks; raises InvalidInput when the cells cannot be counted."""
        count = inputs.count_cells(self)
        if inputs.is_try(self):  # few, from all over the file
            return [(0, count)]
        size = max(self.chunksize, -(-count // MAX_CHUNKS))
        return [(first, min(first + size, count)) for first in range(0, count, size)]

    def cells_recipe(self) -> Recipe:
        """The Recipe of all cells, however they are grouped.

        Raises:
            InvalidInput: a file is missing or unreadable.
        """
        digests = self.digests()
        parameters = {
            **self.group(Growth).results(),
            "max_files_per_dir": self.max_files_per_dir,
            "skip_write": self.skip_write,
            # What is debugged or computed beside the morphologies counts as well.
            "nrn_sections": bool(self.out_apical_nrn_sections),
            "debug": bool(self.out_debug_data),
        }
        if self.container_only:  # else fingerprints are those of before there was this option
            parameters["container_only"] = True
        return Recipe(
            stage=SynthesizeChunk.__name__,
            version=SynthesizeChunk.stage_version,
            parameters=parameters,
            upstream={n: s.recipe().fingerprint() for n, s in self.cell_stages().items()},
            files={role: digests.digest(p) for role, p in inputs.synthesis_files(self).items()},
            packages=package_versions(),
        )


class SynthesizeChunk(OfCells):
    """Grow the cells of a range: one launch of MPI, or one job of Slurm."""

    whole_groups = True
    first = Whole[int]("First cell of the chunk", least=0, shown=True)
    last = Whole[int]("One past the last cell of the chunk", least=0, shown=True)

    @property
    def priority(self) -> int:  # type: ignore[override]  # Luigi takes either
        """Chunks run in the order of their cells.

        Luigi raises a task's priority to that of what waits for it, so these are above the merge's.
        """
        return HIGHEST_PRIORITY - self.first

    @property
    def label(self) -> str:
        """The stage and its cells."""
        return f"{SynthesizeChunk.__name__}_{self.first}-{self.last}"

    def shown_options(self) -> list[str]:
        """The range and the seed; the outputs are the merge's."""
        return [name for name in super().shown_options() if name != "out_cells"]

    def requires(self) -> dict[str, FlowTask]:
        """The stages whose outputs the chunk reads."""
        return self.cell_stages()

    def external_files(self) -> dict[str, Any]:
        """Files that cells read: parameters and distributions, meshes, donors, orientations."""
        return inputs.synthesis_files(self)

    def recipe(self) -> Recipe:
        """The Recipe of all cells, of a range."""
        whole = self.cells_recipe()
        own = {"first": self.first, "last": self.last}
        return dataclasses.replace(whole, parameters={**whole.parameters, **own})

    def output(self) -> StageTarget:
        """The table of the chunk's results."""
        # As the work folder is named: what is absolute would not survive a move of all folders.
        name = f"{layout.chunk_name(self.first, self.last)}{layout.RECORDS}"
        return StageTarget(self.work_path(layout.CHUNKS, name), self)

    def before_jobs(self) -> None:
        """Kernels are compiled once, before many jobs would."""
        from region_grower_flow.cell.synthesis import open_synthesizer
        from region_grower_flow.engine import filling

        filling.provide(open_synthesizer(self.settings()).kernel_groups())

    def is_recorded(self) -> bool:
        """True when the manifest bears today's fingerprint; the outputs are not looked at."""
        return self._is_finished(self.first, self.last)

    def make(self) -> Made:
        """See :func:`region_grower_flow.stages.chunk.synthesize_chunk`."""
        from region_grower_flow.stages.chunk import synthesize_chunk

        self._require_cells()
        plan = self.plan(self.launcher, wanted_workers(self))
        self._renew_listing()
        self.show("starting the workers", 0)
        facts = synthesize_chunk(plan, self.show_progress("cells", self.part()).cells)
        return [self.path], facts

    def _require_cells(self) -> None:
        """Raise InvalidInput where the range is not one of the input's cells."""
        count = inputs.count_cells(self)
        if not 0 <= self.first <= self.last <= count or (self.first == self.last != count):
            problem = f"there are no cells {self.first} to {self.last} among its {count}"
            hint = f"give first and last with 0 <= first < last <= {count}"
            raise InvalidInput(problem, self.input_cells, hint)

    def _renew_listing(self) -> None:
        """See :func:`region_grower_flow.record.listing.renew_listing`; once in a process."""
        from region_grower_flow.record.listing import placed_listing, renew_listing

        listing = placed_listing(self.work_dir, self.out_morph_dir)
        if writes_files(self) and listing not in _renewed:
            _renewed.add(listing)
            renew_listing(listing, self.out_morph_dir, self.work_path(layout.MORPHOLOGIES))

    def plan(self, launcher: str, workers: int) -> ChunkPlan:
        """The ChunkPlan."""
        from region_grower_flow.stages.chunk import ChunkPlan

        return ChunkPlan(
            settings=self.settings(),
            first=self.first,
            last=self.last,
            work_dir=Path(self.work_dir).resolve(),
            launcher=launcher,
            workers=workers,
            execution=self.group(Execution),
            log_level=self.worker_log_level,
        )

    def summary_of(self, facts: Facts) -> str:
        """Number of cells that were made, and their rate."""
        rate = facts["grown"] / max(facts["seconds"], 1e-3)
        words = [
            f"{facts['made']} of {facts['cells']} cells made",
            f"{facts['dropped']} dropped",
            f"{facts['taken_over']} taken over from earlier runs",
            f"{rate:.1f} cells/s",
            f"in {duration(facts['seconds'])}",
        ]
        return ", ".join(words)

    @property
    def log_path(self) -> Path | None:
        """Beside the logs of the chunk's ranks."""
        chunk = layout.chunk_name(self.first, self.last)
        return self.work_path(layout.LOGS, chunk, layout.CHUNK_LOG)

    def cells_to_grow(self) -> int:
        """The number of the chunk's cells that are to be grown."""
        rows = inputs.rows_to_grow(self)
        return self.last - self.first if rows is None else len(rows)

    def part(self) -> Part:
        """The chunk's Part of the count of all cells."""
        rows = inputs.rows_to_grow(self)
        if rows is not None:
            return Part(0, len(rows), len(rows))
        overall, size = inputs.count_cells(self), self.last - self.first
        later = [(a, min(a + size, overall)) for a in range(self.last, overall, size)]
        beyond = sum(last - first for first, last in later if self._is_finished(first, last))
        return Part(self.first, self.last, overall, beyond)

    def _is_finished(self, first: int, last: int) -> bool:
        """True when another chunk has today's fingerprint, which differs from ours by its range."""
        chunk = self.clone(first=first, last=last)
        manifest = chunk.manifest()
        if manifest is None:
            return False
        parameters = {**self._todays_recipe.parameters, "first": first, "last": last}
        recipe = dataclasses.replace(self._todays_recipe, parameters=parameters)
        return manifest.fingerprint == recipe.fingerprint()

    @functools.cached_property
    def _todays_recipe(self) -> Recipe:
        return self.recipe()

    def settings(self) -> SynthesisSettings:
        """The SynthesisSettings of the chunk."""
        from region_grower_flow.cell.settings import SynthesisSettings
        from region_grower_flow.io.ranges import rows_of_ids

        loaded = self.clone(LoadAtlas)
        digests, files = self.digests(), inputs.cell_files(self)
        sources, folders = self.sources()
        unpacked = self.work_path(layout.UNPACKED_ORIENTATION)
        volume, mapped = Path(self.atlas, f"{layout.ORIENTATION}.nrrd"), unpacked.is_file()
        return SynthesisSettings(
            growth=self.group(Growth),
            cell_table=str(loaded.path.resolve()),
            rows=rows_of_ids(loaded.path, self.first, self.last),
            **model_paths(self),
            morphologies=str(self.work_path(layout.MORPHOLOGIES).resolve()),
            directory_depth=self.directory_depth(),
            base_morph_dir=str(Path(self.base_morph_dir).resolve())
            if inputs.grafted_axons(self) and self.base_morph_dir
            else None,
            nrn_sections=bool(self.out_apical_nrn_sections),
            skip_write=self.skip_write,
            shards=self._shards(),
            debug=bool(self.out_debug_data),
            mesh_dir=str(Path(self.region_structure).parent.resolve()),
            orientation=str((unpacked if mapped else volume).resolve()),
            orientation_mapped=mapped,
            content={role: digests.digest(path) for role, path in files.items()},
            sources={os.path.abspath(path): known for path, known in sources.items()},
            source_folders=tuple(map(os.path.abspath, folders)),
            versions=package_versions(),
        )

    def _shards(self) -> str | None:
        """The folder of the chunk's shards, where its cells are to be in shards."""
        if not self.container_only:
            return None
        name = layout.chunk_name(self.first, self.last)
        return str(self.work_path(layout.SHARDS, name).resolve())

    def directory_depth(self) -> int | None:
        """Levels of folders for the morphologies of the whole run."""
        from region_grower_flow.io.morphologies import directory_depth

        if self.skip_write:
            return None
        files = inputs.count_cells(self) * len(self.out_morph_ext)
        return directory_depth(files, self.max_files_per_dir)


class MendChunk(SynthesizeChunk):
    """Grow the damaged cells of a chunk again: the same chunk, under another name.

    Of a name that it knows as done, Luigi's scheduler does not believe for ten seconds that it is
    to be made (``stable_done_cooldown_secs``): what waits for it would go on.
    """

    def headline(self, facts: Facts) -> str:
        """The number of cells that were damaged."""
        return f"{counted(facts['grown'], 'damaged cell')} grown again"
