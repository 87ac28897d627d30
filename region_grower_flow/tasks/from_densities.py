"""Densities to morphologies in one command: a task that runs the others one after another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options import (
    AxonChoice,
    Execution,
    Growth,
    Model,
    Outputs,
    Placement,
    Planes,
    Reference,
    Slicing,
    Space,
    Work,
)
from region_grower_flow.tasks.axon_choice import ChooseAxons
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.placement import PlaceCells
from region_grower_flow.tasks.slicing import CreatePlanes, SliceCells
from region_grower_flow.tasks.targets import StageTarget

SELECTING = (
    "slice_mtypes",
    "slice_n_cells",
    "slice_every",
    "slice_box",
    "slice_hemisphere",
    "slice_planes",
)
"""Options that take some of the cells, when they are not at their defaults."""


class SynthesizeFromDensities(FlowTask):
    """Place cells, take some of them, choose their axons, and synthesize their morphologies.

    Each step is a task that can be run by itself. The cells are placed before the tasks of the
    synthesis are known: these depend on how many there are.
    """

    groups = (
        Work,
        Reference,
        Model,
        Space,
        Growth,
        Execution,
        Outputs,
        Placement,
        Planes,
        Slicing,
        AxonChoice,
    )
    input_cells = Space.input_cells.where_optional("Not given: the placed cells")
    slice_from = Slicing.slice_from.where_optional("Not given: the placed cells")
    planes_region = Planes.planes_region.where_optional(
        "Region that is cut into slices; not cut without it"
    )
    axon_donors = AxonChoice.axon_donors.where_optional(
        "Table of donors; no axons are chosen without it"
    )

    def steps(self) -> list[FlowTask]:
        """The tasks, in order; each reads what those before it have made.

        Raises:
            InvalidInputs: an option names another file than the one that the steps hand on.
        """
        problems: list[InvalidInput] = []
        place = self.clone(PlaceCells)
        steps, cells = [place], str(place.path)
        planes = self.slice_planes
        if self.planes_region:
            steps.append(self.clone(CreatePlanes))
            planes = self._handed_on("slice_planes", steps[-1].path, problems)
        if planes or any(self._selects(name) for name in SELECTING):
            source = self._handed_on("slice_from", cells, problems)
            steps.append(self.clone(SliceCells, slice_from=source, slice_planes=planes))
            cells = str(steps[-1].path)
        cells = self._handed_on("input_cells", cells, problems)
        axons = self.morph_axon
        if self.axon_donors:
            steps.append(self.clone(ChooseAxons, input_cells=cells))
            axons = self._handed_on("morph_axon", steps[-1].path, problems)
        if problems:
            raise InvalidInputs(problems)
        synthesize = self.clone(SynthesizeMorphologies, input_cells=cells, morph_axon=axons)
        return [*steps, synthesize]

    def _selects(self, name: str) -> bool:
        return getattr(self, name) != Slicing.DECLARED[name].default

    def _handed_on(self, name: str, path: PathLike, problems: list[InvalidInput]) -> str:
        """The file that the steps hand on, which the option may name but not another one."""
        given = getattr(self, name)
        if given is not None and os.path.realpath(given) != os.path.realpath(path):
            hint = f"leave {name} out, or run the tasks one by one"
            problem = f"is {given}, but the steps hand on {path}"
            problems.append(InvalidInput(problem, f"option {name}", hint))
        return str(path)

    def output(self) -> list[StageTarget]:
        """Nothing of its own."""
        return []

    def complete(self) -> bool:
        """True when every step is complete."""
        try:
            return all(step.complete() for step in self.steps())
        except InvalidInput:  # run() says what is wrong
            return False

    def run(self) -> Iterator[Any]:
        """Run each step once those before it are complete."""
        # Luigi sends their outputs back, which a list could not take.
        for step in self.steps():  # noqa: UP028
            yield step
