"""Make the pictures of the site and the README from the example that ``make synthesize`` has grown.

``make pictures`` runs it in the checkout; the files are small and kept in docs/pictures.
"""

import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from region_grower_flow.report import style
from region_grower_flow.report.palette import looks
from region_grower_flow.report.run_page.gather import LOOKED_AT, section_of, upright_of
from region_grower_flow.report.run_page.mtypes import side_by_side
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.run_page import run_data
from region_grower_flow.validation.populations import read_references

FOLDER = Path(__file__).with_name("pictures")
WIDTH = 900
INK, PAPER = (31, 41, 51), (255, 255, 255)


def font(size):
    """The font of the figures, which matplotlib ships."""
    import matplotlib

    return ImageFont.truetype(
        str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size
    )


def save(picture, name):
    """Write a picture, no wider than needed."""
    picture.thumbnail((WIDTH, 2 * WIDTH))
    FOLDER.mkdir(exist_ok=True)
    picture.save(FOLDER / name, "webp", quality=78, method=6)
    print(FOLDER / name, (FOLDER / name).stat().st_size // 1000, "kB")


def bar(draw, size, share, words, letters):
    """A bar of length in the lower right corner."""
    width, height = size
    right, below = width * 0.97, height - width * 0.02
    left = right - width * share / 100
    draw.line([(left, below), (right, below)], fill=INK, width=max(width // 250, 3))
    draw.text((right, below - 6), words, fill=INK, font=letters, anchor="rd")


def slice_picture(section):
    """The slice with the words that the page places over it."""
    picture = Image.open(io.BytesIO(section.data)).convert("RGB")
    draw, (width, height) = ImageDraw.Draw(picture), picture.size
    letters = font(round(width / 38))
    for name, left, top in section.layers:
        place = (left * width / 100 + 6, top * height / 100)
        draw.text(place, name, fill=(75, 95, 115), font=letters, anchor="lm")
    bar(draw, picture.size, *section.bar, letters)
    return picture


def rows_picture(mtypes, rows):
    """Rows of cells, one below the other, with their titles."""
    pictures = [Image.open(io.BytesIO(row.data)).convert("RGB") for row in rows]
    letters, head = font(26), 44
    whole = Image.new(
        "RGB", (pictures[0].width, sum(p.height + head for p in pictures) + 2 * head), PAPER
    )
    draw, top = ImageDraw.Draw(whole), 0
    for row, picture in zip(rows, pictures, strict=True):
        draw.text((10, top + head / 2), row.title, fill=INK, font=letters, anchor="lm")
        whole.paste(picture, (0, top + head))
        top += head + picture.height
    middles = rows[0].middles if len(mtypes) == len(rows[0].middles) else [50] * len(mtypes)
    for mtype, middle in zip(mtypes, middles, strict=True):
        place = (middle * whole.width / 100, top + 6)
        draw.text(place, mtype, fill=(85, 97, 107), font=font(20), anchor="ma")
    bar(draw, whole.size, *rows[-1].bar, font(20))
    return whole


def speeds(page):
    """(scenario, ms per cell here, ms per cell of region-grower, ratio) of the docs' own table."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("scenario "))
    fences = [i for i, line in enumerate(lines) if i > start and line.startswith("===")]
    for line in lines[fences[0] + 1 : fences[1]]:
        name, ours, _, theirs, ratio, *_ = line.replace(",", "").split()
        yield name.replace("_", " "), float(ours), float(theirs), float(ratio)


@style.styled
def speed_picture(rows):
    """CPU per cell beside region-grower's, on a scale of powers of ten."""
    figure = style.new_figure(7.0, 2.7)
    axes = figure.subplots()
    for place, (_, ours, theirs, ratio) in enumerate(reversed(rows)):
        axes.barh(place + 0.19, theirs, 0.36, color="#9aa5b1")
        axes.barh(place - 0.19, ours, 0.36, color="#0072b2")
        axes.text(ours * 1.12, place - 0.19, f"{ours:.1f}", va="center", fontsize=7.5)
        words = f"{theirs:,.0f}, {ratio:.0f} times as long"
        axes.text(theirs * 1.12, place + 0.19, words, va="center", fontsize=7.5)
    axes.set_yticks(range(len(rows)), [name for name, *_ in reversed(rows)])
    axes.set_xscale("log")
    axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    axes.minorticks_off()
    axes.set_xlim(0.5, 30 * max(row[2] for row in rows))
    axes.set_xlabel(
        "ms of CPU per cell, file written: region_grower_flow (blue), region-grower (grey)"
    )
    style.bare(axes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200)
    return Image.open(buffer).convert("RGB")


CHAINS = (
    ("cells:\ncolumn region", ("S1FL", "S1J", "CA1@left", "VISp")),
    ("region_map", ("S1FL:SSCX", "S1J:SSCX", "*@left:*", "none is needed")),
    ("hierarchy\nof the atlas", ("SSCX", "SSCX", "CA1", "VISp, in VIS")),
    ("entry of the\nregion structure", ("SSCX", "SSCX", "CA1", "VIS")),
    ("its layers,\nvolumes [PH]", ("1 2 3 4 5 6", "1 2 3 4 5 6", "SLM SR SP SO", "1 2/3 4 5 6")),
)
"""The way from a cell's region to its layers, by example."""


@style.styled
def regions_picture():
    """How a cell's region finds its entry of the region structure: the nearest one above it."""
    figure = style.new_figure(9.0, 2.5, layout=None)
    axes = figure.add_axes((0, 0, 1, 1))
    for column, (title, names) in enumerate(CHAINS):
        axes.text(column, 0.65, title, ha="center", fontsize=9, weight="bold")
        for row, name in enumerate(names):
            mapped = column == 1
            box = {"boxstyle": "round,pad=0.35", "fc": "none" if mapped else "#eef3f8",
                   "ec": "none" if mapped else "#9aa5b1"}  # fmt: skip
            axes.text(column, -row, name, ha="center", va="center", fontsize=8.5, bbox=box,
                      style="italic" if mapped else "normal")  # fmt: skip
            if column:
                arrow = {"arrowstyle": "->", "color": "#0072b2", "lw": 1.2}
                axes.annotate("", (column - 0.36, -row), (column - 0.64, -row), arrowprops=arrow)
    axes.set_xlim(-0.55, len(CHAINS) - 0.45)
    axes.set_ylim(-len(CHAINS[0][1]) + 0.4, 1.45)
    axes.set_axis_off()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200)
    return Image.open(buffer).convert("RGB")


def main():
    """Draw what the example's outputs hold."""
    task = SynthesizeMorphologies()
    if task.manifest() is None:
        sys.exit("The example has not been grown: make synthesize")
    data, _ = run_data(task, task.manifest().facts, count=1)
    mtypes = list(data.summary["mtypes"])
    save(slice_picture(section_of(data, looks(mtypes))), "slice.webp")
    cells = upright_of({m: data.placed.sample(m, LOOKED_AT, 0) for m in mtypes})
    references = {
        m: [c.morphology for c in read_references(data.references[m][:LOOKED_AT], m)[0]]
        for m in mtypes
    }
    save(rows_picture(*side_by_side(references, cells)), "beside.webp")
    save(regions_picture(), "regions.webp")
    page = Path(__file__).with_name("explanation") / "performance.rst"
    save(speed_picture(list(speeds(page))), "speed.webp")


if __name__ == "__main__":
    main()
