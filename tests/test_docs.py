"""README and site are true: the site builds, files and commands that they name exist."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.real_parts import needs

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.rst", *sorted((ROOT / "docs").rglob("*.rst"))]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    for library in ("sphinx", "furo"):
        needs(importlib.util.find_spec(library), f"{library} is not installed (extra docs)")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    process = subprocess.run(
        [*command, str(ROOT / "docs"), str(tmp_path)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "tutorial.html").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_pages_name_exist(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"``((?:docs|configs|benchmarks|tools)/[\w/.-]+)``", text):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"(?:image|figure):: (\S+)", text):
        found = ROOT / "docs" / name.lstrip("/") if name.startswith("/") else page.parent / name
        assert found.is_file(), name
        assert found.stat().st_size < 300_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tasks_commands_and_options_that_pages_name_exist(page):
    import region_grower_flow
    from region_grower_flow.cli import main

    text = " ".join(page.read_text(encoding="utf-8").replace("\\\n", " ").split())
    for name in re.findall(r"--module region_grower_flow (\w+)", text):
        assert name in region_grower_flow.TASKS
    for name in re.findall(r"region-grower-flow ([a-z][a-z-]+)\b(?! is)", text):
        if name not in ("status", "clean"):
            assert name in main.commands, name
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in re.findall(r"\$ (?:\w+=\w+ )?make ([a-z-]+)", text):
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name


@pytest.mark.slow
@pytest.mark.longest
def test_the_notebook_runs(kernels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((ROOT / "docs" / "first_cells.ipynb").read_text(encoding="utf-8"))
    names = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "first_cells.ipynb", "exec"), names)
    assert names["cell"].morphology.n_sections > 3
    assert len(names["pop"]) == 4
    assert (tmp_path / "out" / "nodes.h5").is_file()


def test_the_picture_of_speed_reads_the_table_of_the_docs():
    import make_pictures

    rows = list(make_pictures.speeds(ROOT / "docs/explanation/performance.rst"))
    assert [name for name, *_ in rows][:2] == ["plain", "limits"]
    assert len(rows) >= 5
    for _, ours, theirs, ratio in rows:
        assert theirs / ours == pytest.approx(ratio, rel=0.05)
