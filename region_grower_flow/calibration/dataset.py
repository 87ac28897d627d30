"""The reference dataset: which morphology files belong to which mtype.

It is read from a table (:mod:`tables`) that names morphologies and their mtypes, and from the
folder where their files are (:mod:`files`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from region_grower_flow.calibration.files import Files, find_files
from region_grower_flow.calibration.rows import Row
from region_grower_flow.calibration.tables import distinct, parse_table
from region_grower_flow.calibration.variants import find_variants
from region_grower_flow.errors import InvalidInput, InvalidInputs, nearest, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import reading
from region_grower_flow.layout import MORPHOLOGY_EXTENSIONS

ALL, FIT, TEST = "all", "fit", "test"
REFERENCE_PARTS = (ALL, FIT, TEST)
"""Parts of the reference: a validation is sound on cells that were not fitted."""


class ReferenceCell(NamedTuple):
    """A reconstruction.

    Attributes:
        name: its name in the table.
        path: its file.
        use_axon: whether the table says that its axon can be used.
        layer: its layer in the table, as a text (empty when it has none).
        group: the same for all variants of one reconstruction; empty for an independent one.
        pia: direction of the pia in its file, as the table says; empty where it does not.
    """

    name: str
    path: str
    use_axon: bool = True
    layer: str = ""
    group: str = ""
    pia: str = ""


@dataclass(frozen=True)
class Dataset:
    """The reference cells of each mtype.

    Attributes:
        folder: the folder that holds the morphologies.
        dat_file: the table that was read.
        extension: of the morphology files, with its dot.
        mtypes: {mtype: [ReferenceCell]}, both in the order of the table.
        notes: {mtype: sentences on where its cells come from, or on why there are none}.
    """

    folder: Path
    dat_file: Path
    extension: str
    mtypes: dict[str, list[ReferenceCell]]
    notes: dict[str, list[str]] = field(default_factory=dict)

    @property
    def n_cells(self) -> int:
        """The number of cells; one that stands for several mtypes counts for each."""
        return sum(len(cells) for cells in self.mtypes.values())


def read_dataset(
    folder: PathLike,
    dat_file: PathLike,
    extension: str = ".h5",
    use_axon_excludes_cells: bool = False,
) -> Dataset:
    """Read a table and find its morphologies.

    Args:
        folder: where the morphologies are; names may hold sub-folders but never leave it.
        dat_file: the table of names and mtypes: dat, neuronDB XML, or CSV or TSV.
        extension: of MORPHOLOGY_EXTENSIONS, with or without its dot; of the files that the table
            names without their paths.
        use_axon_excludes_cells: whether ``use_axon`` false leaves out the whole cell, as in
            synthesis-workflow (BuildMorphsDF), not its axon alone.

    Returns:
        Dataset.

    Raises:
        InvalidInputs: all that is wrong with the table and with the files that it names.
    """
    dataset, problems = _scan(folder, dat_file, extension, use_axon_excludes_cells)
    if dataset is None:
        raise InvalidInputs(problems)
    return dataset


def unknown_mtypes(mtypes: Iterable[str], dataset: Dataset, where: object) -> list[InvalidInput]:
    """The mtypes that a dataset does not have, as a list of InvalidInput."""
    return [
        InvalidInput(
            f"the mtype {mtype!r} is not among the {len(dataset.mtypes)} of {dataset.dat_file}",
            where,
            nearest(mtype, dataset.mtypes),
        )
        for mtype in mtypes
        if mtype not in dataset.mtypes
    ]


def split_dataset(dataset: Dataset, part: str = ALL, seed: int = 0) -> Dataset:
    """One half of the cells of each mtype, for validation on cells that were not fitted.

    The cells of an mtype are put in an order that a hash of the seed and of each cell's name
    gives, then dealt alternately: the first, third, ... are ``"fit"``, the others ``"test"``.
    Variants of one reconstruction (those that the table says, and those that are alike: see
    :mod:`variants`) are dealt together, always to the half that is smaller so far.
    So the halves depend neither on the order of the table, nor on the other mtypes, nor on a
    version of NumPy, and an mtype that borrows all cells of another is split as that one is.

    Args:
        dataset: the Dataset.
        part: ``"all"`` (the dataset itself), ``"fit"`` or ``"test"``.
        seed: another one gives other halves.

    Returns:
        Dataset. An mtype with one cell has it in ``"fit"`` and is absent from ``"test"``.

    Raises:
        InvalidInput: an unknown part, or no mtype has a cell in it.
    """
    if part == ALL:
        return dataset
    if part not in REFERENCE_PARTS:
        expected = ", ".join(REFERENCE_PARTS)
        raise InvalidInput(f"unknown part of the reference {part!r}, expected one of {expected}")
    notes = {mtype: list(sentences) for mtype, sentences in dataset.notes.items()}
    mtypes = {}
    for mtype, cells in dataset.mtypes.items():
        kept = set(_deal(cells, seed)[part])
        if kept:
            mtypes[mtype] = [cell for cell in cells if cell in kept]
        notes.setdefault(mtype, []).append(
            f"{len(kept)} of its {len(cells)} cells are in the half {part!r} "
            f"(validation_seed {seed})"
        )
    if not mtypes:
        raise InvalidInput(f"no mtype has a cell in the half {part!r}", dataset.dat_file)
    return replace(dataset, mtypes=mtypes, notes=notes)


def _deal(cells: Sequence[ReferenceCell], seed: int) -> dict[str, list[ReferenceCell]]:
    """{half: cells} of one mtype."""
    groups: dict[str, list[ReferenceCell]] = {}
    for cell, group in zip(cells, variant_groups(cells), strict=True):
        groups.setdefault(group, []).append(cell)
    halves: dict[str, list[ReferenceCell]] = {FIT: [], TEST: []}
    for name in sorted(groups, key=lambda name: _shuffle_key(seed, name)):
        smaller = FIT if len(halves[FIT]) <= len(halves[TEST]) else TEST
        halves[smaller] += groups[name]
    return halves


def variant_groups(cells: Sequence[ReferenceCell]) -> list[str]:
    """The group of each ReferenceCell, a text: the same for variants of one reconstruction.

    An independent cell has its name.
    """
    groups = [cell.group or cell.name for cell in cells]
    for names in find_variants({cell.name: cell.path for cell in cells}):
        places = [place for place, cell in enumerate(cells) if cell.name in names]
        joined = {groups[place] for place in places}
        # The first in the alphabet: the order of the table must not count.
        name = min(joined)
        groups = [name if group in joined else group for group in groups]
    return groups


def _shuffle_key(seed: int, name: str) -> tuple[bytes, str]:
    return hashlib.sha256(f"{seed} {name}".encode()).digest(), name


def _scan(
    folder: PathLike, dat_file: PathLike, extension: str, use_axon_excludes_cells: bool
) -> tuple[Dataset | None, list[InvalidInput]]:
    """Read and check a dataset: (Dataset or None, problems)."""
    folder, dat_file = Path(folder), Path(dat_file)
    known, problems = _known_extension(extension)
    problems += _folder_problems(folder)
    text, unreadable = _read_text(dat_file)
    problems += unreadable
    if text is None:
        return None, problems
    files = Files(folder, known)
    rows, malformed = parse_table(text, dat_file, files.knows)
    problems += malformed
    rows, notes = distinct(rows)
    needed = ("use_dendrites", "use_axon") if use_axon_excludes_cells else ("use_dendrites",)
    used = [row for row in rows if all(getattr(row, flag) for flag in needed)]
    if rows and not used:
        problem = f"{' or '.join(needed)} is false for all of its {len(rows)} morphologies"
        problems.append(InvalidInput(problem, dat_file))
    paths: dict[Row, Path] = {}
    if folder.is_dir() and known:
        paths, absent = find_files(used, files, dat_file)
        problems += absent
    if problems or known is None:
        return None, problems
    mtypes: dict[str, list[ReferenceCell]] = {}
    names = {row.name for row in rows}
    for row in used:
        group = _group(row, names)
        cell = ReferenceCell(row.name, str(paths[row]), row.use_axon, row.layer, group, row.pia)
        mtypes.setdefault(row.mtype, []).append(cell)
    for mtype, sentences in _unused(rows, used).items():
        notes.setdefault(mtype, []).extend(sentences)
    return Dataset(folder, dat_file, known, mtypes, notes), []


def _folder_problems(folder: Path) -> list[InvalidInput]:
    if folder.is_dir():
        return []
    absent = "the folder of reference morphologies does not exist"
    other = "expected the folder of reference morphologies, found a file"
    return [InvalidInput(other if folder.exists() else absent, folder)]


def _group(row: Row, names: Collection[str]) -> str:
    if not row.parent or row.parent in names:
        return row.parent
    return f"{row.parent} of {row.mtype}"


def _unused(rows: Sequence[Row], used: Iterable[Row]) -> dict[str, list[str]]:
    """{mtype: sentences} on the morphologies that the table itself excludes."""
    names: dict[str, list[str]] = {}
    kept = set(used)
    for row in rows:
        if row not in kept:
            names.setdefault(row.mtype, []).append(row.name)
    return {
        mtype: [f"{len(unused)} of its cells not used, as the table says: {some(unused)}"]
        for mtype, unused in names.items()
    }


def _known_extension(extension: object) -> tuple[str | None, list[InvalidInput]]:
    bare = str(extension).lower().removeprefix(".")
    if bare in MORPHOLOGY_EXTENSIONS:
        return f".{bare}", []
    choices = ", ".join(f".{known}" for known in MORPHOLOGY_EXTENSIONS)
    return None, [
        InvalidInput(
            f"unknown extension of morphologies {str(extension)!r}", None, f"Use one of {choices}"
        )
    ]


def _read_text(path: Path) -> tuple[str | None, list[InvalidInput]]:
    """The text of a UTF-8 file: (text or None, problems)."""
    try:
        with reading(path):
            content = path.read_bytes()
    except InvalidInput as error:
        return None, [error]
    except OSError as error:
        return None, [InvalidInput(f"the file cannot be read ({error.strerror})", path)]
    hint = "Save the table as plain text in UTF-8"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [
            InvalidInput(
                f"expected text in UTF-8, found the byte 0x{content[error.start]:02x}",
                f"{path}, line {line}",
                hint,
            )
        ]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return None, [InvalidInput("expected text, found a NUL byte", f"{path}, line {line}", hint)]
    return text, []
