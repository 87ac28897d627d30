"""What all reports share: the synthesis that they show, its cells, their folder."""

import os
from pathlib import Path

from region_grower_flow.calibration.sources import read_reconstructions
from region_grower_flow.checks.places import check_folder
from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems, nearest
from region_grower_flow.record.fingerprint import RESULT_PACKAGES, package_versions
from region_grower_flow.record.manifest import read_manifest
from region_grower_flow.record.run_lock import release
from region_grower_flow.tasks import inputs
from region_grower_flow.tasks.base import FlowTask, processes
from region_grower_flow.tasks.checks import Check, CheckedFirst
from region_grower_flow.tasks.leftovers import remove_leftovers
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.options.report import AllReportOptions
from region_grower_flow.tasks.options.types import Text
from region_grower_flow.tasks.reconstructions import preparation, prepared_dataset
from region_grower_flow.tasks.synthesized import outputs_of, read_with
from region_grower_flow.tasks.vacuum import SynthesizeVacuum

PACKAGES = (*RESULT_PACKAGES, "matplotlib")
"""Whose versions enter the fingerprint."""

SYNTHESIS_INPUTS = ("input_cells", "atlas", "out_cells")

REFERENCES, DEBUG, ONLY_ATLAS, ONLY_VACUUM = "references", "debug", "atlas", "vacuum"
"""What a report may need."""

REPORTS = {}
"""{task family: class} of all reports, filled as they are defined."""


class CheckReport(AllReportOptions, Check):
    """Check what only a report needs; the synthesis has checks of its own."""

    checked = Text("For internal use", default="", shown=True)

    @property
    def label(self):
        """Each report has a check of its own."""
        return f"{self.task_family}_{self.checked}_{self.report_of}"

    @property
    def needs(self):
        """What the report needs."""
        return REPORTS[self.checked].needs if self.checked else ()

    def files(self):
        """The reconstructions, where the report shows them."""
        given = self.morphologies_dir and self.dat_file
        files = inputs.reconstruction_files(self) if REFERENCES in self.needs and given else {}
        if self.checked == "PlotCollage" and self.collage_planes:
            files["collage_planes"] = self.collage_planes
        return files

    def problems(self):
        """Options that do not go together, and reconstructions that cannot be read."""
        problems = Problems(check_folder("option report_dir", self.report_dir))
        problems.extend(self._wrong_synthesis())
        if self.in_atlas and not problems:
            problems.attempt(self._check_mtypes)
        if REFERENCES in self.needs:
            problems.attempt(read_reconstructions, self)
        if self.checked == "PlotCollage" and self.collage_planes:
            from region_grower_flow.placement.planes import load_slices

            problems.attempt(load_slices, self.collage_planes)
        return problems

    def _wrong_synthesis(self):
        for need, other in ((ONLY_ATLAS, "vacuum"), (ONLY_VACUUM, "atlas")):
            if need in self.needs and self.report_of == other:
                problem = f"{self.checked} shows cells {_WHERE[need]} only"
                yield InvalidInput(problem, "option report_of", f"set it to {need}")
        if not self.in_atlas:
            return
        for name in SYNTHESIS_INPUTS:
            if not getattr(self, name):
                hint = "give it, or set report_of = vacuum"
                yield InvalidInput(
                    "is needed for a report of cells in the atlas", f"option {name}", hint
                )
        if self.skip_write:
            yield InvalidInput("leaves no morphology to show", "option skip_write")
        if DEBUG in self.needs and not self.out_debug_data:
            hint = "name a file: the cells are then grown again, as the same cells"
            problem = "is needed: without it a synthesis does not record what it scales"
            yield InvalidInput(problem, "option out_debug_data", hint)

    def _check_mtypes(self):
        if self.report_mtypes:
            known = sorted({str(mtype) for mtype in inputs.cells(self).properties["mtype"]})
            check_known(self.report_mtypes, known, self.input_cells)


_WHERE = {ONLY_ATLAS: "in an atlas", ONLY_VACUUM: "grown without an atlas"}


def check_known(wanted, known, where):
    """Raise InvalidInputs for each wanted mtype that is not known."""
    problems = [
        InvalidInput(f"there is no mtype {mtype!r}", where, nearest(mtype, known))
        for mtype in wanted
        if mtype not in known
    ]
    if problems:
        raise InvalidInputs(problems)


class Report(CheckedFirst, AllReportOptions, FlowTask):
    """Base of the reports.

    Subclasses name what they need (``needs``), which options change them (``own_options``), and
    make their files (:meth:`report`).
    """

    own_check = CheckReport
    needs = ()
    own_options = ("report_of", "report_mtypes", "report_sample", "report_seed", "figure_format")
    folder_name = None
    """Of the report's folder in ``report_dir``."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.folder_name or cls.__dict__.get("is_page"):
            REPORTS[cls.__name__] = cls

    @property
    def label(self):
        """Reports of cells in the atlas and in vacuum stand side by side."""
        return f"{self.task_family}_{self.report_of}"

    def check(self):
        """The check of what only this report needs."""
        return self.clone(self.own_check, checked=self.task_family)

    @property
    def synthesis(self):
        """The synthesis that the report shows."""
        return self.clone(SynthesizeMorphologies if self.in_atlas else SynthesizeVacuum)

    def upstream(self):
        """The synthesis, the preparation of the reconstructions, and further stages."""
        prepared = preparation(self) if self._has_references() else []
        return [*read_with(self.synthesis), *prepared, *self.stages()]

    def _has_references(self):
        return REFERENCES in self.needs or bool(self.morphologies_dir and self.dat_file)

    def stages(self):
        """Further stages whose outputs the report shows."""
        return []

    def files(self):
        """The reconstructions, where they are shown."""
        return inputs.reconstruction_files(self) if REFERENCES in self.needs else {}

    def values(self):
        """The report's own options; those of the synthesis are in its fingerprint."""
        own = {name: getattr(self, name) for name in self.own_options}
        if self.figure_format == "png":
            own["figure_dpi"] = self.figure_dpi
        return {**own, "folder": os.path.relpath(self.folder, self.work_dir)}

    def packages(self):
        """Those of the synthesis and of the figures."""
        return package_versions(PACKAGES)

    def held_places(self):
        """The report's folder."""
        return [str(self.folder)]

    @property
    def folder(self):
        """Where the report's files go."""
        return Path(self.report_dir, self.report_of, self.folder_name)

    def run(self):
        """Make the report, and say in the terminal where it is."""
        yield from self.left()
        try:
            super().run()
        finally:
            release()
        facts = read_manifest(self.output().path).facts
        print("\n".join(facts["sentences"]), flush=True)

    def make(self):
        """Write the report; files that an earlier one has left there and this one has not go."""
        paths, sentences = self.report()
        remove_leftovers(self.output().path, paths, self.folder)
        return paths, {"sentences": [*sentences, *self.where()]}

    def where(self):
        """What the terminal says of the place of the files."""
        yield f"Written: {self.folder}"

    def report(self):
        """(paths of all files, [sentence])."""
        raise TypeError(f"{type(self).__name__} makes nothing")

    # What reports are made of.

    def outputs(self):
        """The SynthesisOutputs of the synthesis."""
        return outputs_of(self.synthesis)

    def structure(self):
        """The region structure (dict); None in vacuum."""
        from region_grower_flow.atlas.structure import load_region_structure

        return load_region_structure(self.region_structure) if self.in_atlas else None

    def placed(self):
        """The PlacedCells of the synthesis."""
        from region_grower_flow.report.placed import PlacedCells

        self.tell("reading the tables of the synthesis")
        return PlacedCells(self.outputs(), self.structure())

    def chosen(self, mtypes):
        """Those of some mtypes that are to be shown.

        Raises:
            InvalidInputs: one that is wanted is not there.
        """
        check_known(self.report_mtypes, mtypes, "option report_mtypes")
        return [mtype for mtype in mtypes if mtype in self.report_mtypes or not self.report_mtypes]

    def settings(self):
        """The ReportSettings."""
        from region_grower_flow.io.atomic import make_folder
        from region_grower_flow.report.units import ReportSettings

        make_folder(self.folder)
        return ReportSettings(
            folder=self.folder,
            kind=self.figure_format,
            dpi=self.figure_dpi,
            seed=self.report_seed,
            pictured=self.report_pictures,
        )

    def units(self, sample=None, extra=lambda mtype: {}):
        """A ReportUnit for each mtype that was synthesized and, where needed, has a reference."""
        from region_grower_flow.report.units import ReportUnit

        placed, settings = self.placed(), self.settings()
        references = prepared_dataset(self).mtypes if self._has_references() else {}
        wanted = self.report_sample if sample is None else sample
        return [
            ReportUnit(
                mtype=mtype,
                references=tuple(references.get(mtype, ())),
                cells=tuple(placed.sample(mtype, wanted, self.report_seed)),
                in_atlas=self.in_atlas,
                settings=settings,
                extra=extra(mtype),
            )
            for mtype in self.chosen(list(placed.mtypes))
        ]

    def run_units(self, function, units):
        """The UnitResults of all mtypes."""
        from region_grower_flow.calibration.pool import share_out
        from region_grower_flow.report.units import PRELOADED

        count = processes(self.report_processes)
        return share_out(function, units, count, self._advance, PRELOADED)

    def _advance(self, done, total):
        self.tell(f"{done} of {total} mtypes", 100 * done / max(total, 1))

    def written(self, results, tables):
        """(paths, sentences) of UnitResults and their tables.

        Args:
            results: [UnitResult].
            tables: {file name: (table of the results, columns)}.
        """
        from region_grower_flow.report.collage import ALL_MTYPES
        from region_grower_flow.report.files import write_table
        from region_grower_flow.report.units import gathered

        paths = [path for result in results for path in result.paths]
        for name, (table, columns) in tables.items():
            rows = gathered(results, table)
            columns = columns or (list(rows[0]) if rows else ["mtype"])
            paths.append(write_table(self.folder / name, columns, rows))
        notes = [f"{result.mtype}: {note}" for result in results for note in result.notes]
        count = sum(result.mtype != ALL_MTYPES for result in results)
        return paths, [f"{self.task_family}: {count} mtypes.", *notes]
