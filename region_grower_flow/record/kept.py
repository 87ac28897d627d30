"""Results of parts of a stage, kept beside it: used again for the same inputs, and only when whole.

A file holds the fingerprint of all that the result depends on, the result, and its checksum: what
was edited, cut or damaged is made again.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from region_grower_flow.io.atomic import PathLike, write_json_atomic


def write_kept(path: PathLike, fingerprint: str, result: Any) -> None:
    """Keep a result (JSON, which may hold NaN) at a path; raises OutputFailed."""
    content = {"fingerprint": fingerprint, "checksum": _checksum(result), "result": result}
    write_json_atomic(path, content, allow_nan=True, indent=None)


def read_kept(path: PathLike, fingerprint: str) -> Any:
    """The result kept at a path for a fingerprint; None: there is none, or it is damaged."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        result = content["result"]
        known = content["fingerprint"], content["checksum"]
        return result if known == (fingerprint, _checksum(result)) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _checksum(result: Any) -> str:
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
