"""The table of all bad inputs."""

from helpers.bad.documents import DOCUMENTS
from helpers.bad.growth import GROWTH
from helpers.bad.places import PLACES
from helpers.bad.space import SPACE
from helpers.bad.tables import TABLES

CASES = [*DOCUMENTS, *TABLES, *SPACE, *GROWTH, *PLACES]
BY_NAME = {case.name: case for case in CASES}
