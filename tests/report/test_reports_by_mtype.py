"""Each report of an mtype: its tables and figures from cells whose numbers are known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.report_factory import flat, fork, pyramid, shows
from region_grower_flow.calibration.dataset import ReferenceCell
from region_grower_flow.cell.order import nrn_ordered
from region_grower_flow.io.morphologies import write_morphology
from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE
from region_grower_flow.report import by_mtype
from region_grower_flow.report.placed import PlacedCell
from region_grower_flow.report.style import NEURITE_COLORS
from region_grower_flow.report.units import ReportSettings, ReportUnit

SIZES = np.arange(10.0, 20.0)
LAYERS = (("SP", 0.0, 400.0), ("SR", 400.0, 900.0))


def written(folder, sizes, kind):
    """Files of pyramids of these sizes: {name: path}."""
    paths = {}
    for size in sizes:
        name = f"{kind}{size:g}"
        write_morphology(folder, name, nrn_ordered(pyramid(size))[0], ["h5"])
        paths[name] = folder / f"{name}.h5"
    return paths


def placed(name, path, depth=None):
    layers = () if depth is None else LAYERS
    return PlacedCell(name, "PC", path, np.zeros(3), np.eye(3), depth, layers)


@pytest.fixture
def unit(tmp_path):
    """Makes a ReportUnit: reference pyramids of SIZES, synthesized ones of half this size more."""

    def make(depths=None, references=True, **extra):
        old = written(tmp_path, SIZES, "r") if references else {}
        new = written(tmp_path, 1.5 * SIZES, "s")
        depths = [None] * len(new) if depths is None else depths
        return ReportUnit(
            "PC",
            tuple(ReferenceCell(name, str(path)) for name, path in old.items()),
            tuple(placed(*item, depth) for item, depth in zip(new.items(), depths, strict=True)),
            depths[0] is not None,
            ReportSettings(tmp_path / "report", pictured=3),
            extra,
        )

    return make


def picture(path):
    from matplotlib.image import imread

    return imread(path)[..., :3]


def by(rows, **about):
    return [row for row in rows if all(row[name] == value for name, value in about.items())]


@pytest.mark.slow
def test_morphometrics_has_every_cell_and_its_summary(unit):
    result = by_mtype.morphometrics(unit())
    for population, sizes in (("reference", SIZES), ("synthesized", 1.5 * SIZES)):
        about = {"population": population, "neurite_type": "basal_dendrite"}
        cells = by(result.rows["cells"], **about)
        # A trunk of two segments and two tips, each as long as the cell's size.
        assert [row["total length"] for row in cells] == pytest.approx(4 * sizes)
        (line,) = by(result.rows["summary"], feature="total length", **about)
        expected = np.percentile(4 * sizes, [0, 25, 50, 75, 100])
        names = ("minimum", "p25", "median", "p75", "maximum")
        assert [line[name] for name in names] == pytest.approx(expected)
        assert (line["n"], line["zeros"]) == (10, 0)
        assert line["std"] == pytest.approx(np.std(4 * sizes, ddof=1))
        (asymmetry,) = by(result.rows["summary"], feature="mean partition asymmetry", **about)
        assert (asymmetry["n"], asymmetry["zeros"]) == (10, 10)
    assert picture(result.paths[0]).std() > 0


def test_scores_compare_the_populations(unit):
    rows = by_mtype.scores(unit()).rows["scores"]
    (length,) = by(rows, neurite_type="basal_dendrite", feature="total length")
    assert (length["n_reference"], length["n_synthesized"]) == (10, 10)
    assert length["mvs"] == pytest.approx(0.5 * np.median(SIZES) / (28.1625 - 10.225), rel=1e-3)
    assert length["above"]
    (trees,) = by(rows, neurite_type="basal_dendrite", feature="trees")
    assert trees["mvs"] == 0
    assert not trees["above"]


def mean_depth(rows, population, kind="basal_dendrite"):
    mine = by(rows, neurite_type=kind)
    weights = [row[population] for row in mine]
    return np.average([(row["from_um"] + row["to_um"]) / 2 for row in mine], weights=weights)


def test_profiles_in_vacuum_are_below_the_soma(unit):
    rows = by_mtype.density_profiles(unit()).rows["profiles"]
    basal = by(rows, neurite_type="basal_dendrite")
    assert sum(row["reference"] for row in basal) == pytest.approx(4 * SIZES.mean(), rel=1e-4)
    assert sum(row["synthesized"] for row in basal) == pytest.approx(6 * SIZES.mean(), rel=1e-4)
    # Basal trees grow downwards, apical ones upwards.
    assert mean_depth(rows, "reference") > 0
    assert mean_depth(rows, "reference", "apical_dendrite") < 0


def test_profiles_in_an_atlas_are_below_its_top_for_both_populations(unit):
    result = by_mtype.density_profiles(unit(np.linspace(300, 500, 10)))
    rows = result.rows["profiles"]
    for population, size in (("reference", 14.5), ("synthesized", 21.75)):
        # Half of a basal tree's length is on its way down, half at its end.
        expected = 400 + 5 + 0.5 * size + 0.5 * 2 * size
        assert mean_depth(rows, population) == pytest.approx(expected, abs=15)
    layers = result.rows["layers"]
    assert [(row["layer"], row["top_um"]) for row in layers] == [("SP", 0.0), ("SR", 400.0)]
    assert [note.split(":")[0] for note in result.notes] == ["basal_dendrite", "apical_dendrite"]


def test_profiles_without_a_reference_have_none(unit):
    rows = by_mtype.density_profiles(unit(references=False)).rows["profiles"]
    assert {row["reference"] for row in rows} == {None}


def test_path_distances_of_synthesized_trees_stand_beside_the_fit(unit):
    fit = {
        "extents": [60.0, 70.0],
        "path_distances": [70.0, 80.0],
        "used": [True, True],
        "slope": 1.15,
        "intercept": 0.0,
        "n_trees": 2,
        "n_used": 2,
        "r2": 0.9,
        "rms_residual": 1.0,
    }
    slopes = {"apical_dendrite": 2.0}
    given = unit(fits={"apical_dendrite": fit}, slopes=slopes, trees="all")
    result = by_mtype.path_distances(given)
    found = by(result.rows["trees"], population="synthesized")
    # An apical tree rises by six of its units and is seven long; units are 1.5 sizes.
    assert [row["extent_um"] for row in found] == pytest.approx(9 * SIZES, rel=1e-4)
    assert [row["path_distance_um"] for row in found] == pytest.approx(10.5 * SIZES, rel=1e-4)
    (line,) = result.rows["fits"]
    assert (line["slope"], line["slope_in_parameters"], line["n_synthesized"]) == (1.15, 2.0, 10)
    residuals = 10.5 * SIZES - 1.15 * 9 * SIZES
    assert line["rms_residual_synthesized"] == pytest.approx(np.sqrt(np.mean(residuals**2)))


@pytest.mark.slow
def test_trunk_angles_have_the_test_of_the_validation(unit):
    up = {"mode": "normal_pia_constraint", "values": {"direction": {"mean": 0.0, "std": 0.0}}}
    parameters = {"apical_dendrite": {"orientation": up}, "basal_dendrite": {"orientation": up}}
    result = by_mtype.trunk_angle_report(unit(parameters=parameters))
    summary = {
        (row["neurite_type"], row["angle"]): row
        for row in result.rows["summary"]
        if row["angle"] == "pia angle"
    }
    apical, basal = (summary[kind, "pia angle"] for kind in ("apical_dendrite", "basal_dendrite"))
    assert apical["by_law"]
    # As the reconstructions are, whatever the law says.
    assert (apical["verdict"], basal["verdict"]) == ("pass", "pass")
    assert basal["median_synthesized"] == pytest.approx(np.pi)
    assert basal["median_law"] == pytest.approx(0.0)
    angles = by(result.rows["angles"], angle="pia angle", neurite_type="basal_dendrite")
    assert len(angles) == 20


def test_pictures_show_synthesized_and_reference_cells(unit):
    result = by_mtype.pictures(unit())
    populations = [row["population"] for row in result.rows["pictures"]]
    assert populations == ["synthesized"] * 3 + ["reference"] * 3
    first = result.rows["pictures"][0]
    assert first["length_um"] == pytest.approx(15 * (4 + 8), rel=1e-4)
    assert (first["trees"], first["sections"]) == (2, 6)
    shown = picture(result.paths[0])
    assert shows(shown, NEURITE_COLORS[BASAL_DENDRITE])
    assert shows(shown, NEURITE_COLORS[APICAL_DENDRITE])


@pytest.mark.slow
def test_collages_have_the_cells_of_their_slices(tmp_path):
    from region_grower_flow.report import collage
    from region_grower_flow.report.slices import aligned_slice

    def cell(name, z):
        found = PlacedCell(name, "PC", "none", np.array([0, 0, z]), np.eye(3), 10.0, LAYERS)
        vars(found)["morphology"] = flat(fork())
        return found

    cells = [cell("near", 5.0), cell("far", 500.0), cell("in no slice", 900.0)]
    slices = [aligned_slice(2, center, 20.0) for center in (0.0, 500.0)]
    settings = ReportSettings(tmp_path, pictured=2)
    shown = SimpleNamespace(
        within=lambda holds, most, seed: {"PC": [c for c in cells if holds(c.position)[0]]},
        sample=lambda mtype, wanted, seed: cells,
    )
    units = collage.collage_units(shown, ["PC"], slices, settings, 0)
    assert [unit.mtype for unit in units] == [collage.ALL_MTYPES, "PC"]
    # In another process the name is another object.
    together = replace(units[0], mtype=" ".join(collage.ALL_MTYPES.split()))
    paths = collage.Collage(slices, None)(together).paths
    assert paths == [tmp_path / "slice_1.png", tmp_path / "slice_2.png"]
    result = collage.Collage(slices, None)(units[1])
    rows = [(row["cell"], row["slice"]) for row in result.rows["cells"]]
    assert rows == [
        *(("near", slices[0].title), ("far", slices[1].title)),
        *(("near", None), ("far", None), ("in no slice", None)),
    ]
    assert [path.parent.name for path in result.paths] == ["slice_1", "slice_2", "upright"]
    assert shows(picture(result.paths[0]), NEURITE_COLORS[BASAL_DENDRITE])
