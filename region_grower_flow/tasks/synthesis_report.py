"""The page of a synthesis as a task: made anew, with other cells or beside other reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options import Report
from region_grower_flow.tasks import report_base, run_page
from region_grower_flow.tasks.targets import StageTarget


class ReportSynthesis(report_base.ReportTask):
    """One HTML page on a synthesis: its cells in their layers, whether they are right, and why.

    It reads the summary and a few cells per mtype: its cost does not grow with the run.
    """

    results_of = (Report.report_mtypes, Report.validation_seed, Report.report_pictures)
    # After other reports that are made with it: their figures are on the page.
    priority = 0

    def results(self) -> dict[str, Any]:
        """The options that change the page, and where it is."""
        own = {option.name: getattr(self, option.name) for option in self.results_of}
        return {**own, "page": self.relative(self.page)}

    @property
    def page(self) -> Path:
        """The HTML file."""
        return run_page.page_of(self)

    @property
    def folder(self) -> Path:
        """The folder of the page."""
        return self.page.parent

    def output(self) -> StageTarget:
        """The page."""
        return StageTarget(self.page, self)

    def held_places(self) -> Sequence[PathLike]:
        """The page."""
        return [str(self.page)]

    def report(self) -> tuple[list[Path], list[str]]:
        """See :mod:`region_grower_flow.report.run_page`."""
        synthesis = self.synthesis
        mtypes = self.chosen(list(synthesis.facts()["mtypes"]))
        page = run_page.write(
            synthesis, mtypes, self.report_pictures, self.validation_seed, self.processes
        )
        return [page], []

    def where(self) -> Iterator[str]:
        """The page."""
        yield f"Open {self.page}"
