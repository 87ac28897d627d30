import pytest
from voxcell import RegionMap

from region_grower_flow.start.layers import entry_of

ALLEN = {
    "id": 1, "acronym": "root", "name": "root", "children": [
        {"id": 2, "acronym": "SSp", "name": "Primary somatosensory area", "children": [
            {"id": 3, "acronym": "SSp-bfd", "name": "barrel field", "children": [
                {"id": 4, "acronym": "SSp-bfd2/3", "name": "barrel field, layer 2/3"},
                {"id": 5, "acronym": "SSp-bfd6a", "name": "barrel field, layer 6a"},
            ]},
        ]},
        {"id": 6, "acronym": "CA1", "name": "Field CA1", "children": [
            {"id": 7, "acronym": "CA1so", "name": "Field CA1, stratum oriens"},
            {"id": 8, "acronym": "CA1;SP", "name": "pyramidal"},
        ]},
        {"id": 9, "acronym": "TH", "name": "Thalamus", "children": []},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("acronym", "entry"),
    [
        ("SSp-bfd2/3", "SSp-bfd"),
        ("SSp-bfd6a", "SSp-bfd"),
        ("SSp-bfd", "SSp-bfd"),
        ("CA1so", "CA1"),
        ("CA1;SP", "CA1"),
        ("TH", "TH"),
        ("elsewhere", "elsewhere"),
    ],
)
def test_a_layer_belongs_to_the_region_around_it(acronym, entry):
    assert entry_of(acronym, RegionMap.from_dict(ALLEN), [1, "SP", "SO"]) == entry
