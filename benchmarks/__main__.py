"""The command: ``python -m benchmarks [compute|runs|extraction|levers|judge|all]``."""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks import compute, extraction, judge, levers, report, runs, scenarios

PARTS = ("compute", "runs", "extraction")
LEVERS, JUDGE = "levers", "judge"
"""Need sets of reconstructions, and so are no parts of ``all``; JUDGE is about likeness."""


def main(arguments=None):
    """Measure, print tables, and write the figures."""
    options = parse(arguments)
    figures = {"machine": report.machine()}
    say(f"{figures['machine']}")
    if options.scratch:
        options.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=options.scratch) as scratch:
        for part in PARTS if options.part == "all" else [options.part]:
            figures[part] = MEASURES[part](options, Path(scratch))
            report.write_json(options.json, figures)
    figures["machine after"] = report.machine()
    report.write_json(options.json, figures)
    say(f"All figures: {options.json}")


def parse(arguments):
    """The options of the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("part", nargs="?", default="all", choices=[*PARTS, LEVERS, JUDGE, "all"])
    add("--reference", default=os.environ.get("REFERENCE_PYTHON"), metavar="PYTHON")
    add("--golden", type=Path, help="folder of the scenarios (default: ../shared/golden)")
    add("--scenarios", nargs="*", default=scenarios.NAMES, metavar="NAME")
    add("--more", nargs="*", default=(), metavar="FOLDER", help="further scenarios")
    add("--rounds", type=int, default=3)
    add("--cells", type=int, default=20, help="cells of a scenario that are raced (compute)")
    add("--skip-write", action="store_true", help="write no morphologies (compute)")
    add("--sizes", type=int, nargs="*", default=[100, 400, 1000, 10_000], help="of whole runs")
    add("--large", type=int, nargs="*", default=[1000, 10_000, 100_000], help="runs of small cells")
    add("--finished", type=int, default=1_000_000, help="cells of a run with nothing to do")
    add("--scaling", type=int, default=10_000, help="cells of the runs with 1 and more workers")
    add("--workers", type=int, default=4)
    add("--budget", type=float, default=600.0, help="seconds of the reference's longest run")
    add("--reconstructions", type=Path, help="real cells (default: in ../shared/realdata)")
    add("--data", type=Path, default=scenarios.BESIDE / "realdata", help="sets of cells (judge)")
    add("--populations", nargs="*", choices=judge.POPULATIONS, help="(judge; default: all)")
    add("--splits", type=int, nargs="*", default=[0, 1], help="seeds of the halves (judge)")
    add("--modes", nargs="*", default=["none"], help="growth_calibration (judge)")
    add("--option", action="append", default=[], help="a word for SynthesizeVacuum (judge)")
    add("--json", type=Path, default=Path("benchmarks.json"))
    add("--scratch", type=Path, help="folder for everything that is written meanwhile")
    return parser.parse_args(arguments)


def measure_compute(options, scratch):
    """Race all scenarios."""
    found = scenarios.find_scenarios(options.scenarios, options.more, options.golden, scratch)
    results = []
    for scenario in found:
        results.append(
            compute.race(
                scenario,
                scratch / f"compute_{scenario.name}",
                options.reference,
                options.rounds,
                options.cells,
                options.skip_write,
            )
        )
        say("", *report.compute_lines(results[-1:]), *report.function_lines(results[-1]))
    say("", *report.compute_lines(results), "", *report.profile_lines(results))
    return results


def measure_runs(options, scratch):
    """Whole runs of many sizes, and those with nothing to do."""
    (scenario,) = scenarios.find_scenarios(["plain"], (), options.golden, scratch)[:1]
    figures = runs.measure(scenario, options, scratch, say)
    return figures


def measure_extraction(options, scratch):
    """The extraction of distributions from real reconstructions."""
    return extraction.measure(options, scratch, say)


def measure_levers(options, scratch):
    """The cost of growth with levers."""
    return levers.measure(options, scratch, say)


def measure_judge(options, scratch):
    """Cells grown from one half of reconstructions against the other half."""
    return judge.measure(options, scratch, say)


MEASURES = {
    "compute": measure_compute,
    "runs": measure_runs,
    "extraction": measure_extraction,
    LEVERS: measure_levers,
    JUDGE: measure_judge,
}


def say(*lines):
    """Print at once: a race takes minutes."""
    print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    main()
