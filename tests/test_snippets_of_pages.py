"""What README and site show as input is what the package takes: commands, files, Python."""

import json
import re
import shlex
import textwrap
from pathlib import Path

import click
import pytest

from helpers.flow_factory import distributions, parameters
from helpers.mtype_factory import mtype_parameters
from helpers.report_factory import pyramid
from region_grower_flow.atlas.regions import load_region_map
from region_grower_flow.atlas.structure import load_region_structure
from region_grower_flow.calibration import scaling_rules, trunks
from region_grower_flow.calibration.overrides import apply_overrides, parse_table
from region_grower_flow.calibration.tables import parse_dat
from region_grower_flow.cli import main
from region_grower_flow.engine.levers import CellLevers
from region_grower_flow.io.axons import load_axon_table
from region_grower_flow.io.cells import read_cells
from region_grower_flow.io.documents import load_yaml
from region_grower_flow.io.morphologies import load_morphology, write_morphology
from region_grower_flow.placement.densities import load_densities

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.rst", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.rst"))]
OURS = re.compile(r"^\s*(?:\$ )?(?:exec )?(?:[A-Z_]+=\S+ )?((?:region-grower-flow|luigi) .*)$")
CORE = {"module", "local-scheduler", "workers", "scheduler-host", "scheduler-port"}
"""Options of Luigi itself."""


def blocks(page):
    """The literal blocks of a page, without their indentation."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    found, place = [], 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if not (line.rstrip().endswith("::") or ".. code-block::" in line):
            continue
        indent, mine = len(line) - len(line.lstrip()), []
        while place < len(lines) and (
            not lines[place].strip() or len(lines[place]) - len(lines[place].lstrip()) > indent
        ):
            mine.append(lines[place])
            place += 1
        found.append(textwrap.dedent("\n".join(mine)).strip("\n"))
    return found


def block(page, begin):
    """The block of a page that begins with some text."""
    (found,) = [text for text in blocks(page) if text.lstrip().startswith(begin)]
    return found


def commands(page):
    """[words] of the commands of ours in blocks, and in literals within the text."""
    found = []
    for text in blocks(page):
        lines = text.replace("\\\n", " ").splitlines()
        found += [match.group(1) for line in lines if (match := OURS.match(line))]
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    found += re.findall(r"``((?:region-grower-flow|luigi) [^`]+)``", text)
    # Words in place of options ("... as above ...").
    found = [re.sub(r"\.\.\. .*? \.\.\.", "", words) for words in found]
    return [shlex.split(words, comments=True) for words in found]


def test_pages_show_commands():
    assert sum(len(commands(page)) for page in PAGES) > 40


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_pages_have_the_options_that_they_show(page):
    import region_grower_flow

    for words in commands(page):
        if words[0] == "luigi":
            options = {word[2:].partition("=")[0] for word in words if word.startswith("--")}
            task = next((w for w in words[1:] if w in region_grower_flow.TASKS), None)
            if task is None:  # luigi of some other module, or about no task
                continue
            known = {
                name.replace("_", "-") for name, _ in getattr(region_grower_flow, task).get_params()
            }
            assert options <= known | CORE | {"help"}, words
        elif len(words) > 1 and not words[1].startswith("-"):
            command = main.commands[words[1]]
            context = click.Context(command)
            # Raises for an option that is not there, or a value that is none.
            command.make_parser(context).parse_args(list(words[2:]))


STRUCTURES = [("docs/howto/regions.rst", "CA1:"), ("docs/reference/formats.rst", "S1:")]


@pytest.mark.parametrize(("page", "begin"), STRUCTURES)
def test_region_structures(page, begin, tmp_path):
    path = tmp_path / "region_structure.yaml"
    path.write_text(block(page, begin))
    structure = load_region_structure(path)
    assert structure["S1"]["layers"] == [1, 2, 3, 4, 5, 6]


def test_constraints_of_parameters():
    text = block("docs/howto/regions.rst", '"context_constraints"')
    found = json.loads("{" + text + "}")["context_constraints"]["apical_dendrite"]
    assert {"extent_to_target", "hard_limit_max"} == set(found)


def test_growth_levers():
    text = block("docs/howto/growth.rst", '"L23_MC"')
    text = re.sub(r",\s*\.\.\.\s*$", "}", text.rstrip().rstrip("}").rstrip())
    shown = json.loads("{" + text + "}")["L23_MC"]
    levers = CellLevers.prepare({**mtype_parameters(), **shown})
    assert list(levers.types) == ["basal_dendrite"]


def test_densities(tmp_path):
    path = tmp_path / "densities.yaml"
    path.write_text(block("docs/howto/placement.rst", "version: v2.0"))
    assert load_densities(path)


def test_rules_of_trunks_and_layers(tmp_path):
    path, page = tmp_path / "rules.yaml", "docs/reference/calibration.rst"
    path.write_text(block(page, "default:\n  basal_dendrite: {mode"))
    assert trunks.check_rules(load_yaml(path), ["L5_TPC:A"]) == ([], [])
    path.write_text(block(page, "default:                  #"))
    assert scaling_rules.check_rules(load_yaml(path), ["1", "2", "3", "4", "5", "6"]) == []


def test_overrides(tmp_path):
    page = "docs/reference/calibration.rst"
    path = tmp_path / "overrides.yaml"
    path.write_text(block(page, '"*":'))
    given = {"L5_TTPC1": mtype_parameters(), "L5_TPC:A": mtype_parameters(),
             "L23_LBC": mtype_parameters()}  # fmt: skip
    assert apply_overrides(given, load_yaml(path))
    assert given["L23_LBC"]["basal_dendrite"]["randomness"] == 0.2
    table = parse_table(block(page, "mtype,entry,value"), "overrides.csv")
    assert table.entries["L5_TPC:A"]["apical_dendrite.has_apical_tuft"] is True


@pytest.mark.parametrize("begin", ['{"models": ["generic"]', '{"models": ["simpler"]', '{"method"'])
def test_diameters(begin):
    assert json.loads(block("docs/reference/calibration.rst", begin))


def test_tables_of_reconstructions():
    for page, begin, mtype in [
        ("docs/reference/formats.rst", "L5_TPC_A_0", "L5_TPC:A"),
        ("docs/reference/calibration.rst", "morphology layer mtype", "L5_TTPC1"),
    ]:
        rows, problems = parse_dat(block(page, begin), "mtypes.dat")
        assert not problems
        assert rows[0].mtype == mtype


def test_substitutions(tmp_path):
    for page in ("docs/reference/formats.rst", "docs/reference/calibration.rst"):
        path = tmp_path / "substitutions.yaml"
        path.write_text(block(page, "L5_TPC:A: ["))
        assert "L4_TPC" in load_yaml(path)["L5_TPC:A"]


def test_files_of_formats(tmp_path, monkeypatch):
    page = "docs/reference/formats.rst"
    monkeypatch.chdir(tmp_path)
    Path("cell.swc").write_text(block(page, "1 1 0 0 0"))
    assert load_morphology(Path("cell.swc")).n_sections == 3
    exec(compile(block(page, "import numpy"), page, "exec"), {})
    assert list(read_cells("nodes.h5").properties["mtype"]) == ["L5_TPC:A", "L23_BTC"]
    Path("hierarchy.json").write_text(block(page, '{"id": 1'))
    assert load_region_map(tmp_path).find("S1", "acronym") == {11}
    Path("axons.tsv").write_text(block(page, "morphology "))
    names, scales = load_axon_table("axons.tsv", range(2))
    assert names.tolist() == ["L1_NGC-DA_axon02", None]
    assert scales[0] == 1.026
    Path("apical.yaml").write_text(block(page, "e3e70682"))
    ((name, point),) = load_yaml("apical.yaml").items()
    assert len(point) == 3
    assert name in block(page, "input_id,output_id")
    for begin in ('{"cells"', '{"version"'):
        assert json.loads(block(page, begin))


@pytest.mark.slow
def test_python_of_pages(tmp_path, monkeypatch, kernels):
    monkeypatch.chdir(tmp_path)
    Path("tmd_parameters.json").write_text(json.dumps({"default": parameters()}))
    Path("tmd_distributions.json").write_text(json.dumps({"default": distributions()}))
    text = block("docs/howto/vacuum.rst", "from region_grower_flow.options.growth")
    names = {}
    exec(compile(text.replace("cells=20", "cells=2"), "vacuum.rst", "exec"), names)
    assert names["result"].index
    write_morphology(tmp_path, "cell", pyramid(), ("h5",))
    names = {"paths": [tmp_path / "cell.h5"]}
    text = block("docs/reference/reports.rst", "from region_grower_flow.io.morphologies")
    exec(compile(text, "reports.rst", "exec"), names)
    assert (tmp_path / "cells.png").stat().st_size > 1000
