"""The base of all reports: the synthesis that they show, its cells, their folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from region_grower_flow import options
from region_grower_flow.checks import inputs
from region_grower_flow.checks.reports import NEEDS, REFERENCES, check_known
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options.group import where_optional
from region_grower_flow.options.validation import ATLAS
from region_grower_flow.record.fingerprint import RESULT_PACKAGES, package_versions
from region_grower_flow.record.run_lock import release
from region_grower_flow.tasks import terminal
from region_grower_flow.tasks.base import FlowTask, Made, named, processes
from region_grower_flow.tasks.checks import CheckInputs
from region_grower_flow.tasks.leftovers import remove_leftovers
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.reconstructions import preparation, prepared_dataset
from region_grower_flow.tasks.synthesized import outputs_of, read_with
from region_grower_flow.tasks.targets import StageTarget
from region_grower_flow.tasks.vacuum import SynthesizeVacuum
from region_grower_flow.tasks.validation import SYNTHESES

if TYPE_CHECKING:
    from region_grower_flow.options.group import Group
    from region_grower_flow.options.kinds import Option
    from region_grower_flow.report.placed import SynthesizedCells
    from region_grower_flow.report.units import ReportSettings, ReportUnit, UnitResult
    from region_grower_flow.validation.populations import SynthesisOutputs


PACKAGES = (*RESULT_PACKAGES, "matplotlib")
"""Whose versions enter the fingerprint."""

SHOWN = (
    options.Report.report_of,
    options.Report.report_mtypes,
    options.Report.report_sample,
    options.Report.validation_seed,
    options.Report.figure_format,
)
"""The options that change most reports."""

REPORTS: dict[str, type[ReportTask]] = {}
"""{task family: class} of all reports, filled as they are defined."""


class ReportTask(FlowTask):
    """Base of the reports.

    What they need is in ``checks.reports.NEEDS``. Subclasses name the options that change them
    (``results_of``) and make their files (:meth:`report`).
    """

    groups = (*SYNTHESES, options.Report, options.Collage)
    other_options = where_optional(SYNTHESES)
    results_of: Sequence[type[Group] | Option] | None = SHOWN
    checked_by = "report"
    # Before the page, which shows their figures.
    priority = 1
    folder_name: ClassVar[str] = ""
    """The name of the report's folder in ``report_dir``."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__name__ in NEEDS:
            REPORTS[cls.__name__] = cls

    @property
    def label(self) -> str:
        """Reports of cells in the atlas and in vacuum stand side by side."""
        return f"{self.task_family}_{self.report_of}"

    def own_check(self) -> Any:
        """The check of what only this report needs."""
        return CheckInputs.of_stage(self, report=self.task_family)

    @property
    def in_atlas(self) -> bool:
        """True when the synthesis in the atlas is shown."""
        return self.report_of == ATLAS

    @property
    def needs(self) -> Collection[str]:
        """The needs of the report, see ``checks.reports``."""
        return NEEDS[self.task_family]

    @property
    def synthesis(self) -> FlowTask:
        """The synthesis that the report shows."""
        return self.clone(SynthesizeMorphologies if self.in_atlas else SynthesizeVacuum)

    def requires(self) -> dict[str, FlowTask]:
        """The synthesis, the preparation of the reconstructions, and further stages."""
        prepared = preparation(self) if self._has_references() else {}
        return {**read_with(self.synthesis), **prepared, **named(*self.stages())}

    def _has_references(self) -> bool:
        return REFERENCES in self.needs or inputs.has_reconstructions(self)

    def stages(self) -> list[FlowTask]:
        """Further stages whose outputs the report shows."""
        return []

    def external_files(self) -> dict[str, Any]:
        """The reconstructions, where they are shown."""
        return inputs.reconstruction_files(self) if REFERENCES in self.needs else {}

    def results(self) -> dict[str, Any]:
        """The report's own options; those of the synthesis are in its fingerprint."""
        own = super().results()
        if self.figure_format == "png":
            own["figure_dpi"] = self.figure_dpi
        return {**own, "folder": self.relative(self.folder)}

    def packages(self) -> dict[str, str | None]:
        """Those of the synthesis and of the figures."""
        return package_versions(PACKAGES)

    def held_places(self) -> Sequence[PathLike]:
        """The report's folder."""
        return [str(self.folder)]

    @property
    def folder(self) -> Path:
        """Folder of the report's files."""
        return Path(self.report_dir, self.report_of, self.folder_name)

    def output(self) -> StageTarget:
        """The report's folder."""
        return StageTarget(self.folder, self)

    def make_and_record(self) -> None:
        """Make the report, and say in the terminal where it is."""
        try:
            super().make_and_record()
        finally:
            release()
        if not terminal.is_root(self):
            print("\n".join(self.facts()["sentences"]), flush=True)

    def make(self) -> Made:
        """Write the report; files that an earlier one has left there and this one has not go."""
        paths, sentences = self.report()
        remove_leftovers(self.manifest_path, paths, self.folder)
        return paths, {"sentences": [*sentences, *self.where()]}

    def where(self) -> Iterator[str]:
        """The terminal's words on the place of the files."""
        yield f"Written: {self.folder}"

    def report(self) -> tuple[list[Path], list[str]]:
        """(paths of all files, [sentence])."""
        raise TypeError(f"{type(self).__name__} makes nothing")

    # What reports are made of.

    def outputs(self) -> SynthesisOutputs:
        """The SynthesisOutputs of the synthesis."""
        return outputs_of(self.synthesis)

    def structure(self) -> dict[str, Any] | None:
        """The region structure (dict); None in vacuum."""
        from region_grower_flow.atlas.structure import load_region_structure

        return load_region_structure(self.region_structure) if self.in_atlas else None

    def placed(self) -> SynthesizedCells:
        """The SynthesizedCells of the synthesis."""
        from region_grower_flow.report.placed import SynthesizedCells

        self.show("reading the tables of the synthesis")
        return SynthesizedCells.read(self.outputs(), self.structure())

    def chosen(self, mtypes: Sequence[str]) -> list[str]:
        """Those of some mtypes that are to be shown.

        Raises:
            InvalidInputs: one that is wanted is not there.
        """
        check_known(self.report_mtypes, mtypes, "option report_mtypes")
        return [mtype for mtype in mtypes if mtype in self.report_mtypes or not self.report_mtypes]

    def settings(self) -> ReportSettings:
        """The ReportSettings."""
        from region_grower_flow.io.atomic import make_folder
        from region_grower_flow.report.units import ReportSettings

        make_folder(self.folder)
        return ReportSettings(
            folder=self.folder,
            kind=self.figure_format,
            dpi=self.figure_dpi,
            seed=self.validation_seed,
            pictured=self.report_pictures,
        )

    def units(
        self, sample: int | None = None, extra: Callable[[str], dict[str, Any]] = lambda mtype: {}
    ) -> list[ReportUnit]:
        """A ReportUnit for each mtype that was synthesized and, where needed, has a reference."""
        from region_grower_flow.report.units import ReportUnit

        placed, settings = self.placed(), self.settings()
        references = prepared_dataset(self).mtypes if self._has_references() else {}
        wanted = self.report_sample if sample is None else sample
        return [
            ReportUnit(
                mtype=mtype,
                references=tuple(references.get(mtype, ())),
                cells=tuple(placed.sample(mtype, wanted, self.validation_seed)),
                in_atlas=self.in_atlas,
                settings=settings,
                extra=extra(mtype),
            )
            for mtype in self.chosen(list(placed.mtypes))
        ]

    def run_units(
        self, function: Callable[[ReportUnit], UnitResult], units: Sequence[ReportUnit]
    ) -> list[UnitResult]:
        """The UnitResults of all mtypes."""
        from region_grower_flow.calibration.pool import share_out
        from region_grower_flow.report.units import PRELOADED

        count = processes(self.processes)
        return share_out(function, units, count, self._advance, PRELOADED)

    def _advance(self, done: int, total: int) -> None:
        self.show(f"{done} of {total} mtypes", 100 * done / max(total, 1))

    def written(
        self, results: Sequence[UnitResult], tables: Mapping[str, tuple[str, Sequence[str] | None]]
    ) -> tuple[list[Path], list[str]]:
        """(paths, sentences) of UnitResults and their tables.

        Args:
            results: [UnitResult].
            tables: {file name: (table of the results, columns)}.
        """
        from region_grower_flow.report.collage import ALL_MTYPES
        from region_grower_flow.report.names import write_table
        from region_grower_flow.report.units import gathered

        paths = [path for result in results for path in result.paths]
        for name, (table, columns) in tables.items():
            rows = gathered(results, table)
            columns = columns or (list(rows[0]) if rows else ["mtype"])
            paths.append(write_table(self.folder / name, columns, rows))
        notes = [f"{result.mtype}: {note}" for result in results for note in result.notes]
        count = sum(result.mtype != ALL_MTYPES for result in results)
        return paths, [f"{self.task_family}: {count} mtypes.", *notes]
