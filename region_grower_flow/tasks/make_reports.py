"""All reports of a synthesis at once, as a task."""

from region_grower_flow.errors import InvalidInput, nearest
from region_grower_flow.tasks import reports, synthesis_report
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.checks import Check, CheckedFirst
from region_grower_flow.tasks.options.report import AllReportOptions, ReportChoice
from region_grower_flow.tasks.report_base import (
    DEBUG,
    ONLY_ATLAS,
    ONLY_VACUUM,
    REFERENCES,
    REPORTS,
)

__all__ = ["CheckReports", "MakeReports", "reports", "synthesis_report"]


class CheckReports(ReportChoice, AllReportOptions, Check):
    """Check the names of the reports; each has further checks of its own."""

    def problems(self):
        """Names of reports that do not exist."""
        return [
            InvalidInput(
                f"there is no report {name!r}",
                "option reports",
                nearest(name, REPORTS) or f"there are {', '.join(sorted(REPORTS))}",
            )
            for name in self.reports
            if name not in REPORTS
        ]


class MakeReports(CheckedFirst, ReportChoice, AllReportOptions, FlowTask):
    """Make several reports, by default all that the options allow."""

    own_check = CheckReports

    def upstream(self):
        """The reports."""
        names = self.reports or [name for name, cls in REPORTS.items() if self._allows(cls.needs)]
        return [self.clone(REPORTS[name]) for name in names]

    def _allows(self, needs):
        lacking = {
            ONLY_ATLAS: not self.in_atlas,
            ONLY_VACUUM: self.in_atlas,
            DEBUG: not self.out_debug_data,
            REFERENCES: not (self.morphologies_dir and self.dat_file),
        }
        return not any(lacking[need] for need in needs)

    @property
    def label(self):
        """As that of the reports."""
        return f"{self.task_family}_{self.report_of}"

    def values(self):
        """None: those of the reports are in their fingerprints."""
        return {}

    def make(self):
        """Nothing but the list of what was made."""
        made = [f"{task.task_family}: {line}" for task in self.upstream() for line in task.where()]
        return [], {"sentences": made}
