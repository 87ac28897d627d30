"""The choice of axons: scores by hand, weights, and that a cell's choice is its own."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from region_grower_flow.errors import InvalidInput
from region_grower_flow.morphology import AXON, BASAL_DENDRITE, FlatMorphology
from region_grower_flow.placement import donors, rules, scores
from region_grower_flow.placement.axon_files import axon_table_text, choice_sentences
from region_grower_flow.placement.choose import (
    ChoiceSettings,
    Knowledge,
    choose_axons,
    knowledge_problems,
)
from region_grower_flow.placement.donors import Donor, Home, axon_heights
from region_grower_flow.placement.scores import Places

THICKNESSES = {"1": 100.0, "2": 200.0, "3": 300.0}
BOUNDS = np.array([0.0, 100.0, 300.0, 600.0])


def neuron(*paths, soma=(0.0, 0.0, 0.0), kind=AXON):
    """A neuron with a basal dendrite and one axon of unbranched sections, given as points."""
    sections = [np.array([[0.0, 0.0, 0.0], [5.0, -500.0, 0.0]]), *map(np.array, paths)]
    points = np.concatenate(sections).astype(np.float32) + np.float32(soma)
    counts = [len(section) for section in sections]
    return FlatMorphology(
        points=points,
        diameters=np.ones(len(points), dtype=np.float32),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        types=np.array([BASAL_DENDRITE, *[kind] * len(paths)], dtype=np.int32),
        parents=np.array([-1, -1, *[1] * (len(paths) - 1)], dtype=np.int64),
        soma_points=np.array([soma], dtype=np.float32),
        soma_diameters=np.ones(1, dtype=np.float32),
    )


def straight(low, high, **options):
    """The heights of an axon that is one straight vertical line."""
    return axon_heights(neuron([[0.0, low, 0.0], [0.0, high, 0.0]], **options))


def places(*depths):
    return Places(np.array(depths), np.tile(BOUNDS, (len(depths), 1)))


# Where an axon is.


def test_the_length_below_a_height_is_that_of_the_segments_below():
    # 100 um up, then 50 um level at 100 um, then 150 um down from there.
    first = [[0.0, 0.0, 0.0], [0.0, 100.0, 0.0]]
    level = [[0.0, 100.0, 0.0], [50.0, 100.0, 0.0]]
    down = [[0.0, 100.0, 0.0], [0.0, -50.0, 0.0]]
    heights = axon_heights(neuron(first, level, down, soma=(10.0, 20.0, 30.0)))
    assert heights.top == pytest.approx(100.0)
    assert heights.length == pytest.approx(300.0)
    below = heights.share_below([-51.0, -50.0, 0.0, 50.0, 99.0, 102.0]) * 300.0
    np.testing.assert_allclose(below, [0.0, 0.0, 50.0, 150.0, 248.0, 300.0], atol=0.1)


def test_jumps_between_sections_have_no_length():
    first = [[0.0, 0.0, 0.0], [0.0, 10.0, 0.0]]
    elsewhere = [[100.0, 300.0, 0.0], [100.0, 310.0, 0.0]]
    assert axon_heights(neuron(first, elsewhere)).length == pytest.approx(20.0)


def test_dendrites_do_not_count():
    heights = straight(0.0, 10.0)
    assert heights.share_below(-1.0) == 0.0


def test_an_axon_is_needed():
    with pytest.raises(InvalidInput, match="has no axon"):
        axon_heights(neuron([[0.0, 0.0, 0.0], [0.0, 9.0, 0.0]], kind=BASAL_DENDRITE))
    with pytest.raises(InvalidInput, match="no length"):
        axon_heights(neuron([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]))


# Scores.


def test_shares_of_layers_by_hand():
    # From 150 um below the soma to 250 above it; soma at 200: from 350 deep to 50 above the pia.
    shares = scores.layer_shares(straight(-150.0, 250.0), np.array([200.0]), BOUNDS[None])[0]
    np.testing.assert_allclose(shares, [100 / 400, 200 / 400, 50 / 400, 0.0], atol=1e-6)


def test_a_scaled_axon_reaches_farther():
    shares = scores.layer_shares(straight(-200.0, 0.0), np.array([200.0]), BOUNDS[None], 2.5)[0]
    np.testing.assert_allclose(shares, [0.0, 0.2, 0.6, 0.2], atol=1e-6)


def test_an_axon_at_home_scores_one_and_elsewhere_the_overlap():
    axon = straight(-100.0, 100.0)
    home = scores.home_shares(axon, 200.0, list(THICKNESSES.values()))
    np.testing.assert_allclose(home, [0.0, 1.0, 0.0, 0.0], atol=1e-6)
    found = scores.layer_scores(axon, home, places(200.0, 250.0, 300.0, 450.0, 150.0))
    np.testing.assert_allclose(found, [1.0, 0.75, 0.5, 0.0, 0.75], atol=1e-6)


def test_thicker_layers_are_followed():
    axon = straight(-100.0, 100.0)
    home = scores.home_shares(axon, 300.0, [100.0, 200.0, 300.0])  # half in layer 2, half in 3
    np.testing.assert_allclose(home, [0.0, 0.5, 0.5, 0.0], atol=1e-6)
    wide = Places(np.array([600.0]), np.array([[0.0, 200.0, 600.0, 1200.0]]))
    assert scores.layer_scores(axon, home, wide)[0] == pytest.approx(1.0)


def test_what_is_above_the_pia_at_home_does_not_count():
    axon = straight(-100.0, 100.0)
    home = scores.home_shares(axon, 50.0, list(THICKNESSES.values()))
    np.testing.assert_allclose(home, [50 / 150 + 50 / 150, 50 / 150, 0, 0], atol=1e-6)
    assert scores.layer_scores(axon, home, places(50.0))[0] == pytest.approx(0.75)


def test_the_limit_falls_linearly_above_the_pia():
    found = scores.limit_scores(100.0, np.array([150.0, 100.0, 85.0, 70.0, 10.0]), 30.0)
    np.testing.assert_allclose(found, [1.0, 1.0, 0.5, 0.0, 0.0])
    np.testing.assert_array_equal(scores.limit_scores(100.0, np.array([100.0, 99.0]), 0.0), [1, 0])


def test_scales_are_weighed():
    assert [scores.scale_weight(s, "linear") for s in (0.5, 1.0, 2.0)] == [0.5, 1.0, 0.5]
    assert [scores.scale_weight(s, "uniform") for s in (0.5, 1.0, 2.0)] == [1.0, 1.0, 1.0]
    assert scores.scale_weight(1.0, "gaussian") == 1.0
    assert scores.scale_weight(np.exp(0.25), "gaussian") == pytest.approx(np.exp(-0.5))


# Rules.

RULES = """<placement_rules>
 <global_rule_set>
  <rule id="limit" type="below" segment_type="axon" y_layer="1" y_fraction="1.0"/>
  <rule id="dendrites" type="below" segment_type="dendrite" y_layer="1" y_fraction="1.0"/>
 </global_rule_set>
 <mtype_rule_set mtype="PC|IN">
  <rule id="in 2" type="region_target" segment_type="axon" y_min_layer="L2" y_min_fraction="0"
        y_max_layer="L2" y_max_fraction="1"/>
  <rule id="fill 3" type="region_occupy" segment_type="axon" y_min_layer="3" y_min_fraction="0.5"
        y_max_layer="3" y_max_fraction="1"/>
 </mtype_rule_set>
</placement_rules>"""


@pytest.fixture
def ruleset(tmp_path):
    path = tmp_path / "rules.xml"
    path.write_text(RULES)
    return rules.load_rules(path)


def scored(ruleset, annotation, *depths, mtype="PC", scale=1.0, limits_only=False):
    found = ruleset.of(mtype)
    found = rules.without_intervals(found) if limits_only else found
    return rules.rule_scores(found, annotation, places(*depths), list(THICKNESSES), scale)


def test_rules_of_axons_are_read(ruleset):
    assert [rule.id for rule in ruleset.of("IN")] == ["limit", "in 2", "fill 3"]
    assert [rule.id for rule in ruleset.of("other")] == ["limit"]
    assert ruleset.layers() == {"1", "2", "3"}


def test_a_strict_rule_tolerates_thirty_micrometers(ruleset):
    annotation = {"limit": (-50.0, 200.0)}
    np.testing.assert_allclose(
        scored(ruleset, annotation, 250.0, 200.0, 185.0, 170.0), [1.0, 1.0, 0.5, 0.0]
    )
    np.testing.assert_allclose(scored(ruleset, annotation, 170.0, scale=0.8), [1.0])


def test_intervals_overlap_and_their_harmonic_mean_counts(ruleset):
    # Layer 2 is from 100 to 300 deep; the upper half of layer 3 from 300 to 450.
    target = {"in 2": (0.0, 100.0)}
    # Soma at 300: 200 to 300 deep, within; at 350: 250 to 350, half.
    np.testing.assert_allclose(scored(ruleset, target, 300.0, 350.0, 500.0), [1.0, 0.5, 0.0])
    occupy = {"fill 3": (-150.0, 0.0)}
    np.testing.assert_allclose(scored(ruleset, occupy, 300.0, 375.0), [1.0, 0.5])
    # A third of the interval is not filled, though the annotated one is within it.
    np.testing.assert_allclose(scored(ruleset, {"fill 3": (-100.0, 0.0)}, 300.0), [2 / 3])
    np.testing.assert_allclose(scored(ruleset, {"in 2": (0.0, 400.0)}, 300.0), [1.0])
    both = {**target, **occupy}
    np.testing.assert_allclose(
        scored(ruleset, both, 300.0, 350.0), [1.0, 2 / (1 / 0.5 + 150 / 100)], rtol=1e-12
    )
    np.testing.assert_allclose(scored(ruleset, both, 500.0), [0.0])
    np.testing.assert_allclose(scored(ruleset, both, 500.0, limits_only=True), [1.0])


def test_annotations_are_read_from_json_and_from_xml(tmp_path):
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps({"a": {"limit": {"y_min": "-1.5", "y_max": 20}}}))
    folder = tmp_path / "annotations"
    folder.mkdir()
    (folder / "a.xml").write_text(
        '<annotations morphology="a"><placement rule="limit" y_max="20" y_min="-1.5"/>'
        "</annotations>"
    )
    expected = {"a": {"limit": (-1.5, 20.0)}}
    assert rules.load_annotations(path) == rules.load_annotations(folder) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<placement_rules><global_rule_set>", "not XML"),
        ("<other/>", "expected 'placement_rules'"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><placement_rules/>', "document type"),
        (RULES.replace('type="below"', 'type="bellow"'), "Did you mean 'below'"),
        (RULES.replace('y_max_fraction="1"', 'y_max_fraction="2"'), "from 0 to 1"),
        (RULES.replace("PC|IN", "PC|PC"), "'PC' is there twice"),
    ],
)
def test_rules_that_are_wrong_are_refused(tmp_path, text, words):
    path = tmp_path / "rules.xml"
    path.write_text(text)
    with pytest.raises(InvalidInput) as error:
        rules.load_rules(path)
    assert words in str(error.value)


# The choice.


def cells_table(depths, regions="COL"):
    depths = np.asarray(depths, dtype=np.float64)
    regions = np.broadcast_to(np.asarray(regions, dtype=object), depths.shape)
    layered = regions == "COL"
    return SimpleNamespace(
        depths=depths,
        layer_depths=np.where(layered[:, None], BOUNDS, np.nan),
        layer_counts=np.where(layered, 3, 0),
        synthesis_regions=regions,
    )


DONORS = {
    "PC": [Donor("pc1", "PC", "2"), Donor("pc2", "PC", "3")],
    "IN": [Donor("in1", "IN", "L1")],
}


def knowledge():
    heights = {
        "pc1": straight(-100.0, 100.0),
        "pc2": straight(-150.0, 150.0),
        "in1": straight(-20.0, 20.0),
    }
    return Knowledge(heights=heights, home=Home(None, {}), columns={"COL": THICKNESSES})


def chosen(mtypes, depths=None, ids=None, regions="COL", **settings):
    mtypes = np.asarray(mtypes, dtype=object)
    ids = np.arange(len(mtypes)) if ids is None else ids
    table = None if depths is None else cells_table(depths, regions)
    return choose_axons(mtypes, ids, DONORS, ChoiceSettings(**settings), table, knowledge())


def test_at_random_all_donors_are_as_likely():
    result = chosen(["PC"] * 4000)
    counts = [list(result.names).count(name) for name in ("pc1", "pc2")]
    assert stats.chisquare(counts).pvalue > 0.01
    assert result.scales is None


def test_cells_without_donor_have_none_and_are_counted():
    result = chosen(["PC", "XX", "IN"])
    assert list(result.names) == [result.names[0], None, "in1"]
    assert result.reasons[1] == "no donor of the mtype"
    sentences = list(choice_sentences(result, ["PC", "XX", "IN"]))
    assert "2 of 3 cells have an axon" in sentences[0]
    assert sentences[-1] == "XX: 1 of 1 cells have no axon (no donor of the mtype)"


def test_the_choice_of_a_cell_is_its_own():
    """A slice with the cells' ids, in another order, with other cells gone, gets the same axons."""
    rng = np.random.default_rng(0)
    mtypes = rng.choice(["PC", "IN"], 500)
    depths = rng.uniform(150.0, 500.0, 500)
    rows = rng.permutation(500)[:100]
    options = {"mode": "layers", "scales": (0.8, 1.0), "seed": 4}
    everything = chosen(mtypes, depths, **options)
    some = chosen(mtypes[rows], depths[rows], ids=rows, **options)
    np.testing.assert_array_equal(some.names, everything.names[rows])
    np.testing.assert_array_equal(some.scales, everything.scales[rows])
    assert not np.array_equal(
        chosen(mtypes, depths, **{**options, "seed": 5}).names, everything.names
    )


def test_donors_are_chosen_in_proportion_to_their_scores():
    # At 250 um: pc1 (home 200 um) 0.75; pc2 (home 450 um, 300 to 600 deep) has 1/3 in layer 3.
    result = chosen(["PC"] * 5000, np.full(5000, 250.0), mode="layers")
    first = int((result.names == "pc1").sum())
    expected = 0.75 / (0.75 + 1 / 3)
    assert stats.binomtest(first, 5000, expected).pvalue > 0.01
    assert set(np.round(result.scores, 6)) == {0.75, round(1 / 3, 6)}
    assert result.best == pytest.approx(0.75)
    means = {row["morphology"]: row["mean_score"] for row in result.donors}
    assert means == {"pc1": pytest.approx(0.75), "pc2": pytest.approx(1 / 3, abs=1e-5)}


def test_alpha_sharpens_the_choice_and_zero_evens_it():
    depths = np.full(3000, 250.0)
    for alpha in (0.0, 3.0):
        first = int(
            (chosen(["PC"] * 3000, depths, mode="layers", alpha=alpha).names == "pc1").sum()
        )
        expected = 0.75**alpha / (0.75**alpha + (1 / 3) ** alpha)
        assert stats.binomtest(first, 3000, expected).pvalue > 0.01


def test_a_donor_that_scores_nothing_is_never_chosen():
    # At 450 um pc1 has nothing in layer 2; at 120 um pc2 is above the pia by 30 um.
    assert set(chosen(["PC"] * 300, np.full(300, 450.0), mode="layers", alpha=0.0).names) == {"pc2"}
    assert set(chosen(["PC"] * 300, np.full(300, 120.0), mode="layers").names) == {"pc1"}


def test_a_cell_that_nothing_fits_has_no_axon():
    result = chosen(["PC", "PC", "PC"], [60.0, np.nan, 200.0], mode="layers", scales=(1.0,))
    assert list(result.reasons) == ["no donor fits", "no donor fits", None]
    assert np.isnan(result.scales[:2]).all()


def test_scales_help_where_the_axon_does_not_fit():
    # At 80 um the axon of pc1 passes the pia by 20 um, at 0.5 of its size it does not.
    result = chosen(["PC"] * 2000, np.full(2000, 80.0), mode="layers", scales=(0.5, 1.0))
    one = result.scales == 1.0
    limit, overlap = 1 / 3, 80 / 200
    np.testing.assert_allclose(result.scores[one], limit * overlap, atol=1e-6)
    assert result.scores[~one].min() > 0
    weights = {s: np.unique(np.round(result.scores[result.scales == s], 6)) for s in (0.5, 1.0)}
    assert weights[0.5][0] == pytest.approx(0.5 * 30 / 100, abs=1e-6)


def test_in_regions_without_layers_donors_are_random():
    result = chosen(
        ["PC"] * 200, np.full(200, 450.0), regions=["COL"] * 100 + ["HIP"] * 100, mode="layers"
    )
    assert set(result.names[:100]) == {"pc2"}
    assert set(result.names[100:]) == {"pc1", "pc2"}
    assert result.unscored == 100


def test_many_cells_are_scored_in_parts_that_change_nothing(monkeypatch):
    depths = np.random.default_rng(0).uniform(100.0, 500.0, 300)
    whole = chosen(["PC"] * 300, depths, mode="layers")
    monkeypatch.setattr("region_grower_flow.placement.choose.BLOCK", 14)
    parts = chosen(["PC"] * 300, depths, mode="layers")
    np.testing.assert_array_equal(whole.names, parts.names)
    np.testing.assert_array_equal(whole.scores, parts.scores)


def test_rules_choose(ruleset):
    annotations = {"pc1": {"limit": (0.0, 100.0)}, "pc2": {"limit": (0.0, 500.0)}, "in1": {}}
    known = Knowledge(columns={"COL": THICKNESSES}, rules=ruleset, annotations=annotations)
    table = cells_table(np.full(50, 200.0))
    settings = ChoiceSettings(mode="rules")
    result = choose_axons(np.array(["PC"] * 50), np.arange(50), DONORS, settings, table, known)
    assert set(result.names) == {"pc1"}


def test_what_scores_lack_is_said(ruleset):
    mtypes, table = np.array(["PC", "IN"], dtype=object), cells_table([200.0, 50.0])
    odd = {"PC": [Donor("pc1", "PC", "7"), Donor("pc2", "PC", "")], "IN": DONORS["IN"]}
    layers = ChoiceSettings(mode="layers")
    (problem,) = knowledge_problems(mtypes, odd, layers, table, knowledge())
    assert "2 donors" in str(problem)
    assert "pc1 (layer 7), pc2 (layer not given)" in str(problem)
    known = Knowledge(columns={"COL": {"1": 1.0, "2": 1.0}}, rules=ruleset, annotations={"pc1": {}})
    found = knowledge_problems(mtypes, DONORS, ChoiceSettings(mode="rules"), table, known)
    assert "2 donors have no annotation (in1, pc2)" in str(found[0])
    assert "has no layer 3" in str(found[1])


def test_soma_depths_come_from_the_donor_its_mtype_or_its_layer():
    home = Home(None, {"pc1": 123.0, "IN": 7.0})
    found = [home.soma_depth(d, THICKNESSES) for d in (*DONORS["PC"], *DONORS["IN"])]
    assert found == [123.0, 450.0, 7.0]
    assert Home(None, {}).soma_depth(Donor("x", "IN", "L1"), THICKNESSES) == 50.0


def test_the_home_column_is_read(tmp_path):
    path = tmp_path / "home.yaml"
    path.write_text("{1: 100, 2: 250.5}")
    assert donors.load_home(path).thicknesses == {1: 100, 2: 250.5}
    path.write_text("{soma_depths: {pc1: 5, 3: 7}}")
    assert donors.load_home(path).soma_depths == {"pc1": 5, "3": 7}
    path.write_text("{thicknesses: {1: 0, 2: x}, soma_depths: {a: -1}, more: 1}")
    with pytest.raises(InvalidInput) as error:
        donors.load_home(path)
    assert len(str(error.value).splitlines()) == 4


def test_donors_that_cannot_be_used_are_left_out(tmp_path):
    path = tmp_path / "donors.csv"
    path.write_text("name,mtype,layer,use_axon\nb,PC,2,true\na,PC,3,\nc,PC,2,false\n")
    found = donors.load_donors(path)
    assert [(d.name, d.layer) for d in found["PC"]] == [("a", "3"), ("b", "2")]
    with pytest.raises(InvalidInput, match=r"2 donors have no morphology here \(a, b\)"):
        donors.load_donors(path, tmp_path)


def test_the_table_is_what_synthesis_reads(tmp_path):
    from region_grower_flow.io.axons import load_axon_table

    mtypes = ["PC", "XX", "IN", "PC"]
    for scales in (None, (0.9, 1.1)):
        result = chosen(mtypes, scales=scales)
        path = tmp_path / "axons.tsv"
        path.write_text(axon_table_text(result))
        names, read = load_axon_table(path, range(4))
        assert list(names) == list(result.names)
        if scales:
            np.testing.assert_array_equal(read, result.scales)
        else:
            assert np.isnan(read).all()
