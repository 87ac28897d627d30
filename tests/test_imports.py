"""Who may import whom: the rooms of the map in CONTRIBUTING.rst, walked in the source."""

import ast
import functools
import re
from pathlib import Path

import region_grower_flow

NAME = "region_grower_flow"
PACKAGE = Path(region_grower_flow.__file__).parent
MAP = PACKAGE.parent / "CONTRIBUTING.rst"

# From the bottom up: a module imports only from its own room or from floors before it.
FLOORS = [
    ["errors", "layout"],
    ["morphology", "options"],
    ["io"],
    ["record"],
    ["space"],
    ["atlas"],
    ["engine"],
    ["calibration"],
    ["placement"],
    ["cell"],
    ["runtime"],
    ["stages"],
    ["validation"],
    ["report"],
    ["checks"],
    ["start"],
    ["example"],
    ["tasks"],
    ["cli"],
    ["api"],
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

ONLY_IN = {
    "luigi": ("tasks", "cli"),
    "luigi_tools": ("tasks",),
    "mpi4py": ("runtime.worker",),
    "numba": ("engine",),
    "click": ("cli", "example.__main__"),
}


@functools.cache
def sources():
    """{module: its source}, of the whole package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = [NAME, *path.relative_to(PACKAGE).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


def imports(name, source, modules):
    """(module or library, line) of every import of a module, inside functions too."""
    for node in _statements(source):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: relative imports hide the room"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in modules else node.module), node.lineno


@functools.cache
def _statements(source):
    nodes = ast.walk(ast.parse(source))
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def graph(modules):
    """{module: {module that it imports: line}}, within the package."""
    return {
        name: {
            other: line
            for other, line in imports(name, source, modules)
            if other in modules and other != name
        }
        for name, source in modules.items()
    }


def room(module):
    """The room of a module; None for the package itself, which loads tasks by their names."""
    return module.split(".")[1] if "." in module else None


def upward(edges):
    """Imports from a room on the same or a higher floor than the module's own."""
    return [
        f"{name}:{line} imports {other}"
        for name, others in edges.items()
        for other, line in others.items()
        if room(name) != room(other) and room(name) and room(other)
        if FLOOR[room(other)] >= FLOOR[room(name)]
    ]


def circles(edges):
    """The modules that reach themselves: what is left when those without imports are taken away."""
    left = {name: set(others) for name, others in edges.items()}
    for way in range(2):  # also from the other end, so that what only uses a circle goes
        if way:
            left = {name: {o for o in left if name in left[o]} for name in left}
        while free := [name for name, others in left.items() if not others & left.keys()]:
            for name in free:
                del left[name]
        left = {name: others & left.keys() for name, others in left.items()}
    return sorted(left)


def test_rooms_import_only_from_floors_below():
    assert upward(graph(sources())) == []


def floors(edges):
    """{room: the number of rooms on the longest way down from it}: the floor that it needs."""
    below = {room(name): set() for name in edges} | {None: set()}
    for name, others in edges.items():
        below[room(name)] |= {room(other) for other in others} - {room(name), None}
    del below[None]

    @functools.cache
    def floor(one):
        return 1 + max(map(floor, below[one]), default=0)

    return {one: floor(one) for one in below}


def test_the_house_has_at_most_22_rooms_on_12_floors():
    found = floors(graph(sources()))
    assert len(found) <= 22
    assert max(found.values()) <= 12, found


def test_no_module_imports_itself_by_a_detour():
    assert circles(graph(sources())) == []


def test_libraries_stay_where_they_belong():
    modules = sources()
    found = [
        f"{name}:{line} imports {library}"
        for name, source in modules.items()
        for library, line in imports(name, source, modules)
        if (allowed := ONLY_IN.get(library.split(".")[0]))
        and not name.removeprefix(f"{NAME}.").startswith(allowed)
    ]
    assert found == []


def test_every_room_has_a_floor_and_a_line_in_the_map():
    rooms = {room(name) for name in sources()} - {None}
    assert rooms == set(FLOOR)
    rows = re.findall(r"^``.*?(?=  )", MAP.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"``(\w+)``", " ".join(rows))) == rooms


def test_the_walk_finds_what_it_looks_for():
    modules = {
        f"{NAME}.io.a": f"import {NAME}.tasks.b",
        f"{NAME}.tasks.b": f"def late():\n    from {NAME}.tasks import c",
        f"{NAME}.tasks.c": f"from {NAME}.tasks.b import late\nfrom {NAME} import io",
        f"{NAME}.io": f"from {NAME}.errors import some",
        f"{NAME}.errors": "",
        f"{NAME}.cli": f"from {NAME}.tasks import c",
    }
    edges = graph(modules)
    assert upward(edges) == [f"{NAME}.io.a:1 imports {NAME}.tasks.b"]
    assert circles(edges) == [f"{NAME}.tasks.b", f"{NAME}.tasks.c"]
    below = {f"{NAME}.{name}": {} for name in ("errors", "io.a", "cli")}
    below[f"{NAME}.cli"][f"{NAME}.io.a"] = below[f"{NAME}.io.a"][f"{NAME}.errors"] = 1
    assert floors(below) == {"errors": 1, "io": 2, "cli": 3}
