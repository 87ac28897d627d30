"""Densities of cells: how many of which mtype per mm3, and in which regions (YAML).

Two forms are read. The cell composition of brainbuilder, version 2::

    version: v2.0
    neurons:
      - density: 9000              # cells/mm3, or a volume: "{L5_PC}", "L5_PC", "folder/L5_PC.nrrd"
        region: "@;L5$"            # an acronym, or "@" and a regular expression
        traits:
          mtype: L5_PC             # a value, or {value: probability}
          etype: {cADpyr: 0.9, dNAC: 0.1}

and a shorter one, ``{mtype: {region: density}}``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import is_number, load_yaml
from region_grower_flow.io.schemas import did_you_mean, shown, violation

MTYPE = "mtype"
RESERVED = ("x", "y", "z", "region", "subregion")
"""Properties that the place itself gives a cell."""
_ENTRY = ("density", "region", "traits")
_SUFFIX = ".nrrd"
_TOLERANCE = 1e-3
"""Deviation of a sum of probabilities that the rounding of written numbers explains."""


@dataclass(frozen=True)
class Group:
    """An entry: cells of some traits in a region.

    Attributes:
        place: the entry's place in the file, for messages.
        region: query for regions: an acronym, or "@" and a regular expression; with all regions
            below those that it finds.
        density: cells/mm3, or the name of a volume.
        traits: {property: {value: probability}}, all texts; the probabilities add up to 1.
    """

    place: str
    region: str
    density: float | str
    traits: dict[str, dict[str, float]]

    @property
    def mtypes(self) -> dict[str, float]:
        """{mtype: probability}."""
        return self.traits[MTYPE]


def load_densities(path: PathLike) -> list[Group]:
    """Read densities.

    Returns:
        list of Group, in the order of the file.

    Raises:
        InvalidInput: the file cannot be read as YAML; InvalidInputs: all that is wrong in it.
    """
    content = load_yaml(path)
    if not isinstance(content, dict):
        raise InvalidInput(
            f"expected an object, not {shown(content)}",
            where=path,
            hint="write {mtype: {region: density}}, or 'neurons' with a list of entries",
        )
    problems: list[InvalidInput] = []
    read = _composition if "neurons" in content or "composition" in content else _short
    groups = [group for group in read(content, path, problems) if group is not None]
    if not groups and not problems:
        problems.append(InvalidInput("holds no density", where=path))
    if problems:
        raise InvalidInputs(problems)
    return groups


def volume_of(density: str, folder: PathLike, atlas_dir: PathLike) -> tuple[Path, str]:
    """(folder, name) of the volume that a density names.

    ``{name}`` and a bare name are volumes of the atlas; what ends with ``.nrrd`` is a file, taken
    from the folder of the densities, or from the atlas when it is not there.

    Args:
        density: the text of the entry.
        folder: of the file of densities.
        atlas_dir: folder of the atlas.
    """
    text = density.strip()
    named = text.removesuffix(_SUFFIX)
    if named.startswith("{") and named.endswith("}"):
        return Path(atlas_dir), named[1:-1]
    if text == named:
        return Path(atlas_dir), text
    path = Path(folder) / text
    if not path.is_file() and (Path(atlas_dir) / text).is_file():
        path = Path(atlas_dir) / text
    return path.parent, path.name.removesuffix(_SUFFIX)


def _composition(
    content: Any, path: PathLike, problems: list[InvalidInput]
) -> Iterator[Group | None]:
    version = str(content.get("version", "")).lstrip("v")
    if "neurons" not in content or not version.startswith("2"):
        found = f"version {content['version']}" if "version" in content else "no 'version'"
        problems.append(
            InvalidInput(
                f"is a cell composition with {found}, version 2 is expected",
                where=path,
                hint="write 'version: v2.0' and the entries below 'neurons'",
            )
        )
        return
    entries = content["neurons"]
    if not isinstance(entries, list):
        problems.append(violation(path, ["neurons"], f"expected a list, not {shown(entries)}"))
        return
    for i, entry in enumerate(entries):
        keys = ["neurons", i]
        if not isinstance(entry, dict):
            problems.append(violation(path, keys, f"expected an object, not {shown(entry)}"))
            continue
        yield _group(entry, keys, path, problems)


def _group(
    entry: Any, keys: Sequence[Any], path: PathLike, problems: list[InvalidInput]
) -> Group | None:
    before = len(problems)
    for key in entry:
        if key not in _ENTRY:
            hint = did_you_mean(key, _ENTRY) or f"Known are {', '.join(_ENTRY)}"
            problems.append(violation(path, keys, f"unknown key {key!r}", hint))
    for key in _ENTRY:
        if key not in entry:
            problems.append(violation(path, keys, f"{key!r} is missing"))
    density = _density(entry.get("density", 0.0), [*keys, "density"], path, problems)
    region = _region(entry.get("region", "?"), [*keys, "region"], path, problems)
    traits = _traits(entry.get("traits", {MTYPE: "?"}), [*keys, "traits"], path, problems)
    if len(problems) > before:
        return None
    return Group(f"{path}, neurons -> {keys[-1]}", region, density, traits)


def _short(content: Any, path: PathLike, problems: list[InvalidInput]) -> Iterator[Group]:
    for mtype, regions in content.items():
        before = len(problems)
        traits = _traits({MTYPE: mtype}, [mtype], path, problems)
        if not isinstance(regions, dict) or not regions:
            text = f"expected {{region: density}}, not {shown(regions)}"
            problems.append(violation(path, [mtype], text))
            continue
        for name, value in regions.items():
            keys = [mtype, name]
            region = _region(name, keys, path, problems)
            density = _density(value, keys, path, problems)
            if len(problems) == before:
                yield Group(f"{path}, {mtype} -> {name}", region, density, traits)


def _density(
    value: Any, keys: Sequence[Any], path: PathLike, problems: list[InvalidInput]
) -> float | str:
    value = _as_number(value)
    if isinstance(value, str) and value.strip(" {}"):
        return value.strip()
    if is_number(value):
        if math.isfinite(value) and value >= 0:
            return float(value)
        text = f"a density must be finite and at least 0 cells/mm3, not {value}"
    else:
        text = f"expected cells/mm3 or the name of a volume, not {shown(value)}"
    problems.append(violation(path, keys, text))
    return 0.0


def _as_number(value: Any) -> Any:
    """A text that is a number as one: YAML takes 1e5 (without a point) for a text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _region(value: Any, keys: Sequence[Any], path: PathLike, problems: list[InvalidInput]) -> str:
    if isinstance(value, str) and value.strip(" @"):
        return value.strip()
    hint = "put it in quotes" if isinstance(value, int | float) else None
    text = f"expected the acronym of a region, or '@' and an expression, not {shown(value)}"
    problems.append(violation(path, keys, text, hint))
    return ""


def _traits(
    value: Any, keys: Sequence[Any], path: PathLike, problems: list[InvalidInput]
) -> dict[str, dict[str, float]]:
    if not isinstance(value, dict):
        text = f"expected {{property: value}}, not {shown(value)}"
        problems.append(violation(path, keys, text))
        return {}
    if MTYPE not in value:
        problems.append(violation(path, keys, f"{MTYPE!r} is missing", did_you_mean(MTYPE, value)))
    traits = {}
    for name, choice in value.items():
        place = [*keys, name] if len(value) > 1 or keys[-1] == "traits" else keys
        if not isinstance(name, str) or not name.isidentifier() or name in RESERVED:
            text = f"{name!r} cannot be the name of a property of cells"
            problems.append(violation(path, keys, text))
            continue
        traits[name] = _choice(choice, place, path, problems)
    return traits


def _choice(
    value: Any, keys: Sequence[Any], path: PathLike, problems: list[InvalidInput]
) -> dict[str, float]:
    """{value: probability} of a trait."""
    if not isinstance(value, dict):
        if value is None or isinstance(value, list | bool) or not str(value).strip():
            problems.append(violation(path, keys, f"expected a name, not {shown(value)}"))
        return {str(value).strip(): 1.0}
    before, choice = len(problems), {}
    for name, probability in value.items():
        if not is_number(probability) or not math.isfinite(probability) or probability < 0:
            text = f"expected a probability, not {shown(probability)}"
            problems.append(violation(path, [*keys, name], text))
        elif not str(name).strip():
            problems.append(violation(path, keys, "a name is empty"))
        else:
            choice[str(name).strip()] = float(probability)
    total = sum(choice.values())
    if len(problems) == before and abs(total - 1.0) > _TOLERANCE:
        problems.append(violation(path, keys, f"the probabilities add up to {total:g}, not to 1"))
    return {name: probability / total for name, probability in choice.items()} if total else {}
