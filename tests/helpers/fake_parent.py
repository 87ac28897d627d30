"""The Python process of a run, for tests that kill it: ``python fake_parent.py PLAN.json``."""

import json
import sys
from pathlib import Path

from helpers import fake_worker
from region_grower_flow.errors import FlowError
from region_grower_flow.options import Execution
from region_grower_flow.record.blocks import finished_records
from region_grower_flow.runtime.launcher import run_chunk
from region_grower_flow.runtime.plans import ChunkRun


def main(path):
    sys.modules["region_grower_flow.cell.synthesis"] = fake_worker.fake_synthesis()
    values = json.loads(Path(path).read_text())
    synthesizer = fake_worker.FakeSynthesizer(values["settings"])
    finished = finished_records(values["blocks_folder"])
    rows = [row for row in values["rows"] if (row, synthesizer.digest(row)) not in finished]
    values["execution"] = Execution.from_json(values["execution"])
    print("begins", len(rows), flush=True)
    try:
        run_chunk(ChunkRun(**{**values, "rows": rows}), worker_module="helpers.fake_worker")
    except FlowError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print("ends", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
