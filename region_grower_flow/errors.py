"""The errors of the package: each says what is wrong, where, and what to do.

Three kinds need different handling, and are never mixed:

* :class:`InvalidInput`: the user's files or options are wrong. Found before any work; all of them
  are reported at once (:class:`InvalidInputs`).
* :class:`DropCell`: one cell cannot be made; the others go on and the reason is recorded.
* :class:`WorkerFailed`: a process died or a file could not be written; finished work is kept and
  the next run goes on from it.
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

_WORD = re.compile(r"[a-z]+,? ")


class FlowError(Exception):
    """Base of all errors of the package; ``str(error)`` is one sentence for the user."""


class InvalidInput(FlowError, ValueError):
    """An input of the user is wrong.

    Args:
        problem: what is wrong and what was expected.
        where: the file, key, row or option concerned.
        hint: what to do about it.
        details: lines below the sentence, a table say, which keep their columns.
    """

    def __init__(
        self,
        problem: object,
        where: object = None,
        hint: str | None = None,
        details: Iterable[object] = (),
    ) -> None:
        self.problem = str(problem)
        self.where = where
        self.hint = hint
        self.details = tuple(printable(str(line)) for line in details)
        lines = [_sentence(self.problem, where, hint), *(f"  {line}" for line in self.details)]
        super().__init__("\n".join(lines))


class InvalidInputs(InvalidInput):
    """Several problems of the input, reported together (``.problems``: list of InvalidInput)."""

    def __init__(self, problems: Iterable[InvalidInput]) -> None:
        self.problems = list(problems)
        Exception.__init__(self, "\n".join(str(problem) for problem in self.problems))
        self.problem, self.where, self.hint, self.details = str(self), None, None, ()


class DropCell(FlowError):
    """A cell cannot be synthesized; the message is the reason that the results record."""


class GrowthFailed(FlowError):
    """One growth attempt failed (NeuroTSError or ValueError in NeuroTS): tried again."""


class WorkerFailed(FlowError):
    """A worker process failed; finished blocks are kept."""


class OutputFailed(FlowError):
    """A result could not be written (disk full, read-only folder, file-size limit)."""


class InputChanged(FlowError):
    """An input is not what it was when the stage that reads it began."""

    def __init__(self, path: object) -> None:
        self.path = path
        problem = "an input changed while the run was going on"
        super().__init__(_sentence(problem, path, "run again; nothing was lost"))

    def __reduce__(self) -> tuple[type, tuple[object]]:
        """Made of the path again in another process."""
        return InputChanged, (self.path,)


class MadeAgain(InvalidInput):
    """A stage is made again and again in one run, since others undo what it makes."""


class Busy(FlowError):
    """Another run holds the same outputs."""


def _sentence(problem: str, where: object, hint: str | None) -> str:
    text = f"{where}: {problem}" if where is not None else problem
    text = text.rstrip()
    if not text.endswith((".", "?", "!")):
        text += "."
    if hint:
        hint = hint.rstrip()
        if _WORD.match(hint):  # but no name of an option or a file
            hint = hint[0].upper() + hint[1:]
        text += f" {hint}" if hint.endswith((".", "?", "!")) else f" {hint}."
    return printable(" ".join(text.split()))


def printable(text: object, kept: str = "\n\t") -> str:
    """A text for a terminal, a log or a page: what could steer these is escaped.

    Names come from files, and no font has a glyph for what is not printable. All words that leave
    the package pass here.

    Args:
        text: the text, or what becomes one.
        kept: what stays though it is not printable.
    """
    words = str(text)
    if words.isprintable():
        return words
    return "".join(c if c.isprintable() or c in kept else _escape(c) for c in words)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def nearest(name: object, known: Iterable[object], count: int = 3, likeness: float = 0.5) -> str:
    """The names of ``known`` that resemble ``name``, as words for a message ('' when none).

    Args:
        name: what was found.
        known: what was expected.
        count: of names that are told, at most.
        likeness: from 0 (nothing in common) to 1 (the same), see difflib.
    """
    matches = get_close_matches(str(name), [str(k) for k in known], n=count, cutoff=likeness)
    return f"did you mean {' or '.join(repr(match) for match in matches)}?" if matches else ""


def some(items: Iterable[object], count: int = 5) -> str:
    """The first ``count`` of ``items`` as words: ``1, 2, 3 and 7 more``."""
    items = list(items)
    shown = ", ".join(str(item) for item in items[:count])
    return shown if len(items) <= count else f"{shown} and {len(items) - count} more"


def counted(number: int, what: str) -> str:
    """A number with its noun: ``1 cell``, ``1,218 cells``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def table(rows: Iterable[Iterable[object]]) -> list[str]:
    """Rows of texts as lines with columns: numbers (``1,218``) to the right, others to the left.

    Args:
        rows: lists of the same length, the head first.
    """
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    right = [
        all(cell.replace(",", "").isdigit() for cell in column[1:])
        for column in zip(*texts, strict=True)
    ]
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in texts
    ]


def distinct(problems: Iterable[InvalidInput]) -> list[InvalidInput]:
    """The problems, of those with the same words one."""
    return list({str(problem): problem for problem in problems}.values())


class Problems(list[InvalidInput]):
    """A list of InvalidInput that grows while inputs are looked at."""

    def attempt(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """The function's value; None when the input is invalid: its problems are added then."""
        try:
            return function(*arguments, **keywords)
        except InvalidInputs as errors:
            self.extend(errors.problems)
        except InvalidInput as error:
            self.append(error)
        return None
