"""Bad JSON, YAML and text files: absent, unreadable, empty, damaged, hostile."""

from helpers.bad.bases import (
    both,
    cut,
    file,
    folder,
    link,
    missing,
    options,
    secret,
    structure,
    text,
)
from helpers.bad.harness import Bad

STRUCTURE = "atlas/region_structure.yaml"
HIERARCHY = "atlas/hierarchy.json"
PARAMETERS, DISTRIBUTIONS = "parameters.json", "distributions.json"
JSON = (PARAMETERS, DISTRIBUTIONS, HIERARCHY)
DEEP_JSON = '{"default": ' + '{"a": [' * 40_000 + "]}" * 40_000 + "}"
LAUGHS = "\n".join(
    ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
)


def _json_cases():
    for name in JSON:
        short = name.rsplit("/")[-1].removesuffix(".json")
        yield Bad(f"{short}-missing", missing(name), (name, "does not exist"))
        yield Bad(f"{short}-folder", folder(name), (name, "is a folder | file"))
        yield Bad(f"{short}-empty", text(name, ""), (name, "the file is empty"))
        yield Bad(f"{short}-truncated", cut(name, 0.5), (name, "JSON | line 1, column"))
        yield Bad(f"{short}-list", text(name, "[1, 2]"), (name, "not a region" if "hier" in name
                  else "object | [1, 2]"))  # fmt: skip
        yield Bad(f"{short}-utf16", text(name, "{}".encode("utf-16")), (name, "not UTF-8 text"))
        yield Bad(f"{short}-deep", text(name, DEEP_JSON), (name, "nested too deeply"))
        yield Bad(
            f"{short}-broken-link", link(name, "nowhere"), (name, "a link that leads nowhere")
        )
        yield Bad(f"{short}-endless-link", link(name, name.rsplit("/")[-1]), (name,))
        yield Bad(f"{short}-secret", secret(name), (name, "Permission denied"), humble=True)


DOCUMENTS = [
    *_json_cases(),
    Bad("json-comma", text(PARAMETERS, '{\n "default": {,}\n}'), (
        "parameters.json | JSON | line 2, column 14",
    )),
    Bad("json-latin1", text(PARAMETERS, '{"d\u00e9faut": {}}'.encode("latin-1")), (
        "parameters.json | UTF-8 | byte 4, line 1", "Save it as UTF-8",
    )),
    Bad("json-nan", text(PARAMETERS, '{"default": {\n"PC": NaN}}'), (
        "parameters.json | NaN | line 2, column 7", "is not a number that JSON knows",
    )),
    Bad("json-infinity", text(DISTRIBUTIONS, '{"default": {"PC": -Infinity}}'), (
        "distributions.json", "-Infinity", "line 1, column 20",
    )),
    Bad("json-key-twice", text(PARAMETERS, '{"default": {}, "default": {}}'), (
        "parameters.json | 'default' | twice",
    )),
    Bad("json-no-region", text(PARAMETERS, "{}"), ("parameters.json", "no region in it")),
    Bad("json-zeros", text(DISTRIBUTIONS, b"\0" * 4096), ("distributions.json", "not JSON")),
    Bad("json-number-of-a-million-digits", text(PARAMETERS, '{"default": ' + "9" * 10**6 + "}"), (
        "parameters.json", "not JSON that can be read",
    )),
    Bad("json-in-a-device", options(tmd_parameters="/dev/zero"), (
        "/dev/zero | not a regular file",
    )),
    Bad("json-path-with-nul", options(tmd_parameters="para\0meters.json"), (
        "para\\x00meters.json",
    )),
    Bad("hierarchy-id-twice", text(HIERARCHY, '{"id": 1, "acronym": "COL", "children": '
        '[{"id": 1, "acronym": "COL;L2"}]}'), ("hierarchy.json | two regions | id 1",)),
    Bad("hierarchy-no-acronym", text(HIERARCHY, '{"id": 1}'), (
        "hierarchy.json", "has no 'acronym'",
    )),
    Bad("hierarchy-children", text(HIERARCHY, '{"id": 1, "acronym": "COL", "children": 5}'), (
        "hierarchy.json", "'children' | 'COL' | list",
    )),
    Bad("hierarchy-bad-id", text(HIERARCHY, '{"id": "x", "acronym": "COL", "children": []}'), (
        "hierarchy.json", "no 'id' | integer",
    )),
    Bad("hierarchy-huge-id", text(HIERARCHY, '{"id": 1e400, "acronym": "COL"}'), (
        "hierarchy.json", "no 'id' | integer",
    )),
    # YAML
    Bad("structure-missing", missing(STRUCTURE), (STRUCTURE, "does not exist")),
    Bad("structure-folder", folder(STRUCTURE), (STRUCTURE, "is a folder")),
    Bad("structure-empty", text(STRUCTURE, "# nothing\n"), (STRUCTURE, "empty")),
    Bad("structure-secret", secret(STRUCTURE), (STRUCTURE, "Permission denied"),
        humble=True),
    Bad("structure-endless-link", link(STRUCTURE, "region_structure.yaml"), (STRUCTURE,)),
    Bad("structure-utf16", text(STRUCTURE, "a: b".encode("utf-16")), (STRUCTURE, "not UTF-8")),
    Bad("structure-tab", text(STRUCTURE, "COL:\n\tlayers: []\n"), (
        "region_structure.yaml | YAML | line 2, column 1",
    )),
    Bad("structure-unclosed", text(STRUCTURE, "COL: {layers: [1, 2"), (
        "region_structure.yaml | YAML | line 1, column 20",
    )),
    Bad("structure-python-tag", text(STRUCTURE, "COL: !!python/object/apply:os.system [id]"), (
        "region_structure.yaml | YAML | line 1, column 6", "python/object/apply",
    )),
    Bad("structure-own-tag", text(STRUCTURE, "COL: !secret x"), (
        "region_structure.yaml | YAML | line 1, column 6", "!secret",
    )),
    Bad("structure-laughs", text(STRUCTURE, LAUGHS), (STRUCTURE, "nested too deeply or too large")),
    Bad("structure-own-alias", text(STRUCTURE, "COL: &a\n  layers: *a\n"), (STRUCTURE,)),
    Bad("structure-merge-laughs", text(STRUCTURE, "a: &a {x: 1}\nCOL: {<<: [*a, *a], layers: 3}"), (
        STRUCTURE, "COL -> layers | list",
    )),
    Bad("structure-deep", text(STRUCTURE, "COL: " + "[" * 400 + "]" * 400), (
        STRUCTURE, "nested too deeply",
    )),
    Bad("structure-key-twice", text(STRUCTURE, "COL: {}\nCOL: {}\n"), (
        "region_structure.yaml | YAML | line 2, column 1 | 'COL' | twice",
    )),
    Bad("structure-list-as-key", text(STRUCTURE, "? [1, 2]\n: x\n"), (STRUCTURE, "line 1")),
    Bad("structure-list", text(STRUCTURE, "- COL\n"), (STRUCTURE, "expected an object")),
    Bad("structure-number-as-region", text(STRUCTURE, "7: {layers: []}\n"), (
        STRUCTURE, "name of a region | text",
    )),
    Bad("structure-binary", text(STRUCTURE, bytes(range(256))), (STRUCTURE,)),
    Bad("structure-two-documents", text(STRUCTURE, "COL: {}\n---\nX: {}\n"), (
        STRUCTURE, "line 2, column 1",
    )),
    # The table of reconstructions and what goes with it
    Bad("dat-missing", missing("neurondb.dat"), ("neurondb.dat | does not exist",),
        "calibration"),
    Bad("dat-folder", folder("neurondb.dat"), ("neurondb.dat", "is a folder"), "calibration"),
    Bad("dat-secret", secret("neurondb.dat"), ("neurondb.dat", "Permission denied"),
        "calibration", humble=True),
    Bad("dat-empty", text("neurondb.dat", ""), ("neurondb.dat | no morphology",),
        "calibration"),
    Bad("dat-columns", text("neurondb.dat", "pc_0 5 A\npc_1 5\n"), (
        "neurondb.dat, line 2 | 2 of 3 columns",
    ), "calibration"),
    Bad("dat-absent", text("neurondb.dat", "pc_0 5 A\npc_9 5 A\n"), (
        "neurondb.dat, line 2 | no cells/pc_9.h5 | A", "Did you mean",
    ), "calibration"),
    Bad("dat-twice", text("neurondb.dat", "pc_0 5 A\npc_0 5 B\n"), (
        "neurondb.dat, line 2 | 'pc_0' | B | line 1 | A",
    ), "calibration"),
    Bad("dat-outside", text("neurondb.dat", "../../pc_0 5 A\n"), (
        "neurondb.dat, line 1 | '../../pc_0' | out of the folder",
    ), "calibration"),
    Bad("dat-absolute", text("neurondb.dat", "/etc/passwd 5 A\n"), (
        "neurondb.dat, line 1 | '/etc/passwd' | out of the folder",
    ), "calibration"),
    Bad("dat-latin1", text("neurondb.dat", "pc_0 5 \u00e9t\u00e9\n".encode("latin-1")), (
        "neurondb.dat, line 1 | UTF-8",
    ), "calibration"),
    Bad("dat-zeros", text("neurondb.dat", b"pc_0 5 A\n" + b"\0" * 100), (
        "neurondb.dat, line 2 | NUL",
    ), "calibration"),
    Bad("dat-many-absent", text("neurondb.dat", "".join(f"x{i} 1 A\n" for i in range(300))), (
        "there is no cells/x0.h5", "299 more | absent",
    ), "calibration"),
    Bad("reconstructions-missing", missing("cells"), (
        "cells | does not exist",
    ), "calibration"),
    Bad("reconstructions-file", file("cells"), (
        "cells | folder | file",
    ), "calibration"),
    Bad("reconstructions-extension", options(morphologies_ext="swc"), (
        "there is no cells/pc_0.swc", "There is pc_0.h5",
    ), "calibration"),
    Bad("reconstructions-linked-away", link("cells/pc_0.h5", "/nowhere/pc_0.h5"), (
        "cells/pc_0.h5", "pc_0",
    ), "calibration"),
    Bad("overrides-missing", options(overrides="absent.yaml"), ("absent.yaml", "does not exist"),
        "calibration"),
    Bad("overrides-list", both(text("o.yaml", "- 1\n"), options(overrides="o.yaml")), ("o.yaml",),
        "calibration"),
    Bad("overrides-of-unknown-mtype", both(
        text("o.yaml", "L5_PC:X: {basal_dendrite: {randomness: 0.1}}\n"),
        options(overrides="o.yaml"),
    ), ("L5_PC:X",), "calibration"),
    Bad("overrides-out-of-range", both(
        text("o.json", '{"L5_PC:A": {"basal_dendrite": {"randomness": 7}}}'),
        options(overrides="o.json"),
    ), ("randomness", "7"), "calibration"),
    Bad("diametrizer-unknown-model", both(
        text("d.json", '{"models": ["wild"], "neurite_types": ["basal_dendrite"]}'),
        options(diametrizer_config="d.json"),
    ), ("wild",), "calibration"),
    Bad("layers-of-the-parameters", structure("layers", value=[1, 2, 3, 4]), (
        "thickness | layer 4",
    )),
]  # fmt: skip
