"""The inputs that the options of a calibration name."""

from types import SimpleNamespace

import pytest

from region_grower_flow.calibration.sources import read_reconstructions
from region_grower_flow.errors import InvalidInputs


def test_calibration_needs_its_inputs():
    with pytest.raises(InvalidInputs) as error:
        read_reconstructions(SimpleNamespace(morphologies_dir=None, dat_file=None))
    assert [problem.where for problem in error.value.problems] == [
        "option morphologies_dir",
        "option dat_file",
    ]
