"""neuronDB XML: a ``neurondb`` element, in it ``listing``, in it a ``morphology`` per cell.

Of a morphology these elements are read: ``name``, ``mtype``, ``msubtype``, ``layer``, and of its
``repair``: ``use_axon``, ``use_dendrites`` (empty or absent: true). The subtype is put behind the
mtype with a colon, as in morph_tool.morphdb. Namespaces are passed over.
"""

from xml.parsers import expat

from region_grower_flow.calibration.tables import make_row
from region_grower_flow.errors import InvalidInput

MORPHOLOGY = ["neurondb", "listing", "morphology"]
FIELDS = ("name", "mtype", "msubtype", "layer", "use_axon", "use_dendrites")
GROUP = "repair"
SUBTYPE = ":"


def parse_xml(text, where):
    """Parse neuronDB XML.

    A document type is refused, and with it every entity: such a file could name other files, or
    grow without bound.

    Returns:
        (rows, problems): list of Row and list of InvalidInput.
    """
    listing = _Listing(where)
    try:
        listing.parse(text)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        place = f"{where}, line {error.lineno}"
        return listing.rows, [*listing.problems, InvalidInput(f"not XML: {reason}", place)]
    except _Refused as error:
        return [], [InvalidInput(str(error), f"{where}, line {error.line}")]
    if not listing.rows and not listing.problems:
        problem = f"no morphology is named, expected elements {'/'.join(MORPHOLOGY)}"
        listing.problems.append(InvalidInput(problem, where))
    return listing.rows, listing.problems


class _Refused(Exception):
    def __init__(self, line):
        self.line = line
        super().__init__("a document type or entities are declared, which a table does not need")


class _Listing:
    """What the parser calls, and what it has found."""

    def __init__(self, where):
        self.rows, self.problems = [], []
        self._where, self._open, self._entry, self._line = where, [], None, 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._parser.buffer_text = True

    def parse(self, text):
        self._parser.Parse(text, True)

    def _refuse(self, *_):
        raise _Refused(self._parser.CurrentLineNumber)

    def _start(self, name, _attributes):
        self._open.append(name.rpartition(":")[2])
        if self._open == MORPHOLOGY:
            self._entry, self._line = {}, self._parser.CurrentLineNumber
            return
        field = self._field()
        if field and field in self._entry:
            problem = f"{field} is there twice in one morphology"
            place = f"{self._where}, line {self._parser.CurrentLineNumber}"
            self.problems.append(InvalidInput(problem, place))
        if field:
            self._entry[field] = ""

    def _field(self):
        """The field whose element is open, or None."""
        inner = self._open[len(MORPHOLOGY) :]
        if self._entry is None or not inner or inner[-1] not in FIELDS:
            return None
        return inner[-1] if len(inner) == 1 or (len(inner) == 2 and inner[0] == GROUP) else None

    def _characters(self, text):
        field = self._field()
        if field:
            self._entry[field] += text

    def _end(self, _name):
        if self._open == MORPHOLOGY:
            entry = {field: text.strip() for field, text in self._entry.items()}
            if entry.get("mtype") and entry.get("msubtype"):
                entry["mtype"] += SUBTYPE + entry["msubtype"]
            # An empty <morphology/> names none: as morph-tool does, it is passed over.
            if entry:
                row, wrong = make_row(entry, self._line, self._where)
                self.rows += [row] if row else []
                self.problems += wrong
            self._entry = None
        self._open.pop()
