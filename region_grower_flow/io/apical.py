"""The YAML files of apical points and of NEURON's apical sections.

The same bytes as ``yaml.dump`` of the same mapping (keys sorted), written directly: the dumper
takes minutes for a million cells.
"""

import re

from region_grower_flow.io.atomic import write_text_atomic

# Names made of seeds, with a letter that no YAML number holds: they need no quotes.
_PLAIN = re.compile(r"(?=.*[acdfh])(?:hashed/(?:[0-9a-f]{2}/)*)?[0-9a-f]{32}")


def write_apical_points(path, points):
    """Write the first apical point of each cell.

    Args:
        path: the file to write (atomically).
        points: {morphology name: (3,) coordinates in um, or None}. As in region-grower, cells
            without an apical point are there with null and dropped cells are not there.

    Raises:
        OutputFailed: the file cannot be written.
    """
    _write(path, points, lambda point: [float(value) for value in point], _number)


def write_apical_nrn_sections(path, sections):
    """Write, for each cell, the index of NEURON's section ``apic[i]`` of each apical point.

    Args:
        path: the file to write (atomically).
        sections: {morphology name: list of int or None (no such section)}.

    Raises:
        OutputFailed: the file cannot be written.
    """
    _write(path, sections, list, lambda section: "null" if section is None else str(section))


def _write(path, values, as_list, as_text):
    pieces = []
    for name in sorted(values):
        items = None if values[name] is None else as_list(values[name])
        if not _PLAIN.fullmatch(name):
            pieces.append(_dumped(name, items))
        elif items:
            pieces.append(f"{name}:\n" + "".join(f"- {as_text(item)}\n" for item in items))
        else:
            pieces.append(f"{name}: {'null' if items is None else '[]'}\n")
    write_text_atomic(path, "".join(pieces) or "{}\n")


def _dumped(name, items):
    import yaml

    return yaml.safe_dump({name: items}, allow_unicode=True)


def _number(value):
    """A float as YAML 1.1 needs it: 1e-07 without a point would be read as text."""
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[repr(value)]
    text = repr(value)
    return text if "." in text or "e" not in text else text.replace("e", ".0e", 1)
