"""A run that failed has an exit code that says so, whatever the configuration leaves out."""

import os
import subprocess
import sys

import pytest

COMMAND = ("-m", "luigi", "--module", "region_grower_flow", "CreatePlanes", "--local-scheduler")
OPTIONS = ("--atlas", "absent", "--planes-region", "X")


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        (None, 30),
        pytest.param("[core]\nlog_level = INFO\n", 30, marks=pytest.mark.slow),
        pytest.param("[retcode]\ntask_failed = 7\n", 7, marks=pytest.mark.slow),
    ],
)
def test_a_refused_run(tmp_path, configuration, code):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LUIGI_CONFIG")}
    environment["TMPDIR"] = str(tmp_path)  # Luigi's lock: other tests run the same command
    if configuration is not None:
        (tmp_path / "luigi.cfg").write_text(configuration)
    process = subprocess.run(
        [sys.executable, *COMMAND, *OPTIONS],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == code, process.stderr
    assert "the atlas has no volume 'brain_regions'" in process.stdout + process.stderr
