"""Names of files, columns, datasets and units: the home of every literal that modules share."""

import os
import re
from pathlib import Path

# Files of an atlas folder (voxcell's names; "PH" are the placement hints, in um along the
# principal axis, their last dimension is (bottom, top) of the layer).
BRAIN_REGIONS = "brain_regions"
ORIENTATION = "orientation"
HIERARCHY = "hierarchy.json"
PRINCIPAL_AXIS = "[PH]y"
TERRITORIES = "glomerular_territories"


def layer_hint(layer: int | str) -> str:
    """The atlas dataset that holds the bottom and top of ``layer`` (int or name)."""
    return f"[PH]{layer}"


# Regions of parameters and distributions: what serves every region without an entry of its own.
DEFAULT_REGION = "default"

# The region structure, where no other is named.
REGION_STRUCTURE = "region_structure.yaml"

# Extensions of morphology files, with and without their dot.
MORPHOLOGY_EXTENSIONS = ("h5", "swc", "asc")
NEURON_EXTENSIONS = ("asc", "swc")
"""Formats that NEURON imports."""
CELL_EXTENSIONS = (".h5", ".mvd3")

# Frames of reconstructions: as they are, with the soma at the origin, and also turned upright.
AS_GIVEN, CENTER, ORIENT = "as_given", "center", "center_and_orient"
MORPHOLOGY_FRAMES = (AS_GIVEN, CENTER, ORIENT)

# Files of the work folder (everything below it can be made again).
MANIFESTS = "manifests"
LISTING = "morphologies.txt"
CLAIM = "container.txt"
"""File among the manifests that says which container the work folder writes."""
LOGS = "logs"
LUIGI_LOG = "luigi.log"
"""Luigi's own log, among those of the stages."""
LOCKS = "locks"
BLOCKS = "blocks"
CHUNKS = "chunks"
MORPHOLOGIES = "morphologies"
SHARDS, SHARD = "shards", ".shard"
"""Folder of the cells that are in no file of their own, a folder a chunk, and the extension."""
CELL_TABLE = "cells.h5"
UNPACKED_ORIENTATION = "orientation_unpacked.nrrd"
"""The atlas's orientations where directions act and they are large: processes share its memory."""
DISTRIBUTIONS = "tmd_distributions.json"
PARAMETERS = "tmd_parameters.json"
PREPARED = "prepared_reconstructions"
DIAGNOSIS = "calibration_diagnosis.json"
DIAGNOSIS_TABLE = "calibration_diagnosis.csv"
GENERATED_PARAMETERS = "tmd_parameters_generated.json"
CALIBRATED_PARAMETERS = "tmd_parameters_calibrated.json"
GROWTH_CALIBRATION = "growth_calibration.json"
GROWTH_PAGE = "growth_calibration.html"
DISTRIBUTIONS_KEPT = "extracted"
"""Folder of the distributions of single mtypes."""
GROWTH_KEPT = "growth_calibration"
"""Folder of the calibrations of single mtypes."""
MODELS = "models"
"""Folder of the parameters and distributions of Python's models, a folder each."""
TRUNK_FITS = "trunk_fits.json"
PATH_FITS = "path_distance_fits.json"
DIGESTS = "digests.json"
NUMBA_CACHE = "numba_cache"
JOBS = "jobs"
"""Folder of what jobs of a scheduler need and leave; beside blocks, of what launches of MPI do."""
VACUUM, VACUUM_WORK = "vacuum", "vacuum_work"
"""Cells grown without an atlas, and what is kept to make them again."""
VACUUM_INDEX, VACUUM_NODES, VACUUM_SUMMARY = "index.csv", "nodes.h5", "summary.json"
VACUUM_TABLES = (VACUUM_INDEX, VACUUM_NODES, "nodes_ids.csv", VACUUM_SUMMARY)
"""Files beside the folders of the mtypes that are grown without an atlas."""
HOLDOUT_WORK = "holdout"
"""The work folder of the cells that a validation grows from one half of the reconstructions."""

CHUNK_LOG, LAUNCHER_LOG = "chunk.log", "launcher.log"
"""Logs of a chunk, beside those of its ranks: of its stage, and of the launch command."""
CRASHES = "crashes.json"
"""File beside the blocks of a chunk: cells that brought their process down."""
PIECES, SUBMITTED, BATCH_SCRIPT = "pieces.json", "submitted.json", "array.sh"
"""Files of the jobs of a scheduler: the pieces of a run, the jobs that have them, their script."""
RECORDS = ".jsonl"
"""Extension of records of cells: blocks, and the tables of chunks."""


def chunk_name(first: int, last: int) -> str:
    """The name of the chunk of cells ``first`` to ``last - 1`` in files and folders."""
    return f"cells_{first:09d}-{last:09d}"


def chunk_range(name: str) -> tuple[int, int] | None:
    """(first, last) of a file or folder that :func:`chunk_name` names; None for any other."""
    match = _CHUNK.fullmatch(name.removesuffix(RECORDS))
    return match and (int(match[1]), int(match[2]))


def manifest_name(label: str) -> str:
    """The name of the manifest of a stage with this label."""
    return f"{label}.json"


def lock_name(label: str) -> str:
    """The name of the lock of a stage with this label."""
    return f"{label}.lock"


def stage_log(label: str) -> str:
    """The name of the log of a stage with this label."""
    return f"{label}.log"


def kept_name(digest: str) -> str:
    """The name of what is kept of a single mtype, by a digest of what it is of."""
    return f"{digest[:20]}.json"


def rank_log(rank: int) -> str:
    """The name of the log of a rank."""
    return f"rank-{rank:04d}.log"


def job_log(number: int | str) -> str:
    """The name of the log of a piece's jobs; ``%a`` is Slurm's own word for the number."""
    return f"job-{number}.log"


_CHUNK = re.compile(r"cells_(\d+)-(\d+)")
SHARD_NAME = re.compile(rf"[0-9a-f]{{16}}{re.escape(SHARD)}")
"""Names of the files of shards, below the folder of their chunk."""
_KINDS = f"({'|'.join(MORPHOLOGY_EXTENSIONS)})"
_OF_CHUNK = r"cells_[\d-]+"
_LOGS_OF_CHUNK = rf"{_OF_CHUNK}/(launcher|rank-\d+)\.log"
_BLOCKS_OF_CHUNK = rf"{_OF_CHUNK}/({JOBS}/[^/]+|{re.escape(CRASHES)}|[^/]+{re.escape(RECORDS)})"
_TABLE_OF_CHUNK = rf"{_OF_CHUNK}{re.escape(RECORDS)}"

SYNTHESIZED = re.compile(rf"(hashed/([0-9a-f]{{2}}/)*)?[0-9a-f]{{32}}\.{_KINDS}")
"""Names of synthesized morphologies, below their folder."""

WORK_FILES = {
    MANIFESTS: re.compile(
        rf"\w+(-\d+)?\.json|morphologies(-[0-9a-f]{{8}})?\.txt|{re.escape(CLAIM)}"
    ),
    LOCKS: re.compile(r"\w+(-\d+)?\.lock"),
    LOGS: re.compile(rf"\w+\.log|{_OF_CHUNK}/{re.escape(CHUNK_LOG)}|{_LOGS_OF_CHUNK}"),
    BLOCKS: re.compile(_BLOCKS_OF_CHUNK),
    CHUNKS: re.compile(_TABLE_OF_CHUNK),
    JOBS: re.compile(
        rf"{'|'.join(map(re.escape, (PIECES, SUBMITTED, BATCH_SCRIPT)))}|job-\d+\.log"
    ),
    MORPHOLOGIES: SYNTHESIZED,
    SHARDS: re.compile(rf"{_OF_CHUNK}/{SHARD_NAME.pattern}"),
    PREPARED: re.compile(rf".+\.{_KINDS}"),
    DISTRIBUTIONS_KEPT: re.compile(r"[0-9a-f]{20}\.json"),
    GROWTH_KEPT: re.compile(r"[0-9a-f]{20}\.json"),
    MODELS: re.compile(rf"[0-9a-f]{{20}}/({re.escape(PARAMETERS)}|{re.escape(DISTRIBUTIONS)})"),
    # Its listing stays: it knows the cells without an atlas for ours, which may be replaced.
    VACUUM_WORK: re.compile(
        rf"{re.escape(CELL_TABLE)}|{LOGS}/{_LOGS_OF_CHUNK}|{BLOCKS}/{_BLOCKS_OF_CHUNK}"
        rf"|{CHUNKS}/{_TABLE_OF_CHUNK}|{MORPHOLOGIES}/[0-9a-f]{{32}}\.{_KINDS}"
    ),
}
"""{folder of the work folder: names of the package's files in it}."""

GENERATED = (
    DISTRIBUTIONS,
    PARAMETERS,
    GENERATED_PARAMETERS,
    CALIBRATED_PARAMETERS,
    GROWTH_CALIBRATION,
    GROWTH_PAGE,
    TRUNK_FITS,
    PATH_FITS,
    DIAGNOSIS,
    DIAGNOSIS_TABLE,
)
"""Files of the work folder that hold what is made of the reconstructions."""

OF_ATLAS = (CELL_TABLE, UNPACKED_ORIENTATION)
"""Files of the work folder that hold what is made of the atlas."""

WORK_NAMES = (*WORK_FILES, *GENERATED, *OF_ATLAS, DIGESTS, NUMBA_CACHE, HOLDOUT_WORK)
"""Names of all files and folders that the flow itself keeps in the work folder."""

# Outputs of placement, where no other file is named.
PLACED_CELLS = "placed_cells.h5"
PLANES = "planes.json"
SLICED_CELLS = "sliced_cells.h5"
CHOSEN_AXONS = "axons.tsv"

# Datasets of the cell table.
CELL_TABLE_VERSION = 3

# Morphology names: the reference derives them from the cell's seed.
MAX_SEED = 1 << 32
MAX_ATTEMPTS = 10
"""Growth attempts of a cell before it is dropped (region-grower's constant)."""

# Status of a cell in the results.
MADE, DROPPED = "made", "dropped"

# Units: all lengths are um, angles rad unless a name says deg.


def id_map_path(out_cells: str | os.PathLike[str]) -> Path:
    """Path of the table from input ids to output ids: beside the cells."""
    path = Path(out_cells)
    return path.with_name(f"{path.stem}_ids.csv")


def summary_path(out_cells: str | os.PathLike[str]) -> Path:
    """Path of the summary of a synthesis where none is named: beside the cells."""
    path = Path(out_cells)
    return path.with_name(f"{path.stem}_summary.json")


def vacuum_listing(work: str | os.PathLike[str]) -> Path:
    """Path of the listing of the morphologies that were placed without an atlas."""
    return Path(work) / LISTING
