"""Manifests: what a stage has written and from what, written after everything else.

A manifest names the stage's outputs with size, time of change and digest. An output is intact when
size and time are as recorded, or else when its content is.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from region_grower_flow import __version__
from region_grower_flow.record.fingerprint import FileDigests, digest_of

VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """The record of a finished stage.

    Attributes:
        fingerprint: of the recipe that the outputs were made from.
        recipe: the recipe itself, as a dict.
        outputs: {path: [size, mtime_ns, digest]}.
        facts: what else the stage says of its outputs (JSON).
        made: when, as text.
        package: version of this package.
    """

    fingerprint: str
    recipe: dict
    outputs: dict
    facts: dict = field(default_factory=dict)
    made: str = ""
    package: str = __version__

    @classmethod
    def describe(cls, recipe, outputs, facts=None):
        """The manifest of outputs (paths) that have just been written."""
        digests = FileDigests()
        described = {}
        for path in outputs:
            stat = Path(path).stat()
            described[str(path)] = [stat.st_size, stat.st_mtime_ns, digests.digest(path)]
        now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        return cls(recipe.fingerprint(), recipe.as_dict(), described, facts or {}, now)

    def intact(self):
        """Whether every output is as it was written."""
        return all(_intact(path, known) for path, known in self.outputs.items())

    def write(self, path):
        """Write the manifest atomically; what a killed writer of it has left is removed."""
        from region_grower_flow.io.atomic import make_folder, remove_unfinished, write_json_atomic

        content = {
            "version": VERSION,
            "fingerprint": self.fingerprint,
            "recipe": self.recipe,
            "outputs": self.outputs,
            "facts": self.facts,
            "made": self.made,
            "package": self.package,
        }
        content["check"] = digest_of(content)
        make_folder(Path(path).parent)
        remove_unfinished(path)
        write_json_atomic(path, content, durable=True)


def read_manifest(path):
    """The Manifest in a file; None when it is missing, damaged or of another version."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        check = content.pop("check")
        if content["version"] != VERSION or digest_of(content) != check:
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    names = ("fingerprint", "recipe", "outputs", "facts", "made", "package")
    return Manifest(**{name: content[name] for name in names})


def _intact(path, known):
    size, changed, digest = known
    try:
        stat = Path(path).stat()
        if stat.st_size != size:
            return False
        return stat.st_mtime_ns == changed or FileDigests().digest(path) == digest
    except (OSError, ValueError):
        return False


def remember_digests(digests):
    """Write what a FileDigests has learned, if anything has and there is a place for it."""
    news = digests.news()
    if digests.path is not None and news is not None:
        from region_grower_flow.io.atomic import write_json_atomic

        write_json_atomic(digests.path, news)
