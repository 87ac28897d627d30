"""No pickle, no unsafe YAML, no shell, no evaluation: walked in the source of the package."""

import ast
import functools
from pathlib import Path

import pytest

import region_grower_flow

PACKAGE = Path(region_grower_flow.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__", "input"}
FORBIDDEN_CALLS = {
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "numpy.load",
    "np.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "yaml.load_all",
    "pandas.read_pickle",
    "pd.read_pickle",
    "pandas.eval",
    "pd.eval",
    "tempfile.mktemp",
}


def dotted(node):
    """The name of what is called: ``yaml.load``."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


@functools.cache
def tree(source):
    return ast.parse(source)


def offences(source):
    """Deeds that a source should not do: (line, words)."""
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = []
        for name in names:
            if name.split(".")[0] in FORBIDDEN_MODULES:
                yield node.lineno, f"imports {name}"
        if isinstance(node, ast.Call):
            yield from _call_offences(node)
        if isinstance(node, ast.Name) and node.id in ("UnsafeLoader", "FullLoader"):
            yield node.lineno, node.id


def _call_offences(node):
    name = dotted(node.func)
    if name in FORBIDDEN_NAMES | FORBIDDEN_CALLS:
        yield node.lineno, f"calls {name}"
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    # Our own loader is the safe one with a further rule, see the test below.
    loader = dotted(getattr(keywords.get("Loader"), "func", node))
    if name == "yaml.load" and loader != "_unique_key_loader":
        yield node.lineno, "yaml.load without our loader"
    for keyword in ("shell", "allow_pickle"):
        value = keywords.get(keyword)
        if value is not None and not (isinstance(value, ast.Constant) and value.value is False):
            yield node.lineno, f"{keyword}="


def test_nothing_is_evaluated_pickled_or_given_to_a_shell():
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {words}"
        for path in MODULES
        for line, words in offences(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import dump",
        "eval('1')",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.FullLoader)",
        "np.load(path)",
        "np.fromfile(path, allow_pickle=maybe)",
    ],
)
def test_the_walk_finds_what_it_looks_for(source):
    assert list(offences(source))


def test_our_yaml_loader_is_the_safe_one():
    import yaml

    from region_grower_flow.io.documents import _unique_key_loader

    loader = _unique_key_loader()
    assert issubclass(loader, yaml.SafeLoader)
    assert loader.yaml_constructors == yaml.SafeLoader.yaml_constructors


def test_no_environment_variable_is_put_in_messages_by_name():
    """Environments are copied to processes and looked up by name, never written out whole."""
    for path in MODULES:
        for node in ast.walk(tree(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FormattedValue):
                assert "environ" not in ast.dump(node.value), f"{path}:{node.lineno}"
