"""The Python API: the same cells as the workflow's, and pictures of them."""

import itertools
import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import morphio
import numpy as np
import pytest
from voxcell import VoxelData

from helpers.flow_factory import distributions, make_flow, parameters
from helpers.reference_cells import write_first_rows
from helpers.sentences import saying, says
from region_grower_flow import api
from region_grower_flow.errors import DropCell, InvalidInput
from region_grower_flow.example import create_example
from region_grower_flow.io.morphologies import load_morphology
from region_grower_flow.stages.vacuum import VacuumPlan, synthesize_vacuum

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory, kernels):
    folder = tmp_path_factory.mktemp("model")
    (folder / "parameters.json").write_text(json.dumps({"default": parameters()}))
    (folder / "distributions.json").write_text(json.dumps({"default": distributions()}))
    return api.Model(
        folder / "parameters.json", folder / "distributions.json",
        options={"work_dir": str(folder / "work")},
    )  # fmt: skip


def test_a_cell_is_that_of_the_workflow(model, tmp_path):
    plan = VacuumPlan(model.parameters, model.distributions, tmp_path / "vacuum", cells=1)
    for row in synthesize_vacuum(plan).index:
        cell = model.grow(row["mtype"], seed=row["seed"])
        theirs = load_morphology(row["path"])
        assert np.array_equal(cell.morphology.points, theirs.points)
        assert np.array_equal(cell.morphology.diameters, theirs.diameters)


def test_a_cell_shows_itself(model, tmp_path):
    cell = model.grow("PC", seed=3)
    assert "sections" in cell._repr_html_()
    assert len(repr(cell)) < 80  # in a terminal: no pages of numbers
    assert cell.plot3d().save(tmp_path / "cell.html").stat().st_size > 500_000
    assert len(cell.to_morphio().sections) == cell.morphology.n_sections
    cell.save(tmp_path / "cell.swc")
    assert len(load_morphology(tmp_path / "cell.swc").points) == len(cell.morphology.points)


@pytest.fixture
def own_data(tmp_path, monkeypatch):
    """A folder with data of the names that README and site use."""
    inputs = tmp_path / "inputs"
    paths = create_example(inputs, atlas="column", n_cells=14)
    write_first_rows(paths.mtypes, tmp_path / "index.dat", 8, {"L5_TPC:A", "L5_MC"})
    places = {
        "dend": "morphologies", "nodes.h5": "nodes.h5",
        "atlas": "atlas_column", "regions.yaml": "region_structure.yaml",
    }  # fmt: skip
    for name, target in places.items():
        (tmp_path / name).symlink_to(inputs / target)
    monkeypatch.chdir(tmp_path)


def python_of(page):
    """The first block of Python on a page."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    first = next(i for i, line in enumerate(lines) if "import region_grower_flow as rgf" in line)
    block = itertools.takewhile(lambda line: not line or line[0] == " ", lines[first:])
    return textwrap.dedent("\n".join(block))


def run_python_of(page, names):
    exec(compile(python_of(page), page, "exec"), names)
    return names


def test_the_python_of_the_readme_runs(own_data, kernels):
    run_python_of("README.rst", {})


def test_the_python_of_the_page_on_python_runs(own_data, kernels):
    names = run_python_of("docs/reference/python.rst", {})
    assert Path("out/nodes.h5").is_file()
    assert list(names["pop"].summary().index) == ["L5_TPC:A"]
    assert "<svg" in names["pop"]._repr_html_() or "<img" in names["pop"]._repr_html_()
    # The second time all is found: nothing is made again.
    found = {p: p.stat().st_mtime_ns for p in Path(api.WORK).rglob("*") if p.is_file()}
    run_python_of("docs/reference/python.rst", names)
    assert found == {p: p.stat().st_mtime_ns for p in found}
    # Its growth is calibrated: it has levers, and grows other cells than NeuroTS's own.
    extended = entry_and_cell(names["model"])
    exact = entry_and_cell(names["ref"].calibrate())
    assert ["growth_levers" in entry for entry, _ in (exact, extended)] == [False, True]
    assert exact[1].points.shape != extended[1].points.shape


def test_models_of_one_work_folder_do_not_disturb_each_other(own_data, kernels):
    ref = api.Reconstructions("dend/", "index.dat", mtypes=["L5_TPC:A"])
    first = ref.calibrate(growth="parameters")
    entry, cell = entry_and_cell(first)
    second = ref.calibrate()
    assert entry_and_cell(second)[0] != entry
    again, same = entry_and_cell(first)
    assert again == entry
    assert np.array_equal(same.points, cell.points)
    # Their populations neither; one that is replaced says so.
    space = {"atlas": "atlas", "region_structure": "regions.yaml", "launcher": "inprocess"}
    grown = first.populate("nodes.h5", limit=1, **space)
    other = second.populate("nodes.h5", limit=1, **space)
    (one,), (theirs,) = grown, other
    assert not np.array_equal(one.morphology.points, theirs.morphology.points)
    first.populate("nodes.h5", limit=1, seed=5, **space)
    for ask in (list, len, api.Population.summary, lambda pop: pop.save("elsewhere/nodes.h5")):
        with pytest.raises(InvalidInput, match=saying("out | replaced | a work_dir of its own")):
            ask(grown)
    assert not Path("elsewhere").exists()
    assert len(other) == 1


def entry_and_cell(model):
    """(parameters, a cell) of an mtype."""
    entry = json.loads(model.parameters.read_text())["default"]["L5_TPC:A"]
    return entry, model.grow("L5_TPC:A", seed=1).morphology


def test_what_cannot_be_grown_is_said(model):
    with pytest.raises((InvalidInput, DropCell), match="PX"):
        model.grow("PX")
    with pytest.raises(InvalidInput, match="no way to grow"):
        api.Reconstructions("a", "b").calibrate(growth="better")


def test_a_population_is_that_of_the_workflow(model, tmp_path):
    flow = make_flow(tmp_path / "flow", 6)
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    population = model.populate(
        flow.path("nodes.h5"), flow.path("atlas"), flow.path("atlas", "region_structure.yaml"),
        seed=1, work_dir=tmp_path / "population", launcher="inprocess",
    )  # fmt: skip
    theirs = flow.morphologies()
    saved = population.save(tmp_path / "saved" / "cells.h5")
    assert saved.is_file()
    ours = {p.name: p.read_bytes() for p in (tmp_path / "saved" / "morphologies").glob("*.h5")}
    assert ours == theirs
    assert len(population) == len(theirs)
    assert population.summary()["made"].sum() == len(theirs)
    mtype = population.mtypes[0]
    assert len(population[mtype]) + len(population[population.mtypes[1]]) == len(population)
    assert mtype in population._repr_html_()
    assert population.plot() is not None


def test_cells_that_are_damaged_in_a_notebook_grow_again(model, tmp_path):
    """At the first call after it, though this process has grown them itself."""
    flow = make_flow(tmp_path / "flow", 3)
    flow.luigi()

    def populate():
        return model.populate(
            flow.path("nodes.h5"), flow.path("atlas"), flow.path("atlas", "region_structure.yaml"),
            seed=1, work_dir=tmp_path / "population", launcher="inprocess",
        )  # fmt: skip

    before = [cell.morphology.points for cell in populate()]
    for path in sorted((tmp_path / "population").rglob("*.h5")):
        if path.parent.name == "morphologies" and "out" in path.parts:
            path.write_bytes(path.read_bytes()[:100])
            break
    else:
        raise AssertionError("no morphology to damage")
    after = [cell.morphology.points for cell in populate()]
    assert len(after) == len(before) > 0
    assert all(map(np.array_equal, after, before))


@pytest.fixture
def small(model, tmp_path):
    """Grows populations of a small flow, which may be the same work folder again and again."""
    flow = make_flow(tmp_path / "flow", 6)
    places = {"atlas": flow.path("atlas"), "launcher": "inprocess"}
    structure = flow.path("atlas", "region_structure.yaml")

    def grow(**options):
        own = {"region_structure": structure, "work_dir": tmp_path / "population", **places}
        return model.populate(flow.path("nodes.h5"), **{**own, **options})

    return grow


def test_populations_in_turn(small):
    for limit, seed in ((2, 1), (4, 1), (2, 5), (4, 5), (None, 1)):
        assert len(small(limit=limit, seed=seed)) == (limit or 6)


def test_threads_may_ask_for_populations_of_one_work_folder(small):
    found = []
    threads = [
        threading.Thread(target=lambda seed=seed: found.append(len(small(seed=seed))))
        for seed in (1, 2, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [6, 6, 6]


def test_a_part_of_a_population_is_not_saved_as_the_whole(small, tmp_path):
    population = small()
    with pytest.raises(InvalidInput, match=saying("not all mtypes | populate")):
        population["PC"].save(tmp_path / "saved" / "nodes.h5")
    with pytest.raises(InvalidInput, match="extension"):
        population.save(tmp_path / "saved" / "nodes")
    with pytest.raises(InvalidInput, match="would overwrite the input cells"):
        population.save(population.task.input_cells)
    assert not (tmp_path / "saved").exists()


def test_what_reconstructions_lack_is_warned_of(own_data, caplog):
    """Half of the cells have apical dendrites: none are grown, which nobody was told."""
    rows = [line.split() for line in Path("index.dat").read_text().splitlines()]
    for name in [row[0] for row in rows if row[2] == "L5_TPC:A"][::2]:
        path = Path("dend", f"{name}.h5").resolve()
        cell = morphio.mut.Morphology(path)
        for root in list(cell.root_sections):
            if root.type == morphio.SectionType.apical_dendrite:
                cell.delete_section(root, recursive=True)
        cell.write(path)
    reference = api.Reconstructions("dend/", "index.dat", mtypes=["L5_TPC:A"])
    for _ in range(2):  # made, and found again
        caplog.clear()
        reference.calibrate()
        assert says(caplog.text, "WARNING | L5_TPC:A | apical dendrite | none is grown")


def test_warnings_of_the_check_are_printed_where_nobody_configures_logging(own_data, kernels):
    """The first handler on the way, whoever adds it, keeps Python from printing warnings."""
    content = VoxelData.load_nrrd("atlas/orientation.nrrd")
    raw = content.raw.copy()
    raw[:15] = 0.0
    content.with_data(raw).save_nrrd("atlas/orientation.nrrd")
    code = (
        "import region_grower_flow as rgf\n"
        "model = rgf.Reconstructions('dend/', 'index.dat', mtypes=['L5_MC']).calibrate()\n"
        "model.populate('nodes.h5', 'atlas/', 'regions.yaml', mtypes=['L5_MC'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert says(done.stderr, "orientation | no value"), done.stderr


def test_another_current_folder_is_told(own_data, monkeypatch):
    """The cells were said to have been replaced."""
    reference = api.Reconstructions("dend/", "index.dat", mtypes=["L5_MC"])
    population = reference.calibrate().populate(
        "nodes.h5", atlas="atlas/", region_structure="regions.yaml", limit=1
    )
    home = Path.cwd()
    monkeypatch.chdir("dend")
    for ask in (len, list, lambda pop: pop["L5_MC"], lambda pop: pop.save("saved/nodes.h5")):
        with pytest.raises(InvalidInput, match=saying(f"folder | os.chdir('{home}')")):
            ask(population)
    monkeypatch.chdir(home)
    assert len(population) == 1


@pytest.mark.parametrize("place", ["work_dir", "out_morph_dir"])
def test_a_population_is_not_saved_into_folders_of_its_run(small, place):
    """The next run was refused: it did not know the files."""
    population = small()
    folder = Path(getattr(population.task, place))
    before = sorted(folder.rglob("*"))
    with pytest.raises(InvalidInput, match=saying(f"is in {place} | folder of its own")):
        population.save(folder / "more" / "nodes.h5")
    assert sorted(folder.rglob("*")) == before


def test_another_name_beside_the_own_nodes_does_not_rename_them(small):
    """The run's own configuration named the copy."""
    population = small()
    nodes = Path(population.task.out_cells)
    config = nodes.with_name("circuit_config.json").read_bytes()
    with pytest.raises(InvalidInput, match=saying("circuit_config.json | another content")):
        population.save(nodes.with_name("other.h5"))
    assert nodes.with_name("circuit_config.json").read_bytes() == config


def test_mtypes_may_be_a_name_or_be_read_once(small):
    for mtypes in ("PC", ["PC"], iter(["PC"])):
        assert small(mtypes=mtypes).mtypes == ["PC"]
    chosen = api.Reconstructions("dend", "t.dat", mtypes=iter(["PC"]))
    assert [chosen.options()["mtypes"] for _ in range(2)] == [("PC",)] * 2
    assert api.Reconstructions("dend", "t.dat", mtypes="PC").mtypes == ("PC",)
    assert api.Reconstructions("dend", "t.dat", mtypes=None).mtypes == ()


def test_what_a_newcomer_gives_is_taken_or_refused_in_a_sentence(model, own_data, tmp_path):
    given = api.Model(str(model.parameters), str(model.distributions))
    cell = given.grow("PC", seed=3)
    for name in ("cell.nrrd", "cell"):
        with pytest.raises(InvalidInput, match=saying("cell | no format | .swc")):
            cell.save(tmp_path / name)
    with pytest.raises(InvalidInput, match="option seed"):
        given.grow("PC", seed="first")
    with pytest.raises(InvalidInput, match="expected the name of an mtype"):
        given.grow(["PC"])
    with pytest.raises(InvalidInput, match=saying("'L5_TPC:X' | L5_TPC:A")):
        api.Reconstructions("dend/", "index.dat").morphologies("L5_TPC:X")
    assert len(repr(cell.plot3d())) < 80
