"""All reports of a synthesis at once, as a task."""

from __future__ import annotations

from region_grower_flow import options
from region_grower_flow.checks.reports import allowed_reports
from region_grower_flow.options.group import where_optional
from region_grower_flow.options.validation import ATLAS
from region_grower_flow.tasks import reports, synthesis_report
from region_grower_flow.tasks.base import FlowTask, Made, named
from region_grower_flow.tasks.report_base import REPORTS
from region_grower_flow.tasks.targets import StageTarget
from region_grower_flow.tasks.validation import SYNTHESES

__all__ = ["MakeReports", "reports", "synthesis_report"]


class MakeReports(FlowTask):
    """Make several reports, by default all that the options allow."""

    groups = (*SYNTHESES, options.Report, options.Collage, options.ReportChoice)
    other_options = where_optional(SYNTHESES)
    results_of = ()
    checked_by = "reports"

    @property
    def in_atlas(self) -> bool:
        """True when reports are of the synthesis in the atlas."""
        return self.report_of == ATLAS

    def requires(self) -> dict[str, FlowTask]:
        """The reports."""
        return named(*(self.clone(REPORTS[n]) for n in self.reports or allowed_reports(self)))

    @property
    def label(self) -> str:
        """The label, in the form that those of the reports have."""
        return f"{self.task_family}_{self.report_of}"

    def output(self) -> StageTarget:
        """The folder of the reports."""
        return StageTarget(self.report_dir, self)

    def make(self) -> Made:
        """Nothing but the list of what was made."""
        where = [f"{n}: {line}" for n, task in self.requires().items() for line in task.where()]
        return [], {"sentences": where}
