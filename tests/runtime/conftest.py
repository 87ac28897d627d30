"""Chunks of fake cells, and processes that run them."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.fixture
def fake(monkeypatch, tmp_path, mark):
    """Makes ChunkRuns of fake cells in this test's folder."""
    from helpers import fake_worker
    from region_grower_flow.options import Execution
    from region_grower_flow.runtime.plans import ChunkRun

    monkeypatch.setitem(
        sys.modules, "region_grower_flow.cell.synthesis", fake_worker.fake_synthesis()
    )
    inherited = filter(None, [os.environ.get("PYTHONPATH")])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *inherited]))

    def make(name="chunk", rows=range(60), settings=None, **options):
        folder = tmp_path / name
        (folder / "cells").mkdir(parents=True, exist_ok=True)
        values = {"folder": str(folder / "cells"), "journal": str(folder / "journal")}
        values = {**values, **(settings or {})}
        # The others are settled before a chunk is run, and are its own.
        names = Execution.DECLARED.keys() & options.keys() - {f.name for f in fields(ChunkRun)}
        execution = {name: options.pop(name) for name in names}
        return ChunkRun(
            settings=values,
            execution=Execution(**execution),
            rows=list(rows),
            blocks_folder=str(folder / "blocks"),
            logs_folder=str(folder / "logs"),
            **options,
        )

    return make


@pytest.fixture
def run():
    """run_chunk with the fake worker."""
    from region_grower_flow.runtime.launcher import run_chunk

    def run_fake(plan, on_progress=None):
        return run_chunk(plan, on_progress, worker_module="helpers.fake_worker")

    return run_fake


@pytest.fixture
def start_parent(tmp_path, mark):
    """Starts a Python process of its own that runs a plan."""

    def start(plan, prefix=(), **options):
        # JSON has no integers as keys: the parent asks the synthesizer again.
        execution = plan.execution.to_json()
        values = {**asdict(plan), "costs": None, "digests": None, "execution": execution}
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(values))
        command = [*prefix, sys.executable, str(TESTS / "helpers" / "fake_parent.py"), str(path)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, **pipes, **options)

    return start
