"""The table of all bad inputs."""

from bad_documents import DOCUMENTS
from bad_growth import GROWTH
from bad_places import PLACES
from bad_space import SPACE
from bad_tables import TABLES

CASES = [*DOCUMENTS, *TABLES, *SPACE, *GROWTH, *PLACES]
BY_NAME = {case.name: case for case in CASES}
