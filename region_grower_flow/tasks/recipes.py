"""Recipes of stages: their options, files and the stages above, as what determines them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from region_grower_flow import layout
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.options import Work
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Option
from region_grower_flow.record.fingerprint import FileDigests, Recipe, package_versions

_digests: dict[str, FileDigests] = {}


if TYPE_CHECKING:  # options are set as parameters, by their groups
    from region_grower_flow.options.flows import AllOptions as _Options
else:
    _Options = object


class HasRecipe(_Options):
    """Base of stages whose outputs have a recipe: all that determines them, for a fingerprint."""

    task_family: str

    stage_version: ClassVar[int] = 1
    """Raise when a change of the code changes what the same inputs give."""

    groups: ClassVar[tuple[type[Group], ...]] = (Work,)
    """The groups of the options; each option is a parameter of the task."""

    results_of: Sequence[type[Group] | Option] | None = None
    """Groups, and single options, whose values enter the fingerprint (None: all groups)."""

    own_outputs: ClassVar[tuple[str, ...]] = ()
    """Names of options that name outputs: at another place these are another result."""

    def external_files(self) -> dict[str, Any]:
        """{role: path} of the external files whose content enters the fingerprint."""
        return {}

    def requires(self) -> dict[str, Any]:
        """{name: stage} of the stages above, whose outputs this one reads."""
        return {}

    def upstream_fingerprints(self) -> dict[str, str]:
        """{name: fingerprint} of the stages above."""
        return {name: task.recipe().fingerprint() for name, task in self.requires().items()}

    def result_parts(self) -> Sequence[type[Group] | Option]:
        """Groups, and single options, whose values enter the fingerprint."""
        return self.groups if self.results_of is None else self.results_of

    def results(self) -> dict[str, Any]:
        """{option: value} that enters the fingerprint; places as seen from the work folder."""
        options: list[Option] = [
            option
            for part in self.result_parts()
            for option in ([part] if isinstance(part, Option) else part.DECLARED.values())
        ]
        values = {option.name: getattr(self, option.name) for option in options if option.result}
        places = {name: getattr(self, name) for name in self.own_outputs}
        return {**values, **{name: self.relative(path) for name, path in places.items() if path}}

    def relative(self, path: PathLike) -> str:
        """A place as seen from the work folder: both may move together."""
        return os.path.relpath(path, self.work_dir)

    def packages(self) -> dict[str, str | None]:
        """{package: version} that enters the fingerprint."""
        return package_versions()

    def recipe(self) -> Recipe:
        """The Recipe of today.

        Raises:
            InvalidInput: a file is missing or unreadable.
        """
        digests = self.digests()
        return Recipe(
            stage=self.task_family,
            version=self.stage_version,
            parameters=self.results(),
            upstream=self.upstream_fingerprints(),
            files={role: digests.digest(path) for role, path in self.external_files().items()},
            packages=self.packages(),
        )

    def what_differs(self, before: Recipe, now: Recipe) -> PathLike | None:
        """The path of the first file that differs between two recipes; None without one."""
        files = self.external_files()
        changed = [role for role in files if before.files.get(role) != now.files.get(role)]
        return files[changed[0]] if changed else None

    def digests(self) -> FileDigests:
        """The memory of file digests, one per work folder and process."""
        return _digests.setdefault(self.work_dir, FileDigests(Path(self.work_dir) / layout.DIGESTS))

    def sources(self) -> tuple[dict[str, list[Any]], list[str]]:
        """Files that the stage may read, and their contents: ({path: [*stamp, digest]}, folders).

        The files whose digests enter the fingerprint, and the outputs of the stages above.

        Raises:
            InvalidInput: one is missing or unreadable.
        """
        digests, paths = self.digests(), list(self.external_files().values())
        for stage in self.read_upstream():
            manifest = stage.manifest()
            paths.extend(manifest.outputs if manifest is not None else ())
        known = {}
        for path in paths:
            known.update({str(file): state for file, state in digests.known(path).items()})
        return known, [str(path) for path in paths if Path(path).is_dir()]

    def read_upstream(self) -> Iterable[Any]:
        """The stages above whose outputs :meth:`make` reads as files."""
        return self.requires().values()
