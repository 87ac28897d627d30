"""A configuration made of one's own data in one call; and some of the cells, for a try."""

import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from region_grower_flow.errors import InvalidInput, nearest, some
from region_grower_flow.io.atomic import make_folder, write_text_atomic
from region_grower_flow.io.cells import read_cells, write_nodes
from region_grower_flow.start import files, words
from region_grower_flow.start.proposals import propose
from region_grower_flow.start.survey import survey

FLOW = "flow.cfg"


@dataclass
class Beginning:
    """Files that are to be written.

    Attributes:
        lines: of the terminal.
        texts: {name of a file: its text}, beside the configuration.
        cells: (path, Cells) of the cells with mtypes that can be grown, None for all.
        folder: where everything goes.
        flow: name of the configuration.
    """

    lines: list
    texts: dict
    folder: Path
    flow: str
    cells: tuple | None = None
    written: list = field(default_factory=list)

    def write(self):
        """Write all files; raises InvalidInputs when others have their names."""
        files.write_files(self.folder, self.texts)
        if self.cells is not None:
            write_nodes(*self.cells)
        return [Path(self.folder, name) for name in self.texts]


def begin(sources, out=FLOW):
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

        def made_table(text):
            path = Path(scratch, files.TABLE)
            write_text_atomic(path, text)
            return path

        found = survey(sources, made_table)
        proposal = propose(found)
    texts, cells, grown = {}, None, sources.cells
    if proposal.left_out:
        grown = folder / files.SELECTED
        kept = ~np.isin(found.cells.properties["mtype"].astype(str), list(proposal.left_out))
        cells = grown, _rows(found.cells, np.flatnonzero(kept))
    texts[name] = files.flow_text(found, proposal, folder or Path("."), grown)
    if proposal.structure is not None:
        texts[files.STRUCTURE] = files.structure_text(proposal.structure)
    if proposal.substitutions:
        texts[files.SUBSTITUTIONS] = files.substitutions_text(proposal, found.mtypes)
    if proposal.first_layer is not None:
        texts[files.SCALING] = files.scaling_text(proposal)
    if found.table.text is not None:
        texts[files.TABLE] = found.table.text
    return Beginning(list(words.lines(found, proposal)), texts, folder, name, cells)


def some_cells(path, target, limit=None, mtypes=(), population=None):
    """Write some of the cells of a file to another one: of each mtype as many as of any other.

    Args:
        path: the file of the cells.
        target: the file to write.
        limit: how many, at most; None for all.
        mtypes: only cells of these; none of them means all.
        population: the SONATA population, where the file holds several.

    Returns:
        The number of cells.

    Raises:
        InvalidInput: the cells cannot be read, or there are none of these mtypes.
    """
    cells = read_cells(path, population=population)
    names = np.array([str(m) for m in cells.properties["mtype"]], dtype=object)
    unknown = [m for m in mtypes if m not in set(names)]
    if unknown:
        hint = nearest(unknown[0], set(names)) or f"they have {some(sorted(set(names)), 8)}"
        raise InvalidInput(f"no cell is of the mtype {some(map(repr, unknown))}", path, hint)
    rows = np.flatnonzero(np.isin(names, list(mtypes))) if mtypes else np.arange(len(names))
    chosen = rows[in_turn(names[rows])][:limit]
    make_folder(Path(target).parent)
    write_nodes(target, _rows(cells, np.sort(chosen)))
    return len(chosen)


def in_turn(names):
    """(N,) an order in which each name comes once before any comes twice.

    A shorter beginning is part of a longer one, so what has been grown for a try is among what is
    grown later.
    """
    seen, ranks = {}, np.empty(len(names), dtype=np.int64)
    for i, name in enumerate(names):
        ranks[i] = seen[name] = seen.get(name, -1) + 1
    return np.lexsort((np.arange(len(names)), ranks))


def trial_places(options, folder_name):
    """{option: path} of the outputs of a try, beside those of all cells.

    Args:
        options: {option: path} of the configuration.
        folder_name: what the try is called.
    """
    return {name: os.fspath(_tried(Path(p), folder_name)) for name, p in options.items() if p}


def _tried(path, word):
    """``out/nodes.h5`` becomes ``out_word/nodes.h5``, and ``work`` becomes ``work_word``."""
    first, *others = path.parts
    if others and not path.is_absolute() and first != "..":
        return Path(f"{first}_{word}", *others)
    return path.with_name(f"{path.stem}_{word}{path.suffix}")


def _rows(cells, rows):
    return replace(
        cells,
        positions=cells.positions[rows],
        orientations=None if cells.orientations is None else cells.orientations[rows],
        properties=cells.properties.iloc[rows].reset_index(drop=True),
    )
