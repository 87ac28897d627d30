"""Synthesis of cells: the one unit of work, the same in every executor.

A :class:`Synthesizer` is opened once per process on the settings of a run and a range of rows of
the cell table; :meth:`Synthesizer.synthesize` makes one cell and returns its record. Every cell has
a seed of its own, so results depend on nothing but the cell's row and the settings.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow import layout
from region_grower_flow.cell.inputs import CellInputs
from region_grower_flow.cell.settings import SynthesisSettings
from region_grower_flow.errors import (
    DropCell,
    FlowError,
    GrowthFailed,
    InputChanged,
    InvalidInput,
    OutputFailed,
)

if TYPE_CHECKING:
    from region_grower_flow.io.table import Cell

L = logging.getLogger(__name__)


def open_synthesizer(settings: SynthesisSettings | Mapping[str, Any]) -> Synthesizer:
    """Open the synthesizer of a process: ``settings`` is a SynthesisSettings or its JSON dict."""
    if not isinstance(settings, SynthesisSettings):
        settings = SynthesisSettings.from_json(settings)
    return Synthesizer(settings)


class Synthesizer:
    """Makes the cells of a range of rows; files are read at first use and kept."""

    def __init__(self, settings: SynthesisSettings) -> None:
        self.settings = settings
        self.inputs = CellInputs(settings)

    def digest(self, row: int) -> str:
        """Fingerprint of everything that determines the cell of this row."""
        return self.inputs.digest(self.inputs.cell(row))

    def cost(self, row: int) -> float:
        """Roughly how much work the cell is, see :meth:`CellInputs.cost`."""
        return self.inputs.cost(self.inputs.cell(row))

    def kernel_groups(self) -> list[str]:
        """The groups of kernels that the rows' cells call; none when NeuroTS grows them."""
        return self.inputs.kernel_groups() if self.settings.growth.engine == "compiled" else []

    def warm_up(self) -> None:
        """Read the inputs and load the kernels, so that no cell's time limit pays for it.

        Raises:
            InvalidInput: an input cannot be read.
        """
        _ = self.inputs.table, self.inputs.parameters, self.inputs.distributions
        if self.settings.growth.engine == "compiled":
            from region_grower_flow.engine.warm import load_kernels

            load_kernels(self.kernel_groups())
        else:
            importlib.import_module("neurots")

    def synthesize(self, row: int) -> dict[str, Any]:
        """Make the cell of one row of the cell table, write it, and return its record.

        A cell that cannot be made is dropped with a reason.

        Raises:
            OutputFailed: the morphology cannot be written.
            InputChanged: a donor or a mesh is not what it was when the run began.
            MemoryError: the memory is short, for which other processes may be the cause: the
                launcher tries the cell again, alone.
        """
        cell = self.inputs.cell(row)
        try:
            return self._record(cell, **self._make(cell))
        except (OutputFailed, InputChanged, MemoryError):
            raise
        except FlowError as reason:
            return self._drop(cell, str(reason))
        except Exception as error:  # one odd cell must not end a run of a million
            L.exception("Cell %d failed unexpectedly", cell.id)
            return self._drop(cell, f"unexpected {type(error).__name__}: {error}")

    def drop(self, row: int, reason: str) -> dict[str, Any]:
        """The record of a cell that is given up."""
        return self._drop(self.inputs.cell(row), reason)

    # The parts of one cell.

    def _make(self, cell: Cell) -> dict[str, Any]:
        from region_grower_flow.cell.making import attempt_cell

        rng = np.random.default_rng(self.inputs.seed(cell))
        last: Exception | None = None
        for attempt in range(1, layout.MAX_ATTEMPTS + 1):
            try:
                made = attempt_cell(self.inputs, cell, rng)
            except GrowthFailed as error:
                last = error
            except InvalidInput as error:
                raise DropCell(str(error)) from error
            except ValueError as error:  # the reference tries again at any ValueError
                last = error
            else:
                return {**made, "attempts": attempt}
        raise DropCell(f"no growth in {layout.MAX_ATTEMPTS} attempts, the last failed with: {last}")

    def _drop(self, cell: Cell, reason: str) -> dict[str, Any]:
        return self._record(cell, status=layout.DROPPED, reason=" ".join(str(reason).split()))

    def _record(self, cell: Cell, status: str = layout.MADE, **values: Any) -> dict[str, Any]:
        record = {
            "row": cell.row,
            "cell": cell.id,
            "digest": self.inputs.digest(cell),
            "mtype": cell.mtype,
            "region": cell.region,
            "status": status,
            "name": None,
            "reason": None,
            "attempts": 0,
            "apical_points": None,
            "apical_sections": None,
            "apical_NRN_sections": None,
            "files": {},
        }
        return {**record, **values}
