"""Luigi's own log of a run, which is for a file and not for the terminal."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
from collections.abc import Iterable
from pathlib import Path

from region_grower_flow.errors import FlowError
from region_grower_flow.io.atomic import make_folder
from region_grower_flow.io.logs import PlainFormatter


class LuigiLog(logging.handlers.MemoryHandler):
    """Luigi's own account of a run: kept until there is a work folder, and then in a file there.

    Args:
        loggers: names of Luigi's loggers.
    """

    def __init__(self, loggers: Iterable[str]) -> None:
        self._loggers = tuple(map(logging.getLogger, loggers))
        super().__init__(capacity=100_000, flushLevel=logging.CRITICAL + 1)
        self.setFormatter(PlainFormatter("%(asctime)s %(levelname)s: %(message)s"))
        for logger in self._loggers:
            logger.addHandler(self)
            logger.setLevel(min(logger.level or logging.INFO, logging.INFO))

    def open(self, path: Path) -> None:
        """Go on in a file; what cannot be written there is not needed."""
        with contextlib.suppress(OSError, FlowError):
            make_folder(path.parent)
            target = logging.FileHandler(path, encoding="utf-8")
            target.setFormatter(self.formatter)
            self.setTarget(target)
            self.flush()

    def close(self) -> None:
        """Write what is left, and take no more."""
        for logger in self._loggers:
            logger.removeHandler(self)
        target = self.target
        super().close()
        if target is not None:
            target.close()
