"""A worker module for tests: the real worker with cells that behave badly on request.

Its settings: {"folder", "seconds" a cell, "odd": {row: behavior}, "journal": a file that gets one
line each time a cell is begun, "salt": part of the digests}.
"""

import hashlib
import os
import sys
import time
import types
import zlib
from pathlib import Path
from types import MappingProxyType

from helpers.odd_behaviors import hang, kill, loop, note, segfault
from region_grower_flow.errors import InvalidInput, OutputFailed
from region_grower_flow.io.atomic import write_bytes_atomic


class FakeSettings(dict):
    """Settings that read no files."""

    sources, source_folders = MappingProxyType({}), ()


class FakeSynthesizer:
    def __init__(self, settings):
        self.settings = FakeSettings(settings)
        self.odd = {int(row): how for row, how in settings.get("odd", {}).items()}
        if settings.get("unreadable"):
            raise InvalidInput("the parameters cannot be read", where="parameters.json")
        if settings.get("broken"):
            raise RuntimeError("a broken installation")
        if settings.get("stuck"):
            time.sleep(1000)

    def warm_up(self):
        pass

    def cost(self, row):
        return 1.0 + row % 7

    def digest(self, row):
        return hashlib.sha256(f"{row} {self.settings.get('salt')}".encode()).hexdigest()[:32]

    def synthesize(self, row):
        self._journal(row)
        time.sleep(self.settings.get("seconds", 0))
        if row in self.odd:
            BEHAVIORS[self.odd[row]]()
        content = f"cell {row}".encode()
        write_bytes_atomic(Path(self.settings["folder"]) / f"{row}.txt", content)
        files = {"txt": [len(content), zlib.crc32(content)]}
        return self._record(row, "made", None, files)

    def drop(self, row, reason):
        return self._record(row, "dropped", reason, {})

    def _record(self, row, status, reason, files):
        record = {"row": row, "digest": self.digest(row), "name": str(row), "status": status}
        record["padding"] = "x" * self.settings.get("padding", 0)
        return {**record, "reason": reason, "attempts": 1, "files": files}

    def _journal(self, row):
        if self.settings.get("journal"):
            note(self.settings["journal"], row)


def fail():
    raise ValueError("an odd cell")


def disk_full():
    raise OutputFailed("The disk is full (pretended).")


def interrupt():
    raise KeyboardInterrupt


def leave():
    os._exit(0)


BEHAVIORS = {f.__name__: f for f in (kill, segfault, hang, loop, fail, disk_full, interrupt, leave)}


def fake_synthesis():
    module = types.ModuleType("region_grower_flow.cell.synthesis")
    module.open_synthesizer = FakeSynthesizer
    return module


if __name__ == "__main__":
    sys.modules["region_grower_flow.cell.synthesis"] = fake_synthesis()
    from region_grower_flow.runtime import worker

    sys.exit(worker.main())
