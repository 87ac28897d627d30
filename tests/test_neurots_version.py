"""A NeuroTS that ignores the atlas is refused at start, not only in the package's metadata."""

import pytest

from region_grower_flow import checks, fingerprint


def install(monkeypatch, version):
    versions = dict.fromkeys(["neurots"], version)
    monkeypatch.setattr(fingerprint, "package_versions", lambda names: versions)


@pytest.mark.parametrize("version", [None, "2.9.9", "3.6.0", "3.6.99"])
def test_a_neurots_that_ignores_the_atlas_is_refused(monkeypatch, version):
    monkeypatch.setattr(
        fingerprint, "package_versions", lambda names: dict.fromkeys(names, version)
    )
    (problem,) = checks.check_neurots()
    assert "ignores the atlas" in str(problem)
    assert "neurots>=3.7.0" in str(problem)


@pytest.mark.parametrize("version", ["3.7.0", "3.10.1", "4.0"])
def test_later_ones_are_fine(monkeypatch, version):
    monkeypatch.setattr(
        fingerprint, "package_versions", lambda names: dict.fromkeys(names, version)
    )
    assert checks.check_neurots() == []


def test_the_installed_one_is_fine():
    assert checks.check_neurots() == []
