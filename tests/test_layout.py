"""Names of the work folder: those that are given are known again, and no others."""

import pytest

from region_grower_flow import layout


@pytest.mark.parametrize("suffix", ["", layout.RECORDS])
def test_the_range_of_a_chunk_is_read_from_its_name(suffix):
    assert layout.chunk_range(layout.chunk_name(4, 1_000_000_000) + suffix) == (4, 1_000_000_000)


@pytest.mark.parametrize("name", ["cells_1", "cells_1-2.json", "my_cells_1-2", "cells_1-2.jsonl~"])
def test_other_names_have_no_range(name):
    assert layout.chunk_range(name) is None


def test_files_that_the_package_names_are_its_own_and_similar_ones_are_not():
    chunk, logs = layout.chunk_name(0, 8), (layout.CHUNK_LOG, layout.LAUNCHER_LOG)
    names = {
        layout.LOGS: [
            layout.LUIGI_LOG,
            layout.stage_log("LoadAtlas"),
            *(f"{chunk}/{n}" for n in (layout.rank_log(12_345), *logs)),
        ],
        layout.BLOCKS: [f"{chunk}/{layout.CRASHES}", f"{chunk}/a{layout.RECORDS}"],
        layout.CHUNKS: [f"{chunk}{layout.RECORDS}"],
        layout.MANIFESTS: [layout.manifest_name("SynthesizeChunk_0-8"), layout.CLAIM],
        layout.LOCKS: [layout.lock_name("SynthesizeChunk_0-8")],
        layout.GROWTH_KEPT: [layout.kept_name("0123456789abcdef" * 4)],
        layout.JOBS: [layout.PIECES, layout.SUBMITTED, layout.BATCH_SCRIPT, layout.job_log(3)],
    }
    for folder, known in names.items():
        pattern = layout.WORK_FILES[folder]
        assert all(map(pattern.fullmatch, known)), folder
        assert not any(pattern.fullmatch(name.replace(".", "_")) for name in known)
        assert not any(pattern.fullmatch(f"mine/{name}") for name in known)
