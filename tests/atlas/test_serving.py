import pytest

from helpers.sentences import saying, says
from region_grower_flow.atlas.serving import (
    map_regions,
    parse_region_map,
    propose_region_map,
    region_map_problems,
)
from region_grower_flow.errors import InvalidInputs


def test_regions_get_the_names_of_the_atlas():
    region_map = parse_region_map(["S1FL:SSCX", " S1J : SSCX", "*@left:*"])
    regions = ["S1FL", "S1J", "SSp-ll@left", "MOp"]
    assert list(map_regions(regions, region_map)) == ["SSCX", "SSCX", "SSp-ll", "MOp"]
    assert list(map_regions(["a.b@left"], {"a.b@left": "X", "*@left": "Y"})) == ["X"]
    assert list(map_regions(["aXb", "a.b"], {"a.*": "R*"})) == ["aXb", "Rb"]


@pytest.mark.parametrize("pair", ["S1FL", ":SSCX", "S1FL:", "S1FL:*"])
def test_pairs_of_another_form_are_refused(pair):
    with pytest.raises(InvalidInputs, match=saying("no pair | region of cells | atlas")):
        parse_region_map([pair])


def test_two_places_for_one_region_are_refused():
    with pytest.raises(InvalidInputs, match="'A' is mapped to 'B' and to 'C'"):
        parse_region_map(["A:B", "A:C"])


def test_what_a_region_map_names_must_be_there():
    found = [str(p) for p in region_map_problems({"S1FL": "SCX", "S2": "SSCX"}, ["S1FL"], ["SSCX"])]
    (problem,) = found
    assert says(problem, "hierarchy | 'SCX' | SSCX")
    (problem,) = map(str, region_map_problems({"S2": "SSCX"}, ["S1FL"], ["SSCX"]))
    assert says(problem, "no cell | S2 | S1FL")


def test_the_atlas_at_the_cells_tells_the_remedy():
    at_cells = ["COL;L1", "COL;L2", "other", None]
    serving = {"COL;L1": "COL", "COL;L2": "COL"}.get
    found = propose_region_map(["S1", "S1", "S1", "S2"], ["COL", "other"], at_cells, serving)
    assert found == {"S1": "COL"}


def test_a_suffix_and_another_case_are_seen():
    found = propose_region_map(["SSp-ll@left", "mop", "zzz"], ["SSp-ll", "MOp"])
    assert found == {"SSp-ll@left": "SSp-ll", "mop": "MOp"}
