"""Datasets that the tests of calibration share."""

import pytest

from helpers.reference_cells import write_dataset
from region_grower_flow.calibration.dataset import read_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """12 cells of two mtypes, as h5."""
    return read_dataset(*write_dataset(tmp_path_factory.mktemp("references")))
