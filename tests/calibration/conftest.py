"""Datasets that the tests of calibration share."""

import pytest
from luigi.configuration import get_config
from reference_cells import write_dataset

from region_grower_flow.calibration.dataset import read_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """12 cells of two mtypes, as h5."""
    return read_dataset(*write_dataset(tmp_path_factory.mktemp("references")))


@pytest.fixture
def no_configuration():
    """Tasks without the configuration of the folder in which the tests run."""
    config, section = get_config(), "region_grower_flow"
    values = dict(config.items(section)) if config.has_section(section) else {}
    config.remove_section(section)
    yield
    if values:
        config.add_section(section)
        for name, value in values.items():
            config.set(section, name, value)
