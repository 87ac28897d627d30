"""Grows cells with region-grower in one process, a round for each line of its input.

Run by the reference's own Python, which has none of this project's packages::

    PYTHON reference_cells.py REQUEST.json

The request holds ``keywords`` (of ``region_grower.synthesize_morphologies.SynthesizeMorphologies``)
and ``rows`` (of the cells to grow). Each line of the input starts a round; each answer is a line of
JSON with the seconds of CPU of each cell, those of them that the system took for all cells, and how
many different cells were made.
"""

import json
import resource
import sys
import time
from pathlib import Path


def main(path):
    """Prepare once, then grow the cells for each line that is read."""
    with open(path, encoding="utf-8") as file:
        request = json.load(file)
    answers = sys.stdout
    sys.stdout = sys.stderr
    calls = prepare(request["keywords"], request["rows"])
    answer(answers, ready=True)
    for _ in sys.stdin:
        for written in Path(request["keywords"]["out_morph_dir"]).glob("*.h5"):
            written.unlink()  # to replace a file is dearer than to make one
        seconds, names, system = [], set(), system_seconds()
        for grow in calls:
            start = time.process_time()
            made = grow()
            seconds.append(time.process_time() - start)
            names.add(made["name"])
        system = system_seconds() - system
        answer(answers, seconds=seconds, system=system, made=len(names - {None}))


def system_seconds():
    """CPU seconds that the system has spent for this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_stime


def answer(file, **values):
    """Write one line."""
    file.write(json.dumps(values) + "\n")
    file.flush()


def prepare(keywords, rows):
    """Functions of no argument that grow one cell each, as region-grower itself would."""
    from region_grower import synthesize_morphologies as module

    run = module.SynthesizeMorphologies(**keywords, overwrite=True, nb_processes=0)
    grow, found = module._parallel_wrapper, {}

    def note(row, **values):
        # A copy: pandas uses one object for all rows, and all calls would grow the same cell.
        found[int(row["index"])] = (row.copy(), values)
        return module.pd.Series(dict.fromkeys(run.NEW_COLUMNS))

    module._parallel_wrapper = note
    run.compute()
    module._parallel_wrapper = grow
    chosen = [found[row] for row in rows if row in found]
    return [lambda row=row, values=values: grow(row, **values) for row, values in chosen]


if __name__ == "__main__":
    main(sys.argv[1])
