"""Messages of a running task: to the terminal, the scheduler's web UI and the log of the stage."""

from __future__ import annotations

import contextlib
import html
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luigi.rpc import RPCError

from region_grower_flow import layout
from region_grower_flow.errors import printable
from region_grower_flow.tasks import terminal
from region_grower_flow.tasks.progress import Part, StageProgress, stage_log


class ShowsProgress:
    """Base of stages that show how far they are; nothing outside of ``run`` may do so."""

    if TYPE_CHECKING:  # the side of Luigi

        def __getattr__(self, name: str) -> Any: ...

    _progress: StageProgress | None = None
    _scheduler_lost = False

    def show_progress(self, what: str, part: Part | None = None) -> StageProgress:
        """A StageProgress for the terminal and the scheduler, closed when the stage ends."""
        self._progress = StageProgress(self, what, part)
        return self._progress

    def end_progress(self) -> None:
        """Leave the count to the stages that follow."""
        if self._progress is not None:
            self._progress.close()

    def show(self, message: str, percentage: float | None = None, shown: str | None = None) -> None:
        """Show a message, and how much is done, in the terminal and in the scheduler's web UI.

        Luigi's page takes messages for HTML. Work goes on without a scheduler that has gone.

        Args:
            message: of the web UI.
            percentage: of the stage that is done; None when it is not known.
            shown: words for the terminal, where they differ; none when they are empty.
        """
        shown = message if shown is None else shown
        if shown:
            terminal.show(self, shown, None if percentage is None else percentage / 100)
        if self._scheduler_lost or not callable(self.set_status_message):
            return
        if self.log_path is not None:
            folder = Path(self.work_dir).absolute()
            message = f"{message}\nLog: {self.log_path.absolute().relative_to(folder)}\nin {folder}"
        try:
            self.set_status_message(html.escape(printable(message), quote=False))
            if percentage is not None:
                self.set_progress_percentage(percentage)
        except RPCError:
            self._scheduler_lost = True

    @property
    def log_path(self) -> Path | None:
        """The stage's log; None when it has none."""
        return self.work_path(layout.LOGS, layout.stage_log(self.label))

    def log(self) -> AbstractContextManager[Callable[[str], object]]:
        """Copies what is logged while the outputs are made."""
        if self.log_path is None:
            return contextlib.nullcontext(lambda text: None)
        return stage_log(self.log_path, self.worker_log_level)
