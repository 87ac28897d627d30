"""XML files that people write, without document types: an entity could name other files."""

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from region_grower_flow.errors import InvalidInput

LINE = "{region_grower_flow}line"
"""Attribute of every element that was read: the line of its start, from 1."""


def parse_xml(text: str, where: object) -> Element:
    """Parse XML; names lose their namespaces.

    Returns:
        The root element, as of :mod:`xml.etree.ElementTree`; ``element.get(LINE)`` is its line.

    Raises:
        InvalidInput: not XML, or a document type is declared, and with it perhaps entities, which
            could name other files or grow without bound.
    """
    parser, builder = expat.ParserCreate(), TreeBuilder()

    def start(name: str, attributes: dict[str, str]) -> None:
        builder.start(name.rpartition(":")[2], {**attributes, LINE: str(parser.CurrentLineNumber)})

    def refuse(*_: object) -> None:
        problem = "a document type or entities are declared, which this file does not need"
        raise InvalidInput(problem, f"{where}, line {parser.CurrentLineNumber}")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: builder.end(name.rpartition(":")[2])
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise InvalidInput(f"not XML: {reason}", f"{where}, line {error.lineno}") from error
    return builder.close()
