"""Choice of mtypes and of the cells that stand for them: substitutions, halves, restriction.

Mirrors synthesis_workflow.synthesis.apply_substitutions and its option ``mtypes``. What differs:
unknown mtypes are errors (there they are passed over), and the report says who borrows.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from region_grower_flow.calibration.dataset import ALL, Dataset, split_dataset, unknown_mtypes
from region_grower_flow.errors import InvalidInput, InvalidInputs, nearest, some

L = logging.getLogger(__name__)

SUBSTITUTIONS = "substitutions"
BORROWS = "borrows the"
"""Beginning of the note on an mtype that substitutions lend cells."""
EXPECTED_RULES = "expected {mtype that has cells: [mtypes that borrow them]}"


@dataclass(frozen=True)
class Selection:
    """Selection from a dataset.

    Attributes:
        mtypes: the mtypes to calibrate; none of them means all.
        substitutions: {mtype that has cells: [mtypes that borrow them]}, or None.
        part: ``"all"``, or the half of the cells: ``"fit"`` or ``"test"``.
        seed: of the halves.
    """

    mtypes: Collection[str] = ()
    substitutions: Mapping[str, Any] | None = None
    part: str = ALL
    seed: int = 0


def select(dataset: Dataset, selection: Selection) -> Dataset:
    """Apply a Selection to a dataset.

    The halves are taken before cells are lent, so that a cell is in the same half wherever it
    stands; the restriction comes last, so that mtypes that only borrow can be asked for.

    Returns:
        Dataset.

    Raises:
        InvalidInputs: rules or mtypes that do not fit the dataset; all of them.
        InvalidInput: no cell is left.
    """
    borrowed = substitute(dataset, selection.substitutions)
    restricted = restrict(borrowed, selection.mtypes)
    if selection.part == ALL:
        return restricted
    half = split_dataset(dataset, selection.part, selection.seed)
    rules = selection.substitutions or {}
    lent = substitute(half, {donor: rules[donor] for donor in rules if donor in half.mtypes})
    mtypes = {m: lent.mtypes[m] for m in restricted.mtypes if m in lent.mtypes}
    if not mtypes:
        raise InvalidInput(f"no mtype has a cell in the half {selection.part!r}", dataset.dat_file)
    notes = {m: lent.notes[m] for m in restricted.mtypes if m in lent.notes}
    return replace(lent, mtypes=mtypes, notes=notes)


def substitute(dataset: Dataset, rules: Mapping[str, Any] | None) -> Dataset:
    """Lend the cells of mtypes to others.

    An mtype that has cells of its own keeps them and gets the others in addition, as in
    synthesis-workflow. Only own cells are lent: what an mtype borrows is not passed on.

    Args:
        dataset: the Dataset.
        rules: {mtype that has cells: [mtypes that borrow them]}; None or empty: no rules.

    Returns:
        Dataset; the borrowers that had no cells come last, in the order of the rules.

    Raises:
        InvalidInputs: rules of another form. Donors without cells are told in the log.
    """
    if not rules:
        return dataset
    problems = _rule_problems(rules)
    if problems:
        raise InvalidInputs(problems)
    absent = [donor for donor in rules if donor not in dataset.mtypes]
    if absent:
        # Files of rules serve several datasets, as synthesis-workflow's own.
        _tell_absent(tuple(absent), nearest(absent[0], dataset.mtypes, 1))
    mtypes = {mtype: list(cells) for mtype, cells in dataset.mtypes.items()}
    notes = {mtype: list(sentences) for mtype, sentences in dataset.notes.items()}
    for donor, borrowers in rules.items():
        for borrower in _listed(borrowers) if donor in dataset.mtypes else ():
            cells = dataset.mtypes[donor]
            own = len(dataset.mtypes.get(borrower, ()))
            note = f"{BORROWS} {len(cells)} cells of {donor}"
            if len(cells) == 1:
                note = f"{BORROWS} one cell of {donor}"
            if own:
                note += f", in addition to its own {own}"
            present = mtypes.setdefault(borrower, [])
            present += [cell for cell in cells if cell not in present]
            notes.setdefault(borrower, []).append(note)
    return replace(dataset, mtypes=mtypes, notes=notes)


@functools.cache
def _tell_absent(absent: tuple[str, ...], hint: str) -> None:
    """Say it once in a process, however often the rules are asked for."""
    text = "%s: these have no cells that others could borrow, their rules do nothing: %s.%s"
    L.warning(text, SUBSTITUTIONS, some(absent), f" {hint[:1].upper()}{hint[1:]}" if hint else "")


def _rule_problems(rules: Any) -> list[InvalidInput]:
    if not isinstance(rules, dict):
        return [InvalidInput(f"{EXPECTED_RULES}, found {type(rules).__name__}", SUBSTITUTIONS)]
    problems = []
    for donor, borrowers in rules.items():
        where = f"{SUBSTITUTIONS}, {donor}"
        names = _listed(borrowers)
        if not isinstance(donor, str) or not names or not _are_names(names):
            problems.append(InvalidInput(f"{EXPECTED_RULES}, found {borrowers!r}", where))
            continue
        if donor in names:
            problems.append(InvalidInput("an mtype cannot borrow its own cells", where))
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            problems.append(InvalidInput(f"{some(twice)} is there twice", where))
    return problems


def _listed(borrowers: Any) -> Any:
    return [borrowers] if isinstance(borrowers, str) else borrowers


def _are_names(names: object) -> bool:
    return isinstance(names, list | tuple) and all(
        isinstance(name, str) and name.strip() for name in names
    )


def restrict(dataset: Dataset, mtypes: Collection[str]) -> Dataset:
    """The dataset with some mtypes only.

    Args:
        dataset: the Dataset.
        mtypes: names; none of them means all.

    Raises:
        InvalidInputs: names that the dataset does not have.
    """
    if not mtypes:
        return dataset
    unknown = unknown_mtypes(mtypes, dataset, "option mtypes")
    if unknown:
        raise InvalidInputs(unknown)
    wanted = set(mtypes)
    return replace(
        dataset,
        mtypes={mtype: cells for mtype, cells in dataset.mtypes.items() if mtype in wanted},
        notes={mtype: notes for mtype, notes in dataset.notes.items() if mtype in wanted},
    )
