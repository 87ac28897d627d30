"""Checks of what is installed: what starts the workers (NeuroTS: tests/test_neurots_version.py)."""

from types import SimpleNamespace

from region_grower_flow.checks.machine import check_launcher


def test_a_launcher_that_is_no_command_line():
    (problem,) = check_launcher(SimpleNamespace(nb_processes=2, launcher="run 'x {command}"))
    assert "is no command line (No closing quotation)" in str(problem)
    assert check_launcher(SimpleNamespace(nb_processes=0, launcher="run 'x")) == []
