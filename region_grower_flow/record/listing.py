"""The listing of placed morphologies: which files of a folder are ours, and how they were written.

A text file: a first line with the folder (JSON, as seen from the listing), then a line per file:
its path below the folder, size, CRC-32 of its content, time of change, with tabs between.
"""

import json
import multiprocessing
import os
import sys
from pathlib import Path

from region_grower_flow.io.atomic import make_folder, write_text_atomic

FILES_PER_PROCESS = 100_000
"""Files that one process looks at; more are shared between processes."""


def write_listing(path, folder, files):
    """Write the listing.

    Args:
        path: of the listing.
        folder: that holds the morphologies.
        files: {path below the folder: (size, crc32)}; sizes and contents of what a run intends to
            write. The time of change is added for files that exist.
    """
    make_folder(Path(path).parent)
    lines = [json.dumps(_seen_from(path, folder))]
    times = {name: stat.st_mtime_ns for name, stat in scan(folder, files)}
    for name, (size, crc32) in sorted(files.items()):
        lines.append(f"{name}\t{size}\t{crc32}\t{times.get(name, 0)}")
    write_text_atomic(path, "\n".join([*lines, ""]))


def read_listing(path, folder):
    """{path below the folder: (size, crc32, mtime_ns)} of a listing; empty when there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            if json.loads(file.readline()) != _seen_from(path, folder):
                return {}
            files = {}
            for line in file:
                name, size, crc32, changed = line.split("\t")
                files[name] = (int(size), int(crc32), int(changed))
            return files
    except (OSError, ValueError):
        return {}


def read_folder(path):
    """The folder of a listing's files, resolved; None when there is no listing."""
    try:
        with open(path, encoding="utf-8") as file:
            return Path(path).parent.joinpath(json.loads(file.readline())).resolve()
    except (OSError, ValueError, TypeError):
        return None


def intact(path, folder):
    """Whether every file of the listing is in the folder as it was written.

    Size and time of change decide; where the time differs, the content.
    """
    files = list(read_listing(path, folder).items())
    parts = min(os.cpu_count() or 1, -(-len(files) // FILES_PER_PROCESS))
    if parts <= 1 or multiprocessing.current_process().daemon:
        return _are_intact(folder, files)
    # The time goes to the system, 5 us a file: a million is looked at by several processes.
    context = multiprocessing.get_context("fork")
    children = [
        context.Process(target=_exit_unless_intact, args=(folder, files[part::parts]))
        for part in range(parts)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return all(child.exitcode == 0 for child in children)


def _exit_unless_intact(folder, files):
    sys.exit(0 if _are_intact(folder, files) else 1)


def _are_intact(folder, files):
    from region_grower_flow.io.morphologies import check_file

    for name, (size, crc32, changed) in files:
        try:
            stat = os.stat(f"{folder}/{name}")
        except OSError:
            return False
        if stat.st_size != size:
            return False
        if stat.st_mtime_ns != changed and not check_file(Path(folder, name), size, crc32):
            return False
    return True


def _seen_from(path, folder):
    """The folder as seen from the listing: both may be moved together."""
    return os.path.relpath(os.path.abspath(folder), os.path.dirname(os.path.abspath(path)))


def scan(folder, names):
    """(name, stat) of those of ``names`` that exist; folders are listed, files not looked for."""
    folder = str(folder)
    # Everything here is done for each of a million files.
    parents = {name.rpartition("/")[0] for name in names}
    for parent in sorted(parents):
        prefix = f"{parent}/" if parent else ""
        try:
            with os.scandir(os.path.join(folder, parent)) as entries:
                for entry in entries:
                    name = prefix + entry.name
                    if name in names:
                        yield name, entry.stat()
        except OSError:
            continue
