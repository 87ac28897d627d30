"""What is there of a run, stage by stage, and why a stage is not up to date. Only looks."""

from dataclasses import dataclass, field
from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.fingerprint import differences, digest_of
from region_grower_flow.manifest import Manifest, read_manifest

FRESH, STALE, PARTIAL, MISSING = "fresh", "stale", "partial", "missing"


@dataclass
class Stage:
    """What is known of a stage.

    Attributes:
        name: of the stage or chunk.
        state: fresh, stale, partial or missing.
        reasons: why it is not fresh, a sentence each.
        cells, finished: of a chunk: its cells, and those that a run would take over (None: not
            known before the stages above it have run).
        holder: who is making it now, None when nobody is.
        made: when it was made.
    """

    name: str
    state: str = MISSING
    reasons: list = field(default_factory=list)
    cells: int = 0
    finished: int | None = None
    holder: str | None = None
    made: str = ""

    def line(self):
        """The stage for a terminal."""
        notes = list(self.reasons)
        if self.state == FRESH and self.made:
            notes = [f"made {self.made[:16].replace('T', ' ')}"]
        if self.holder:
            notes.insert(0, f"being made now by {self.holder}")
        return f"{self.name:32} {self.state:8} {'; '.join(notes)}".rstrip()


class Recipes:
    """What the manifests of a work folder were made from, to explain what is stale.

    Args:
        folder: the work folder.
    """

    def __init__(self, folder):
        self._known = {}
        for path in sorted((Path(folder) / layout.MANIFESTS).glob("*.json")):
            manifest = read_manifest(path)
            if manifest is not None:
                self._add(manifest.recipe)

    def _add(self, recipe):
        self._known[digest_of(recipe)] = recipe
        parameters = recipe["parameters"]
        if {"first", "last"} <= parameters.keys():
            # The merge refers to all cells as one chunk.
            whole = {**recipe, "parameters": {**parameters, "first": 0, "last": 0}}
            self._known[digest_of(whole)] = whole

    def changes(self, old, recipe_of):
        """Why a stage differs from what it was made from, as sentences.

        Args:
            old: the old recipe, as a dict.
            recipe_of: gives the recipe of today (a dict) of the stage, or of a stage above it, by
                its name.
        """
        return list(dict.fromkeys(self._changes(old, recipe_of, old["stage"])))

    def _changes(self, old, recipe_of, name):
        new = recipe_of(name)
        yield from differences({**old, "upstream": {}}, {**new, "upstream": {}})
        for above in sorted(old["upstream"].keys() | new["upstream"].keys()):
            before, after = old["upstream"].get(above), new["upstream"].get(above)
            if before == after:
                continue
            known = self._known.get(before)
            if known is not None and after is not None:
                for change in self._changes(known, recipe_of, above):
                    yield change if change.endswith(")") else f"{change} ({above})"
            elif before is None:
                yield f"{above} now makes what was given as a file"
            elif after is None:
                yield f"what {above} made is now given as a file"
            else:
                yield f"{above} has been made again from other inputs"


def look_at(name, manifest_path, recipe_of, recipes, intact, accepts):
    """The Stage of a manifest.

    Args:
        name: of the stage, for people.
        manifest_path: where its manifest is.
        recipe_of: see :meth:`Recipes.changes`; raises InvalidInput when an input is missing.
        recipes: the Recipes of the work folder.
        intact: whether outputs that the manifest does not list are as they were written.
        accepts: whether the manifest's facts are good enough for today's options.

    Raises:
        InvalidInput: from ``recipe_of``.
    """
    manifest = read_manifest(manifest_path)
    if manifest is None:
        there = Path(manifest_path).exists()
        return Stage(name, MISSING, ["its manifest is damaged"] if there else [])
    reasons = recipes.changes(manifest.recipe, recipe_of) or list(_damages(manifest, intact))
    if not reasons and not accepts(manifest.facts):
        reasons = ["cells were given up at a time limit that is higher today"]
    return Stage(name, STALE if reasons else FRESH, reasons, made=manifest.made)


def _damages(manifest, intact):
    for path, known in manifest.outputs.items():
        if not Path(path).exists():
            yield f"{path} is missing"
        elif not Manifest("", {}, {path: known}).intact():
            yield f"{path} is not as it was written"
    if not intact():
        yield "a morphology is missing, or is not as it was written"
