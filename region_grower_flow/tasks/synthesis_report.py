"""The report of a synthesis: one page that is opened first, as a task."""

import os
from pathlib import Path

from region_grower_flow.options import Report
from region_grower_flow.options.outputs import places_of
from region_grower_flow.tasks import report_base
from region_grower_flow.tasks.base import stages_above
from region_grower_flow.tasks.models import MODEL_STAGES
from region_grower_flow.tasks.targets import StageTarget


class ReportSynthesis(report_base.Report):
    """One HTML page on a synthesis: what was made, pictures, times, warnings, provenance.

    It reads the summary and a few cells per mtype: its cost does not grow with the run.
    """

    results_of = (Report.report_mtypes, Report.report_seed, Report.report_pictures)

    def results(self):
        """The options that change the page, and where it is."""
        own = {option.name: getattr(self, option.name) for option in self.results_of}
        return {**own, "page": self.relative(self.page)}

    @property
    def page(self):
        """The HTML file."""
        beside = Path(self.out_cells or "cells")
        return Path(self.out_report or beside.with_name(f"{beside.stem}_report.html"))

    @property
    def folder(self):
        """The folder of the page."""
        return self.page.parent

    def output(self):
        """The page."""
        return StageTarget(self.page, self)

    def held_places(self):
        """The page."""
        return [str(self.page)]

    def report(self):
        """See :func:`region_grower_flow.report.synthesis_page.synthesis_page`."""
        from region_grower_flow.io.atomic import make_folder, write_text_atomic
        from region_grower_flow.report.synthesis_page import (
            SynthesisReport,
            synthesis_page,
            warnings_of,
        )

        summary = self.synthesis.manifest().facts
        pictures, lost = self._pictures()
        report = SynthesisReport(
            summary=summary,
            written=list(self._written()),
            warnings=[*warnings_of(summary), *lost],
            calibration=list(self._calibration()),
            pictures=pictures,
        )
        make_folder(self.page.parent)
        write_text_atomic(self.page, synthesis_page(report))
        return [self.page], []

    def where(self):
        """The page."""
        yield f"Open {self.page}"

    def _pictures(self):
        """([(mtype, kind, data, caption)], [sentence on cells that cannot be read])."""
        from region_grower_flow.report.synthesis_pictures import synthesis_pictures

        placed = self.placed()
        mtypes = self.chosen(list(placed.mtypes))
        self.tell("drawing cells")
        return synthesis_pictures(placed, mtypes, self.report_pictures, self.report_seed)

    def _written(self):
        """(what, path, bytes) of the outputs."""
        for what, place in places_of(self.synthesis).items():
            if place is not None:
                path = Path(place)
                size = path.stat().st_size if path.is_file() else None
                yield what.replace("_", " "), os.path.abspath(place), size

    def _calibration(self):
        """(stage, sentences) of what was calibrated for the synthesis."""
        for task in stages_above(self):
            if isinstance(task, MODEL_STAGES) and task.complete():
                yield task.task_family, task.manifest().facts.get("sentences", [])
