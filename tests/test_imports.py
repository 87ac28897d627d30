"""Who may import whom: the layers of the architecture, walked in the source."""

import ast
from pathlib import Path

import pytest

import region_grower_flow

PACKAGE = Path(region_grower_flow.__file__).parent

# From the bottom up: a module imports only from its own layer or those before it.
LAYERS = [
    ["errors", "layout"],
    ["morphology"],
    ["io"],
    ["record"],
    ["space"],
    ["atlas"],
    ["engine"],
    ["calibration", "placement"],
    ["cell"],
    ["runtime"],
    ["stages"],
    ["validation"],
    ["report"],
    ["checks"],
    ["example"],
    ["tasks"],
    ["cli"],
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

ONLY_IN = {
    "luigi": ("tasks", "cli"),
    "luigi_tools": ("tasks",),
    "mpi4py": ("runtime/worker",),
    "numba": ("engine",),
    "click": ("cli", "example/__main__"),
}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def layer_of(dotted):
    return dotted.split(".")[1] if "." in dotted else None


def imports(path):
    """Every absolute module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer"
            if node.module == "region_grower_flow":
                yield from (f"region_grower_flow.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_from_lower_layers(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts == ("__init__",):
        return
    own = RANK[parts[0]]
    for name in imports(path):
        target = layer_of(name) if name.startswith("region_grower_flow.") else None
        if target is not None and target in RANK:
            assert RANK[target] <= own, f"{path} imports {name} from a layer above"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_where_they_belong(path):
    place = path.relative_to(PACKAGE).with_suffix("").as_posix()
    for name in imports(path):
        allowed = ONLY_IN.get(name.split(".")[0])
        if allowed and place != "__init__":
            assert place.startswith(allowed), f"{path} imports {name}"


def test_every_module_has_a_layer():
    names = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in modules()}
    assert names - {"__init__", "__main__"} == set(RANK)


def test_the_layer_test_can_fail():
    """A file that imports upwards would be found."""
    assert RANK["io"] < RANK["tasks"]
    assert list(imports(PACKAGE / "cli" / "commands.py"))
