"""neuronDB XML: a ``neurondb`` element, in it ``listing``, in it a ``morphology`` per cell.

Of a morphology these elements are read: ``name``, ``mtype``, ``msubtype``, ``layer``, and of its
``repair``: ``use_axon``, ``use_dendrites`` (empty or absent: true). The subtype is put behind the
mtype with a colon, as in morph_tool.morphdb. Namespaces are passed over.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from region_grower_flow.calibration.rows import Row, make_row
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.xml import LINE, parse_xml

FIELDS = ("name", "mtype", "msubtype", "layer", "use_axon", "use_dendrites")
SUBTYPE = ":"


def parse_neurondb(text: str, where: object) -> tuple[list[Row], list[InvalidInput]]:
    """Parse neuronDB XML.

    Returns:
        (rows, problems): list of Row and list of InvalidInput.
    """
    try:
        root = parse_xml(text, where)
    except InvalidInput as error:
        return [], [error]
    rows: list[Row] = []
    problems: list[InvalidInput] = []
    for morphology in root.findall("listing/morphology") if root.tag == "neurondb" else []:
        entry = _entry(morphology, where, problems)
        # An empty <morphology/> names none: as morph-tool does, it is passed over.
        if entry:
            row, wrong = make_row(entry, int(morphology.get(LINE, "0")), where)
            rows += [row] if row else []
            problems += wrong
    if not rows and not problems:
        problem = "no morphology is named, expected elements neurondb/listing/morphology"
        problems.append(InvalidInput(problem, where))
    return rows, problems


def _entry(morphology: Element, where: object, problems: list[InvalidInput]) -> dict[str, str]:
    """{field: text} of a morphology."""
    entry = {}
    for element in [*morphology, *morphology.findall("repair/*")]:
        if element.tag in entry:
            problem = f"{element.tag} is there twice in one morphology"
            problems.append(InvalidInput(problem, f"{where}, line {element.get(LINE)}"))
        elif element.tag in FIELDS:
            entry[element.tag] = (element.text or "").strip()
    if entry.get("mtype") and entry.get("msubtype"):
        entry["mtype"] += SUBTYPE + entry["msubtype"]
    return entry
