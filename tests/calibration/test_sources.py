"""The inputs that the options of a calibration name."""

from types import SimpleNamespace

import pytest

from region_grower_flow.calibration.sources import (
    load_document,
    load_overrides,
    read_reconstructions,
)
from region_grower_flow.errors import InvalidInput, InvalidInputs


def test_calibration_needs_its_inputs():
    with pytest.raises(InvalidInputs) as error:
        read_reconstructions(SimpleNamespace(morphologies_dir=None, dat_file=None))
    assert [problem.where for problem in error.value.problems] == [
        "option morphologies_dir",
        "option dat_file",
    ]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("o.yaml", "PC:\n  basal_dendrite: {randomness: .nan}\n", "PC.basal_dendrite.randomness"),
        ("o.json", '{"PC": {"origin": [0, 1e999, 0]}}', "PC.origin[1]"),
        (
            "o.csv",
            "mtype,entry,value\nPC,basal_dendrite.radius,1e999\n",
            "PC.basal_dendrite.radius",
        ),
    ],
)
def test_numbers_that_are_not_finite_are_told_with_their_place(tmp_path, name, text, place):
    """Schemas let them pass: no number is below the least one, or above the most."""
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load_overrides(path)
    assert caught.value.problem == f"{place} is not a finite number"
    assert caught.value.where == path


def test_documents_of_finite_numbers_are_read(tmp_path):
    path = tmp_path / "d.yaml"
    path.write_text("a: [1, 2.5, text, true]\n")
    assert load_document(path) == {"a": [1, 2.5, "text", True]}
    assert load_document(None) is None
