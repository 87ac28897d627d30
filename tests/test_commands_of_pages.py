"""The commands that README and site show are run, one after the other, as a reader would."""

import json
import re
import shlex
from pathlib import Path

import pytest

from helpers.flow_factory import COMMAND, LUIGI, environment
from helpers.forked import run_forked
from helpers.reference_cells import write_first_rows
from region_grower_flow.example import create_example

ROOT = Path(__file__).resolve().parents[1]
CALIBRATED = "growth_calibration = extended\n"
PROGRAMS = {"luigi": LUIGI, "region-grower-flow": COMMAND}


def commands(page):
    """[words of each command of ours on a page], with lines that go on put together."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^ +\$ ((?:[^\n]*\\\n)*[^\n]*)$", text, re.MULTILINE)
    words = [shlex.split(command.replace("\\\n", " ")) for command in found]
    return [each for each in words if each[0] in PROGRAMS]


def run(words, folder):
    """Run a command; what it has calibrated elsewhere in the tests is not calibrated here again."""
    command = [PROGRAMS[words[0]], *words[1:]]
    done = run_forked(command, folder, environment(), 300)
    assert done.returncode == 0, (words, done.stdout + done.stderr)
    flow = folder / "flow.cfg"
    if "init" in words:
        text = flow.read_text(encoding="utf-8")
        assert CALIBRATED in text
        flow.write_text(text.replace(CALIBRATED, ""))
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def example(tmp_path_factory, kernels):
    """The example, where the shipped configuration puts it."""
    folder = tmp_path_factory.mktemp("pages")
    create_example(folder / "example_run" / "inputs", atlas="column", n_cells=14)
    return folder


def check_page(page):
    """The page of a run is small, and says of each cell in 3D what one asks for."""
    text = page.read_text(encoding="utf-8")
    assert len(text) < 10_000_000
    scene = json.loads(re.search(r'id="scene">(.*?)</script>', text, re.S).group(1))
    for cell in scene["cells"]:
        facts = dict(cell["facts"])
        assert {"id", "mtype", "region", "depth", "seed", "attempts", "file"} <= set(facts)
        assert facts["depth"].endswith("µm")
        assert facts["attempts"] == "1"
        assert (page.parent / "morphologies" / facts["file"]).is_file()


@pytest.mark.slow
def test_the_tutorial(example):
    cfg = (ROOT / "luigi.cfg").read_text(encoding="utf-8")
    (example / "luigi.cfg").write_text(cfg.replace(CALIBRATED, ""))
    shown = commands("docs/tutorial.rst")
    begin = next(i for i, words in enumerate(shown) if "init" in words)
    said = ""
    for words in shown[:begin]:
        if "ValidateSynthesis" not in words:  # its own tests run it, with fewer mtypes
            said += run(words, example)
    assert "Open example_run/out/nodes_report.html" in said
    check_page(example / "example_run" / "out" / "nodes_report.html")
    mine = example / "mine"
    mine.mkdir()
    # With the first cells of each mtype: seven whole mtypes take a minute to validate.
    table = "../example_run/inputs/mtypes.dat"
    few = write_first_rows(mine / table, mine / "mtypes.dat", 4)
    assert any(table in words for words in shown[begin:])
    for words in shown[begin:]:
        said = run([few if word == table else word for word in words], mine)
    assert "A run would do nothing" in said
    assert (mine / "out" / "nodes_report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.rst", "docs/howto/own_data.rst"])
def test_own_data(example, tmp_path, page):
    inputs = example / "example_run" / "inputs"
    places = {
        "nodes.h5": "nodes.h5", "atlas": "atlas_column",
        "morphologies": "morphologies",
        "region_structure.yaml": "region_structure.yaml",
    }  # fmt: skip
    if page == "README.rst":
        places = {name: places[name] for name in ("nodes.h5", "atlas")}
    for name, target in places.items():
        (tmp_path / name).symlink_to(inputs / target)
    table = tmp_path / "mtypes.dat"
    if page == "README.rst":  # the table lies among the reconstructions
        (tmp_path / "dend").mkdir()
        for path in (inputs / "morphologies").iterdir():
            (tmp_path / "dend" / path.name).symlink_to(path)
        table = tmp_path / "dend" / "mtypes.dat"
    write_first_rows(inputs / "mtypes.dat", table, 4)
    shown = [words for words in commands(page) if words[0] == "region-grower-flow"]
    for words in shown:
        run(words, tmp_path)
    assert len(shown) >= 2
    assert list(tmp_path.glob("out*/nodes.h5"))
