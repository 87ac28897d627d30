"""The table of a chunk's results: the records of its cells, as JSON Lines."""

import json
from pathlib import Path

from region_grower_flow.io.atomic import atomic_write, make_folder


def write_records(path, records):
    """Write records as JSON Lines, atomically."""
    path = Path(path)
    make_folder(path.parent)
    with (
        atomic_write(path, durable=True) as temporary,
        open(temporary, "w", encoding="utf-8") as file,
    ):
        for record in records:
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def read_records(path):
    """Iterate over the records of a table of results; a damaged line ends it."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
