"""A table of bad inputs: each gets a sentence that names the place, and nothing else happens."""

import shutil

import pytest

from helpers.bad.cases import BY_NAME, CASES
from helpers.bad.harness import copied, synthesize

KNOWN_BAD = {
    "Ctgf_245170_539748835_pia.swc": "Section type changed without a bifucation at line: 2486",
    "L6b_zero_diameters_BC-2010-01-13-F-L6B-dendax.h5": "7079 of the 8778 points",
    "cp_Img_X_10072.9_Y_19017.6_Z_1795.52.v3dpbd_stps.swc": "at line 3: Unsupported section type",
    "mpy_C4.swc": "have a diameter of zero",
    "neuror_with-apical-attribute.h5": "Convert it to version 1 of the h5 format",
}


QUICK = {case.name for case in CASES[::4] if not case.slow}
"""A quarter of the table is in the quick half."""


def marked(case):
    slow = [] if case.name in QUICK else [pytest.mark.slow]
    return pytest.param(case, id=case.name, marks=slow)


def test_the_table_is_long_and_its_names_are_distinct():
    assert len(BY_NAME) == len(CASES) >= 150


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_a_bad_input_is_refused(case, bases, tmp_path):
    flow = copied(bases[case.base], tmp_path / "flow")
    case.spoil(flow)
    synthesize(flow, humble=case.humble).assert_refused(case.words)


@pytest.mark.parametrize("name", KNOWN_BAD)
def test_a_broken_reconstruction_is_refused(shared, bases, tmp_path, name):
    from helpers.reference_cells import write_dataset

    path = shared / "realdata" / "known_bad" / name
    if not path.is_file():
        pytest.skip(f"no {name} beside the checkout")
    flow = copied(bases["calibration"], tmp_path / "flow")
    shutil.rmtree(flow.path("cells"))
    write_dataset(flow.folder, path.suffix[1:])
    flow.options["morphologies_ext"] = path.suffix[1:]
    shutil.copy(path, flow.path("cells"))
    with open(flow.path("neurondb.dat"), "a", encoding="utf-8") as file:
        file.write(f"{name.removesuffix(path.suffix)} 5 L5_PC:A\n")
    synthesize(flow).assert_refused((f"cells/{name}: (mtype L5_PC:A)", KNOWN_BAD[name]))
