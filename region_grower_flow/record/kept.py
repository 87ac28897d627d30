"""Results of parts of a stage, kept beside it: used again for the same inputs, and only when whole.

A file holds the fingerprint of all that the result depends on, the result, and its checksum: what
was edited, cut or damaged is made again.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from region_grower_flow.io.atomic import write_json_atomic


@dataclass(frozen=True)
class Kept:
    """A task with the file that its result is kept in, for a process.

    Attributes:
        task: whatever the result is made from.
        path: of the file.
        fingerprint: of all that the result depends on.
    """

    task: Any
    path: Path
    fingerprint: str

    def write(self, result: Any) -> None:
        """Keep a result (JSON, which may hold NaN); raises OutputFailed."""
        content = {"fingerprint": self.fingerprint, "checksum": _checksum(result), "result": result}
        write_json_atomic(self.path, content, allow_nan=True, indent=None)

    def read(self) -> Any:
        """The result; None: there is none for this fingerprint, or it is damaged."""
        try:
            content = json.loads(Path(self.path).read_text(encoding="utf-8"))
            result = content["result"]
            known = content["fingerprint"], content["checksum"]
            return result if known == (self.fingerprint, _checksum(result)) else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None


def _checksum(result: Any) -> str:
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
