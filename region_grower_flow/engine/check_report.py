"""Problems of an mtype's entries, collected with the places of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.schemas import violation


class ParameterReport(Protocol):
    """Takes problems of parameters."""

    def parameter(self, keys: tuple[str, ...], expected: str, hint: str | None = None, /) -> None:
        """Add a problem in the parameters."""


class ProblemReport:
    """Collects the problems of one mtype.

    Args:
        paths: the files of parameters and distributions, for the messages.
        parameter_keys: the keys (region, mtype) of its parameters.
        distribution_keys: those of its distributions.

    Attributes:
        problems: list of InvalidInput.
    """

    def __init__(
        self,
        paths: tuple[PathLike | None, PathLike | None],
        parameter_keys: Sequence[object],
        distribution_keys: Sequence[object],
    ) -> None:
        self._paths = paths
        self._keys = parameter_keys, distribution_keys
        self.problems: list[InvalidInput] = []

    def parameter(self, keys: Sequence[object], expected: str, hint: str | None = None) -> None:
        """Add a problem in the parameters."""
        self._add(0, keys, expected, hint)

    def distribution(self, keys: Sequence[object], expected: str, hint: str | None = None) -> None:
        """Add a problem in the distributions."""
        self._add(1, keys, expected, hint)

    def _add(self, which: int, keys: Sequence[object], expected: str, hint: str | None) -> None:
        keys = (*self._keys[which], *keys)
        self.problems.append(violation(self._paths[which], keys, expected, hint))
