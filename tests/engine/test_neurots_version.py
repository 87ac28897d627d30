"""A NeuroTS that ignores the atlas grows nothing: it is refused at start, and cell by cell."""

import numpy as np
import pytest

from region_grower_flow.checks import machine
from region_grower_flow.engine import reference
from region_grower_flow.engine.model import GrowthSite
from region_grower_flow.errors import DropCell
from region_grower_flow.record import fingerprint


@pytest.fixture
def install(monkeypatch):
    """Pretend that some version of NeuroTS is installed."""

    def pretend(version):
        monkeypatch.setattr(
            fingerprint, "package_versions", lambda names: dict.fromkeys(names, version)
        )
        monkeypatch.setattr(reference, "installed_version", lambda: version)

    return pretend


@pytest.mark.parametrize("version", [None, "2.9.9", "3.5.9"])
@pytest.mark.parametrize("engine", ["compiled", "neurots"])
def test_a_neurots_that_is_too_old_is_refused(install, version, engine):
    install(version)
    (problem,) = machine.check_neurots(engine)
    assert "neurots>=3.7.0" in str(problem)


@pytest.mark.parametrize("version", ["3.6.0", "3.6.99"])
def test_a_neurots_that_ignores_the_atlas_is_refused_as_engine(install, version):
    install(version)
    (problem,) = machine.check_neurots("neurots")
    assert "ignores the atlas" in str(problem)
    assert "neurots>=3.7.0" in str(problem)
    assert machine.check_neurots("compiled") == []


@pytest.mark.parametrize("version", ["3.6.0", None])
def test_a_neurots_that_ignores_the_atlas_grows_no_cell(install, version):
    install(version)
    site = GrowthSite(np.zeros(3), np.eye(3))
    with pytest.raises(DropCell, match="ignores the atlas"):
        reference.grow_with_neurots({}, {}, site, np.random.default_rng(0))


@pytest.mark.parametrize("version", ["3.7.0", "3.10.1", "4.0"])
@pytest.mark.parametrize("engine", ["compiled", "neurots"])
def test_later_ones_are_fine(install, version, engine):
    install(version)
    assert machine.check_neurots(engine) == []


def test_the_installed_one_is_fine():
    assert machine.check_neurots() == []
