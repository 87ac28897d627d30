"""Synthesis of cells: the one unit of work, the same in every executor.

A :class:`Synthesizer` is opened once per process on the settings of a run and a range of rows of
the cell table; :meth:`Synthesizer.synthesize` makes one cell and returns its record. Every cell has
a seed of its own, so results depend on nothing but the cell's row and the settings.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
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
from region_grower_flow.morphology import FlatMorphology

if TYPE_CHECKING:
    from region_grower_flow.engine.model import Grown, GrowthSite
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
        rng = np.random.default_rng(self.inputs.seed(cell))
        last: Exception | None = None
        for attempt in range(1, layout.MAX_ATTEMPTS + 1):
            try:
                made = self._attempt(cell, rng)
            except GrowthFailed as error:
                last = error
            except InvalidInput as error:
                raise DropCell(str(error)) from error
            except ValueError as error:  # the reference tries again at any ValueError
                last = error
            else:
                return {**made, "attempts": attempt}
        raise DropCell(f"no growth in {layout.MAX_ATTEMPTS} attempts, the last failed with: {last}")

    def _attempt(self, cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
        from region_grower_flow import engine
        from region_grower_flow.cell import limits as hard_limits
        from region_grower_flow.space.layers import LayerContext
        from region_grower_flow.space.scaling import limits

        layers, entry = LayerContext.of(cell), self.inputs.entry(cell)
        site, donor = self.inputs.site(cell, entry.params, layers), self.inputs.donor(cell)
        prepared = self.inputs.prepared(entry)
        grown = engine.grow(prepared, site, rng, engine=self.settings.growth.engine)
        morphology = grown.morphology
        hard_limits.translate(morphology, -site.position)
        wanted = limits(prepared.params, layers, morphology)
        morphology, changes, kept = hard_limits.fit_to_limits(
            morphology, wanted, site.y_direction, self.settings.growth.min_hard_scale
        )
        sections = [s for s in grown.apical_sections if s is not None and kept[s] >= 0]
        apical_points = [morphology.section(kept[s])[-1].tolist() for s in sections]
        if donor is not None:
            morphology = self._graft(cell, morphology, donor, rng)
        result = {
            "apical_sections": [None if s is None else int(s) for s in grown.apical_sections],
            "apical_points": apical_points,
            "engine": grown.engine,
            "fallback": grown.fallback,
            **self._write(cell, morphology, apical_points),
        }
        if self.settings.debug:
            result["debug"] = _debug_data(site, grown, changes)
        return result

    def _graft(
        self,
        cell: Cell,
        morphology: FlatMorphology,
        donor: FlatMorphology,
        rng: np.random.Generator,
    ) -> FlatMorphology:
        from region_grower_flow.cell.axon import place_axon

        return place_axon(
            morphology,
            donor,
            cell.orientation,
            scale=None if np.isnan(cell.axon_scale) else cell.axon_scale,
            rotational_jitter_std=self.settings.growth.rotational_jitter_std,
            scaling_jitter_std=self.settings.growth.scaling_jitter_std,
            rng=rng,
        )

    def _write(
        self, cell: Cell, morphology: FlatMorphology, apical_points: Sequence[Any]
    ) -> dict[str, Any]:
        from region_grower_flow.cell.order import nrn_ordered
        from region_grower_flow.io import morphologies
        from region_grower_flow.io.nrn import apical_nrn_sections

        ordered, _ = nrn_ordered(morphology)
        stem = self._stem(cell)
        result: dict[str, Any] = {"name": stem, "files": {}, "apical_NRN_sections": None}
        if self.settings.nrn_sections and not self.settings.skip_write:
            text = next(
                e for e in self.settings.growth.out_morph_ext if e in layout.NEURON_EXTENSIONS
            )
            result["apical_NRN_sections"] = apical_nrn_sections(ordered, apical_points, text)
        if not self.settings.skip_write:
            result["files"] = morphologies.write_morphology(
                self.settings.morphologies, stem, ordered, self.settings.growth.out_morph_ext
            )
        return result

    def _stem(self, cell: Cell) -> str:
        from region_grower_flow.io import morphologies

        name = morphologies.morphology_name(self.inputs.seed(cell))
        return str(morphologies.relative_stem(name, self.settings.directory_depth))

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


def _scaling_inputs(neurite_type: str, scaling: Any) -> dict[str, Any]:
    """The numbers that a bar code was scaled by, under the reference's names."""
    from region_grower_flow.space.scaling import MIN_PATH_DISTANCE, MIN_THICKNESS

    if scaling.kind == "default":
        return {
            "target_thickness": scaling.target,
            "reference_thickness": scaling.reference,
            "min_target_thickness": MIN_THICKNESS,
        }
    slope, intercept = scaling.fit
    return {
        "fit_slope": slope,
        "fit_intercept": intercept,
        f"{neurite_type.removesuffix('_dendrite')}_target_extent": scaling.extent,
        "target_path_distance": scaling.path_distance,
        "min_target_path_distance": MIN_PATH_DISTANCE,
    }


def _debug_data(site: GrowthSite, grown: Grown, changes: Any) -> dict[str, Any]:
    """The reference's debug infos, as JSON."""
    inputs = {}
    for kind, log in grown.scaling_log.items():
        found = [(name, each) for name, each in site.scaling.items() if each.kind == kind]
        if not found:
            continue
        name, scaling = found[0]
        inputs[f"{kind}_func"] = {"inputs": _scaling_inputs(name, scaling), "scaling": log}
    debug: dict[str, Any] = {"input_scaling": inputs}
    if changes:
        debug["neurite_hard_limit_rescaling"] = changes
    names = [c.mesh_name for c in site.constraints if getattr(c, "mesh_name", None)]
    if names:
        debug["mesh_name"] = names[-1]
    return debug
