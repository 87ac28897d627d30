"""Manifests: what a stage has written and from what, written after everything else.

A manifest names the stage's outputs with their stamps and digests. An output is intact when its
stamp is as recorded (see :mod:`region_grower_flow.io.files`), or else when its content is.

Outputs are as seen from the work folder: in a copy of both, a manifest speaks of the copy's
outputs, and read from another current folder it speaks of the same files.
"""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from region_grower_flow import __version__
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike, sync_outputs
from region_grower_flow.io.files import digest_file, stamp_of
from region_grower_flow.record.fingerprint import FileDigests, Recipe, read_checked, with_check

VERSION = 2


@dataclass(frozen=True)
class Manifest:
    """The record of a finished stage.

    Attributes:
        fingerprint: of the recipe that the outputs were made from.
        recipe: the recipe itself, as a dict.
        outputs: {path: [*stamp, digest]}.
        facts: what else the stage says of its outputs (JSON).
        made_at: when, as text.
        package: version of this package.
    """

    fingerprint: str
    recipe: dict[str, Any]
    outputs: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    made_at: str = ""
    package: str = __version__

    @classmethod
    def describe(
        cls, recipe: Recipe, outputs: Iterable[PathLike], facts: dict[str, Any] | None = None
    ) -> "Manifest":
        """The manifest of outputs (paths) that have just been written."""
        described = {}
        sync_outputs(outputs)
        for path in outputs:
            mark, digest = digest_file(path)
            described[str(path)] = [*mark, digest]
        now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        return cls(recipe.fingerprint(), recipe.as_dict(), described, facts or {}, now)

    def intact(self, digests: FileDigests | None = None) -> bool:
        """True if every output is as it was written.

        Args:
            digests: a FileDigests that remembers what is read because a stamp is another, as in a
                work folder that was copied.
        """
        return all(_intact(path, known, digests) for path, known in self.outputs.items())

    def unasked(self, places: Mapping[str, PathLike | None], work_dir: PathLike) -> dict[str, Any]:
        """{real path: what is known of it} of outputs that no option asks for any more.

        Args:
            places: {option: place, None where it asks for nothing}, as the recipe names them.
            work_dir: the work folder, from which the places in the recipe start.
        """
        written = {os.path.realpath(path): known for path, known in self.outputs.items()}
        found = {}
        for option, place in places.items():
            before = self.recipe["parameters"].get(option)
            if place is None and isinstance(before, str):
                path = os.path.realpath(Path(work_dir, before))
                found.update({path: written[path]} if path in written else {})
        return found

    def write(self, path: PathLike) -> None:
        """Write the manifest atomically; what a killed writer of it has left is removed."""
        from region_grower_flow.io.atomic import make_folder, remove_unfinished, write_json_atomic

        content = {
            "version": VERSION,
            "fingerprint": self.fingerprint,
            "recipe": self.recipe,
            "outputs": self.outputs,
            "facts": self.facts,
            "made": self.made_at,
            "package": self.package,
            "places": [os.getcwd(), os.path.abspath(_work_of(path))],
        }
        make_folder(Path(path).parent)
        remove_unfinished(path)
        write_json_atomic(path, with_check(content), durable=True)


def read_manifest(path: PathLike) -> Manifest | None:
    """The Manifest in a file; None when it is missing, damaged or of another version."""
    content = read_checked(path)
    if content is None or content["version"] != VERSION:
        return None
    if "places" in content:  # not in manifests of early versions
        content["outputs"] = _as_seen_now(content["outputs"], content["places"], path)
    return Manifest(**{name: content[name] for name in _NAMES}, made_at=content["made"])


_NAMES = ("fingerprint", "recipe", "outputs", "facts", "package")


def _work_of(path: PathLike) -> Path:
    """The work folder of a manifest, which is in a folder there."""
    return Path(path).parent.parent


def _as_seen_now(outputs: dict[str, Any], places: list[str], path: PathLike) -> dict[str, Any]:
    """The outputs by the paths that lead to them today.

    Args:
        outputs: {path: what is known of the file}.
        places: the current folder and the work folder when they were written.
        path: of the manifest today.
    """
    here, work = os.getcwd(), os.path.abspath(_work_of(path))
    if places == [here, work]:
        return outputs
    current, earlier_work = places
    found = {}
    for output, known in outputs.items():
        seen = os.path.relpath(os.path.join(current, output), earlier_work)
        place = os.path.normpath(os.path.join(work, seen))
        found[place if os.path.isabs(output) else os.path.relpath(place, here)] = known
    return found


def _intact(path: str, known: Any, digests: FileDigests | None) -> bool:
    *mark, digest = known
    found = stamp_of(path)
    if found is None or found[0] != mark[0]:
        return False
    try:
        return found == mark or (digests or FileDigests()).digest(path) == digest
    except InvalidInput:
        return False


def remember_digests(digests: FileDigests) -> None:
    """Write what a FileDigests has learned, if anything has and there is a place for it."""
    news = digests.news()
    if digests.path is not None and news is not None:
        from region_grower_flow.io.atomic import write_json_atomic

        write_json_atomic(digests.path, news)
