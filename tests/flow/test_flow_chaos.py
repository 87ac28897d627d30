"""Files of the work and output folders are damaged at random: nothing wrong becomes a result.

Each damage is followed by a run. When it ends well its outputs are those of a clean run, byte for
byte; when it does not it says so in sentences, and the next run ends well, unless a folder that
holds something is in the place of a file.
"""

import os
import random
import re
import shutil
from collections import Counter

import pytest

from helpers.rich_flow import clean_outputs, differing, make_rich_flow, outputs_of, text_of
from region_grower_flow.record.blocks import block_name, write_block
from region_grower_flow.record.tables import whole_records

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("RGF_STRESS", "6"))
SERIES = os.environ.get("RGF_STRESS_SERIES", "0")
"""Names the damages: another series has others."""
SEEDS = 1, 2
IN_THE_WAY = {
    "folder": "a folder is in its place|is a folder, a file is expected|does not know",
    "link": "names the same file|where the flow keeps its own|would overwrite",
    "listing and manifest": "does not know",
}
"""Words on what may be somebody's and stays: folders that hold something, outputs that are links,
morphologies that have changed and that nothing names any more."""
DAMAGES = ("truncate", "zero", "flip", "remove", "swap", "link", "empty folder", "folder")


@pytest.fixture(scope="module")
def flow(tmp_path_factory, kernels):
    return make_rich_flow(tmp_path_factory.mktemp("chaos") / "flow")


@pytest.fixture(scope="module")
def expected(flow, tmp_path_factory):
    """{seed: what a clean run writes}."""
    found = {}
    for seed in SEEDS:
        flow.options["seed"] = seed
        found[seed] = clean_outputs(flow, tmp_path_factory.mktemp("clean") / "flow")
    return found


@pytest.mark.timeout(7200)
def test_random_damages(flow, expected, capsys):
    """RGF_STRESS says how many (6), RGF_STRESS_SERIES which."""
    chance = random.Random(f"chaos {SERIES}")
    run(flow)
    done, refused, faults, stay = Counter(), Counter(), [], set()
    for _ in range(ROUNDS):
        story = spoil(flow, chance)
        seed = flow.options["seed"] = chance.choice(SEEDS)
        done[story[0]] += 1
        stay |= {words for kind, words in IN_THE_WAY.items() if kind in story}
        said = judge(flow, expected[seed])
        if said is None:
            continue
        refused[story[0]] += 1
        again = judge(flow, expected[seed])
        # It may have come to nobody's notice until now.
        in_the_way = any(again is not None and re.search(words, again) for words in stay)
        if said.startswith("!") or (again is not None and not in_the_way):
            faults.append((story, seed, said, again))
        if again is not None:
            for name in ("work", "out"):
                shutil.rmtree(flow.path(name), ignore_errors=True)
            stay.clear()
            run(flow)
    if "RGF_STRESS" in os.environ:
        with capsys.disabled():
            told = ", ".join(f"{count} {kind}" for kind, count in sorted(done.items()))
            print(f"\n{ROUNDS} damages, series {SERIES} ({told}): {len(faults)} faults; ", end="")
            print(f"told in sentences at the first run after: {dict(refused)}")
    assert not faults, "\n".join(map(str, faults))


def run(flow):
    process = flow.luigi()
    assert process.returncode == 0, text_of(process)


def judge(flow, expected):
    """None when a run ends with the outputs of a clean one; else why not ("!": never right)."""
    process = flow.luigi()
    text = text_of(process)
    if "Traceback" in text:
        return "!a traceback: " + text[-2000:]
    if process.returncode != 0:
        return " ".join(line for line in text.splitlines() if "ERROR" in line)[:500] or text[-500:]
    found = differing(outputs_of(flow), expected)
    return f"!silently wrong: {found[:5]}" if found else None


def spoil(flow, chance):
    """Damage one file of the work or output folder, perhaps more; returns what was done."""
    if chance.random() < 0.15:
        unfinish(flow, chance)
    damage = chance.choice(DAMAGES)
    path = chance.choice(files_of(flow, chance))
    status = path.stat()
    name = path.relative_to(flow.folder).as_posix()
    kept = chance.random() < 0.5
    strike(path, damage, flow, chance)
    if kept and path.is_file():
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    also = chance.choice(["", "", "apical", "nodes", "morphologies", "listing and manifest"])
    forget(flow, also)
    return damage, name, "time kept" if kept else "", also


def files_of(flow, chance):
    """The files of one kind: each kind is as likely as any other."""
    kinds = {}
    for top in ("work", "out"):
        for path in sorted(flow.path(top).rglob("*")):
            whole = path.is_file() and not path.is_symlink()
            if whole and not path.name.startswith(".lock"):
                kinds.setdefault((path.parent, path.suffix), []).append(path)
    return chance.choice(list(kinds.values()))


def strike(path, damage, flow, chance):
    content = bytearray(path.read_bytes())
    beside = chance.random() < 0.5  # a new file in its place; else through all of its names
    if damage == "remove":
        path.unlink()
        return
    if damage == "link":
        other = chance.choice(files_of(flow, chance))
        path.unlink()
        path.symlink_to(other)  # perhaps to itself
        return
    if damage in ("empty folder", "folder"):
        path.unlink()
        path.mkdir()
        if damage == "folder":
            (path / "somebody's").write_text("x")
        return
    if damage == "truncate":
        del content[chance.randrange(len(content) + 1) :]
    elif damage == "zero":
        content = bytearray(len(content))
    elif damage == "flip" and content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif damage == "swap":
        other = chance.choice(files_of(flow, chance))
        content, mine = other.read_bytes(), bytes(content)
        write(other, mine, beside)
    write(path, content, beside)


def write(path, content, beside):
    if beside:
        path.unlink()
        path.write_bytes(content)
    else:
        with open(path, "r+b") as file:
            file.write(content)
            file.truncate()


def forget(flow, what):
    """Take something away, so that what was damaged is needed."""
    manifests = flow.path("work", "manifests")
    if what == "apical":
        _unlink(flow.path("out", "apical.yaml"))
    elif what == "nodes":
        _unlink(flow.path("out", "nodes.h5"))
    elif what == "morphologies":
        shutil.rmtree(flow.path("out", "morphologies"), ignore_errors=True)
    elif what == "listing and manifest":
        for path in [*manifests.glob("morph*.txt"), manifests / "SynthesizeMorphologies.json"]:
            _unlink(path)


def _unlink(path):
    if path.is_file() or path.is_symlink():
        path.unlink()


def unfinish(flow, chance):
    """Make one chunk look as a killed run leaves it: blocks, no table, no manifest."""
    tables = sorted(p for p in flow.path("work", "chunks").glob("*.jsonl") if p.is_file())
    if not tables:
        return
    table = chance.choice(tables)
    records, _ = whole_records(table)
    folder = flow.path("work", "blocks", table.stem)
    folder.mkdir(parents=True, exist_ok=True)
    for index, record in enumerate(records):
        write_block(folder, block_name("killed", index, record["row"]), [record])
    table.unlink()
