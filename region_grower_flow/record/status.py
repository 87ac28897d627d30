"""State of each stage of a run, and why it is not up to date. Nothing is written."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from region_grower_flow import layout
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.record.fingerprint import differences, digest_of
from region_grower_flow.record.manifest import Manifest, read_manifest

FRESH, STALE, PARTIAL, MISSING = "fresh", "stale", "partial", "missing"

MOST_REASONS = 5
"""Reasons of a stage that are told at most: those of stages above it are told of these as well."""


@dataclass
class Stage:
    """State of a stage: fresh, stale, partial or missing.

    Attributes:
        name: of the stage or chunk.
        state: fresh, stale, partial or missing.
        reasons: why it is not fresh, a sentence each.
        cells, finished: of a chunk: its cells, and those that a run would take over (None: not
            known before the stages above it have run).
        holder: who is making it now, None when nobody is.
        made_at: when it was made.
    """

    name: str
    state: str = MISSING
    reasons: list[str] = field(default_factory=list)
    cells: int = 0
    finished: int | None = None
    holder: str | None = None
    made_at: str = ""

    def line(self, width: int) -> str:
        """The stage for a terminal, its name padded to ``width`` characters."""
        notes = list(self.reasons)
        if self.state == FRESH and self.made_at:
            notes = [f"made {self.made_at[:16].replace('T', ' ')}"]
        if self.holder:
            notes.insert(0, f"being made now by {self.holder}")
        return f"{self.name:{width}} {self.state:8} {'; '.join(notes)}".rstrip()


@dataclass(frozen=True)
class Wanted:
    """The recipes that a stage and those above it would have today.

    Attributes:
        recipe: gives the stage's recipe (a dict); raises InvalidInput when an input is missing.
        upstream: gives the Wanted of a stage above it, by its name in the recipe.
    """

    recipe: Callable[[], dict[str, Any]]
    upstream: Callable[[str], "Wanted"]


class Recipes:
    """Recipes of the manifests of work folders, which explain what is stale.

    Args:
        folders: the work folders.
    """

    def __init__(self, folders: Iterable[PathLike]) -> None:
        self._known: dict[str, dict[str, Any]] = {}
        for folder in folders:
            for path in sorted((Path(folder) / layout.MANIFESTS).glob("*.json")):
                manifest = read_manifest(path)
                if manifest is not None:
                    self._add(manifest.recipe)

    def _add(self, recipe: dict[str, Any]) -> None:
        self._known[digest_of(recipe)] = recipe
        parameters = dict(recipe["parameters"])
        if parameters.pop("first", None) is not None and "last" in parameters:
            # The merge refers to all cells, whatever their chunks.
            del parameters["last"]
            whole = {**recipe, "parameters": parameters}
            self._known[digest_of(whole)] = whole

    def changes(self, old: Mapping[str, Any], wanted: Wanted) -> list[str]:
        """Differences between a stage and what it was made from, as sentences.

        Args:
            old: the old recipe, as a dict.
            wanted: the Wanted of the stage.
        """
        return list(dict.fromkeys(self._changes(old, wanted)))

    def _changes(self, old: Mapping[str, Any], wanted: Wanted) -> Iterator[str]:
        new = wanted.recipe()
        yield from differences({**old, "upstream": {}}, {**new, "upstream": {}})
        for name in sorted(old["upstream"].keys() | new["upstream"].keys()):
            before, after = old["upstream"].get(name), new["upstream"].get(name)
            if before == after:
                continue
            known = self._known.get(before)
            if known is not None and after is not None:
                for change in self._changes(known, wanted.upstream(name)):
                    yield change if change.endswith(")") else f"{change} ({name})"
            elif before is None:
                yield f"{name} was not needed before"
            elif after is None:
                yield f"{name} is not needed any more"
            else:
                yield f"{name} has been made again from other inputs"


def look_at(
    name: str, manifest_path: PathLike, wanted: Wanted, recipes: Recipes, task: Any
) -> Stage:
    """The Stage of a manifest.

    Args:
        name: of the stage, for people.
        manifest_path: where its manifest is.
        wanted: its Wanted.
        recipes: the Recipes of the run's work folders.
        task: tells by ``intact()`` whether outputs that the manifest does not list are as they were
            written, and by ``unfit_for_today(facts)`` why they do not do for today's options.

    Raises:
        InvalidInput: from ``wanted``.
    """
    manifest = read_manifest(manifest_path)
    if manifest is None:
        there = Path(manifest_path).exists()
        return Stage(name, MISSING, ["its manifest is damaged"] if there else [])
    reasons = recipes.changes(manifest.recipe, wanted) or list(_damages(manifest, task.intact))
    if len(reasons) > MOST_REASONS:
        reasons[MOST_REASONS:] = [f"and {len(reasons) - MOST_REASONS} more reasons"]
    unfit = None if reasons else task.unfit_for_today(manifest.facts)
    if unfit:
        reasons = [unfit]
    return Stage(name, STALE if reasons else FRESH, reasons, made_at=manifest.made_at)


def _damages(manifest: Manifest, intact: Callable[[], bool]) -> Iterator[str]:
    for path, known in manifest.outputs.items():
        if not Path(path).exists():
            yield f"{path} is missing"
        elif not Manifest("", {}, {path: known}).intact():
            yield f"{path} is not as it was written"
    if not intact():
        yield "a morphology is missing, or is not as it was written"
