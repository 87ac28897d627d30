"""Help of the commands: the tasks' own descriptions, with the commands' own defaults."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from region_grower_flow.cli import main
from region_grower_flow.cli.commands import KINDS
from region_grower_flow.cli.growing import generate_parameters
from region_grower_flow.cli.running import FAILED, INVALID, exit_code
from region_grower_flow.errors import Busy, InvalidInput

COMMANDS = sorted(main.commands)


def help_of(command):
    done = CliRunner().invoke(main, [command, "--help"], terminal_width=10_000)
    assert done.exit_code == 0
    return " ".join(done.output.split())


def test_help_waits_for_no_large_library():
    code = (
        "import sys; from region_grower_flow import cli;"
        "large = {'h5py', 'luigi', 'matplotlib', 'neurots', 'numba', 'numpy', 'pandas', 'scipy'};"
        "print(sorted(large & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_described(command):
    for option in main.commands[command].params:
        assert option.param_type_name == "argument" or option.help, option.name


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("generate-parameters", "parameters are written (default: tmd_parameters.json)"),
        ("generate-parameters", "--work-dir TEXT Folder of the intermediates, logs and manifests "
         "(default: beside the output)"),
        ("generate-distributions", "(default: tmd_distributions.json)"),
        ("synthesize-morphologies", "Seed; each cell adds its row to it (default: 0)"),
        ("synthesize-morphologies", "without morphology in the axon table (default: 0.0)"),
        ("synthesize-morphologies", "--engine [compiled|neurots]"),
        ("synthesize-morphologies", "(.h5 or .mvd3) [required]"),
        ("validate", "(all tiers without any) (default: none)"),
        ("clean", "--task TEXT"),
    ],
)  # fmt: skip
def test_help_tells_the_truth(command, words):
    assert words in help_of(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_choices_are_told_once(command):
    assert "Choices:" not in help_of(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command):
    assert re.search(r"Examples?: region-grower-flow " + command, help_of(command))


def test_every_command_is_listed_once_under_a_heading():
    listed = [name for names in KINDS.values() for name in names]
    assert sorted(listed) == COMMANDS


def test_flags_of_region_grower_are_there():
    flags = {flag for option in generate_parameters.params for flag in option.opts}
    assert {"-tp", "--tmd-parameters", "-pf", "--parameter-filename", "-dc", "-e"} <= flags


def test_no_option_names_a_place_in_the_work_folder_that_the_command_does_not_use():
    text = help_of("generate-parameters") + help_of("generate-distributions")
    assert not re.search(r"written \(in the work folder\)", text)


def test_exit_codes():
    wrong, failed = InvalidInput("x"), Busy("y")
    assert exit_code(wrong) == INVALID
    assert exit_code(wrong, wrong) == INVALID
    assert exit_code(wrong, failed) == FAILED
    assert exit_code(ValueError()) == FAILED


@pytest.mark.parametrize(
    ("out_cells", "out_morph_dir", "expected"),
    [
        ("out/nodes.h5", "out/morphologies", "out/nodes_work"),
        ("out/nodes.h5", "out", "out_nodes_work"),
        ("nodes.h5", "out", "nodes_work"),
        ("a/b/nodes.h5", "a", "a_nodes_work"),
    ],
)
def test_the_work_folder_is_beside_the_outputs(out_cells, out_morph_dir, expected):
    from region_grower_flow.cli.running import _beside

    assert _beside(Path(out_cells), out_morph_dir) == expected


def test_the_work_folder_of_morphologies_in_the_current_folder_is_beside_it(tmp_path, monkeypatch):
    from region_grower_flow.cli.running import _beside

    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert _beside(Path("nodes.h5"), ".") == str(tmp_path / "here_nodes_work")
    assert _beside(Path("../nodes.h5"), ".") == "../nodes_work"
