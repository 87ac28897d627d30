"""Standard streams that take no more, and locales without UTF-8: work, or one sentence."""

import os
import subprocess

import pytest

from helpers.flow_factory import COMMAND, LUIGI, environment
from helpers.sentences import says

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full"),
]
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def shell(flow, words, **more):
    return subprocess.run(
        ["bash", "-c", words],
        cwd=flow.folder,
        env={**environment(), "RGF": str(COMMAND), "LUIGI": str(LUIGI), **more},
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("$RGF run luigi.cfg --no-page >/dev/full", 1),
        ("$LUIGI --module region_grower_flow SynthesizeMorphologies >/dev/full", 0),
        ("$RGF --help >/dev/full", 1),
        ("$RGF status luigi.cfg >/dev/full", 1),
    ],
)
def test_a_full_standard_output_is_a_sentence(flow, words, code):
    flow.write_cfg()
    done = shell(flow, words)
    assert done.returncode == code
    assert b"Standard output takes no more: No space left on device." in done.stderr
    assert b"Traceback" not in done.stderr
    if "Synth" in words or " run " in words:
        assert flow.path("out/nodes.h5").exists()


def test_a_configuration_that_the_locale_cannot_read_is_a_sentence(flow):
    flow.path("atlas").rename(flow.path("ätlas"))
    flow.options.update(atlas="ätlas", region_structure="ätlas/region_structure.yaml")
    flow.write_cfg()
    done = shell(flow, "$RGF run luigi.cfg --no-page", **ASCII)
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert says(line, "luigi.cfg: | ascii | LC_ALL=C.UTF-8 or PYTHONUTF8=1")


def test_a_folder_whose_name_is_no_text_is_a_sentence(flow):
    flow.write_cfg()
    words = "d=$(printf 'b\\xff'); mkdir $d; mv atlas *.json *.h5 luigi.cfg $d; cd $d"
    done = shell(flow, f"{words}; $RGF run luigi.cfg --no-page")
    assert done.returncode == 2
    assert b"work: its path is no UTF-8 text. Rename the folder." in done.stderr
    assert b"Traceback" not in done.stderr
