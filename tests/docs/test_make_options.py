"""Each option is described once: help, docs and the commented configuration say the same."""

from configparser import ConfigParser
from pathlib import Path

import pytest

import make_options
import region_grower_flow
from region_grower_flow.options import GROUPS
from region_grower_flow.options.former import former_options
from region_grower_flow.options.group import declared

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("path", "made"), make_options.files().items(), ids=lambda p: "")
def test_the_files_are_made_from_the_options(path, made):
    assert path.read_text(encoding="utf-8") == made, "run python docs/make_options.py"


INTERNAL = {"first", "last"}
"""Options that stages give one another."""


def option_names():
    """The options of all tasks that users name."""
    classes = [getattr(region_grower_flow, name) for name in region_grower_flow.TASKS]
    return {name for cls in classes for name in cls.options} - INTERNAL


def test_every_option_of_the_tasks_is_there():
    names = option_names()
    described = {name for group in GROUPS for name in group.DECLARED}
    assert described == names
    task = region_grower_flow.MakeReports
    assert {name for name, _ in task.get_params()} >= former_options(task.options).keys()
    assert former_options(declared(GROUPS)).keys().isdisjoint(described)
    text = make_options.reference()
    assert all(f"``{name}``" in text for name in described)


def test_every_option_has_a_description():
    for group in GROUPS:
        for name, option in group.DECLARED.items():
            assert option.description, name


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.cfg")), ids=lambda p: p.name)
def test_configurations_use_known_options(path):
    config = ConfigParser()
    config.read(path)
    assert set(config["region_grower_flow"]) <= option_names()


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.cfg")), ids=lambda p: p.name)
def test_configurations_do_not_grow_by_the_shipped_one(path):
    """Luigi reads ``luigi.cfg`` of the folder first: what it says of growth is said anew."""
    shipped, config = ConfigParser(), ConfigParser()
    shipped.read(ROOT / "luigi.cfg")
    config.read(path)
    name = "region_grower_flow"
    growth = {"growth_calibration", "overrides", "seed"} & set(shipped[name])
    assert path.name == "all_options.cfg" or growth <= set(config[name])
