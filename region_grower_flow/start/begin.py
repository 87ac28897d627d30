"""A configuration made of one's own data in one call; and some of the cells, for a try."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike, write_text_atomic
from region_grower_flow.io.cell_files import write_nodes
from region_grower_flow.start import files, words
from region_grower_flow.start.proposals import Proposal, propose
from region_grower_flow.start.survey import Sources, Survey, survey

if TYPE_CHECKING:
    from region_grower_flow.io.cells import Cells


FLOW = "flow.cfg"


@dataclass
class Beginning:
    """Files that are to be written.

    Attributes:
        lines: of the terminal.
        texts: {name of a file: its text}, beside the configuration.
        count: number of the cells that can be grown.
        cells: (path, Cells) of the cells with mtypes that can be grown, or with regions; None
            where the file of the cells does.
        folder: where everything goes.
    """

    lines: list[str]
    texts: dict[str, str]
    folder: Path
    count: int
    cells: tuple[Path, Cells] | None = None

    def write(self) -> list[Path]:
        """Write all files; raises InvalidInputs when others have their names."""
        files.write_files(self.folder, self.texts)
        if self.cells is not None:
            write_nodes(*self.cells)
        return [Path(self.folder, name) for name in self.texts]


def begin(sources: Sources, out: PathLike = FLOW) -> Beginning:
    """Look at one's own data and propose a configuration.

    Args:
        sources: start.survey.Sources.
        out: path of the configuration.

    Returns:
        Beginning; nothing has been written yet.

    Raises:
        InvalidInputs: all that is wrong with the data.
    """
    folder, name = Path(out).parent, Path(out).name
    with tempfile.TemporaryDirectory() as scratch:

        def made_table(text: str) -> Path:
            path = Path(scratch, files.TABLE)
            write_text_atomic(path, text)
            return path

        try:
            found = survey(sources, made_table)
            proposal = propose(found)
        except InvalidInput as error:
            # The table that was made for this look is no file that the user knows.
            if not str(error.where).startswith(scratch):
                raise
            raise InvalidInput(error.problem, sources.morphologies, error.hint) from error
    cells, grown = None, sources.cells
    if proposal.left_out or found.regions_of_atlas:
        grown = folder / (files.SELECTED if proposal.left_out else files.WITH_REGIONS)
        kept = ~np.isin(found.cells.properties["mtype"].astype(str), list(proposal.left_out))
        cells = grown, found.cells.some(np.flatnonzero(kept))
    texts = {name: files.flow_text(found, proposal, folder or Path("."), grown, name)}
    texts |= _files_beside(found, proposal)
    count = len(found.cells) if cells is None else len(cells[1])
    return Beginning(list(words.lines(found, proposal)), texts, folder, count, cells)


def _files_beside(found: Survey, proposal: Proposal) -> dict[str, str]:
    """{name: text} of the files that the configuration names and that are written beside it."""
    texts = {}
    if proposal.structure is not None:
        texts[files.STRUCTURE] = files.structure_text(proposal.structure)
    if proposal.substitutions:
        texts[files.SUBSTITUTIONS] = files.substitutions_text(proposal, found.mtypes)
    if proposal.first_layer is not None:
        texts[files.SCALING] = files.scaling_text(proposal)
    if found.table.text is not None:
        texts[files.TABLE] = found.table.text
    return texts
