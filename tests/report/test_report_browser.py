"""A real browser opens the pages: nothing overflows, nothing is asked of the network."""

import math
import re
import shutil
import subprocess

import pytest

from helpers import web_parts
from helpers.real_parts import needs
from helpers.report_factory import results
from helpers.run_page_parts import run_report
from region_grower_flow.report.page import write_page
from region_grower_flow.report.run_page.page import run_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SOFTWARE = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
"""Flags by which Chromium draws in 3D without a graphics card."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def browser():
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    needs(found, "there is no Chromium")
    return found


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_page(results(["L5_PC"]), tmp_path_factory.mktemp("page"))[-1]


def run(browser, *arguments):
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", *arguments]
    return subprocess.run(command, capture_output=True, timeout=280, check=True)


@pytest.mark.parametrize("width", [390, 1200])
def test_a_page_is_drawn(browser, page, tmp_path, width):
    picture = tmp_path / "page.png"
    run(browser, f"--screenshot={picture}", f"--window-size={width},1500", f"file://{page}")
    from matplotlib.image import imread

    pixels = imread(picture)[..., :3]
    assert pixels.shape[1] == width
    # Words and colors of all verdicts: more than a blank page, in every third of it.
    for third in range(3):
        rows = pixels[third * 500 : (third + 1) * 500]
        assert (rows.mean(axis=-1) < 0.6).sum() > 300


def test_a_page_prints_with_all_its_details(browser, page, tmp_path):
    target = tmp_path / "page.pdf"
    run(browser, f"--print-to-pdf={target}", f"file://{page}")
    assert target.read_bytes().startswith(b"%PDF")
    assert target.stat().st_size > 20_000


def test_the_browser_reads_the_page_as_it_was_written(browser, page):
    process = run(browser, "--dump-dom", f"file://{page}")
    text = process.stdout.decode("utf-8")
    assert "1 of the 5 tests that decide fail, in 1 of 1 mtypes" in text
    assert text.count("<details") == page.read_text(encoding="utf-8").count("<details")


def test_the_cells_of_a_run_are_drawn_in_space_and_picked(browser, tmp_path):
    """Chromium draws them in software, and a click says which cell lies under it."""
    text = run_page(run_report())
    # A script that clicks, which the page's own policy would not let run.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    click = """<script>addEventListener("load", () => {
      const { cells, camera, cellAt, hold } = rgfViewer;
      const stage = document.getElementById("stage");
      const found = cells.map(({ at }) => {
        const seen = at.clone().project(camera);
        return cellAt(Math.round((seen.x + 1) / 2 * stage.clientWidth),
          Math.round((1 - seen.y) / 2 * stage.clientHeight));
      });
      hold(found[1]);
      document.body.dataset.found = found.join(" ");
    })</script></body>"""
    page = tmp_path / "run.html"
    page.write_text(text.replace("</body>", click), encoding="utf-8")
    process = run(
        browser, *SOFTWARE, "--window-size=700,600", "--virtual-time-budget=5000", "--dump-dom",
        f"file://{page}#space",
    )  # fmt: skip
    dom = process.stdout.decode("utf-8")
    assert 'data-state="drawn"' in dom
    assert re.search(r'data-found="([^"]*)"', dom).group(1) == "0 1 2 3"
    assert "<dt>id</dt>" in dom


TABS = ["overview", "space", "mtypes", "run"]
MEASURE = """<script>addEventListener("load", async () => {
  const found = [];
  for (const tab of TABS) {
    const shown = new Promise((done) =>
      addEventListener("hashchange", () => setTimeout(done), {once: true}));
    location.hash = tab;
    await shown;
    const small = [...document.querySelectorAll("body *")].filter((element) =>
      element.textContent.trim() && parseFloat(getComputedStyle(element).fontSize) < 11);
    const there = TABS.filter((name) => document.getElementById(name).offsetHeight > 0);
    const wide = document.documentElement.scrollWidth - innerWidth;
    found.push(`${there} ${Math.max(wide, 0)} ${small.length}`);
  }
  document.body.dataset.found = found.join(";");
})</script></body>""".replace("TABS", str(TABS))


@pytest.mark.parametrize("width", [500, 1400])
def test_the_page_of_a_run_fits_its_window(browser, tmp_path, width):
    """In no tab is anything wider than the window, or too small to be read."""
    page = tmp_path / "run.html"
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", run_page(run_report()))
    page.write_text(text.replace("</body>", MEASURE), encoding="utf-8")
    size = f"--window-size={width},900"
    process = run(browser, size, "--virtual-time-budget=9000", "--dump-dom", f"file://{page}")
    found = re.search(r'data-found="([^"]*)"', process.stdout.decode("utf-8")).group(1)
    assert found.split(";") == [f"{tab} 0 0" for tab in TABS]


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """A Chromium with the 3D view of a page; its policy is kept."""
    needs(web_parts.CHROMIUM and web_parts.CHROMEDRIVER, "there is no Chromium with chromedriver")
    folder = tmp_path_factory.mktemp("space")
    page = folder / "run.html"
    page.write_text(run_page(run_report()), encoding="utf-8")
    with web_parts.browser(folder / "browser", *SOFTWARE) as window:
        window.open(f"file://{page}#space")
        state = "return document.getElementById('stage').dataset.state === 'drawn'"
        web_parts.wait_for(lambda: window.run(state))
        yield window


def place_of(window, cell):
    """Pixels of the window where a cell's soma is drawn."""
    return window.run(
        f"""const seen = rgfViewer.cells[{cell}].at.clone().project(rgfViewer.camera);
        const box = document.getElementById("canvas").getBoundingClientRect();
        return [box.left + (seen.x + 1) / 2 * box.width, box.top + (1 - seen.y) / 2 * box.height]
            .map(Math.round);"""
    )


def camera(window):
    """(position, distance from what is looked at)"""
    x, y, z = window.run("return rgfViewer.camera.position.toArray()")
    target = window.run("return rgfViewer.controls.target.toArray()")
    return (x, y, z), math.dist((x, y, z), target)


def shown_facts(window):
    return window.run("return document.getElementById('chosen').innerText")


def hovers(window):
    found = window.text("#hover:not([hidden])")
    return found[0] if found else None


def test_the_mouse_shows_and_holds_a_cell(space):
    space.mouse([("move", *place_of(space, 1))])
    web_parts.wait_for(lambda: hovers(space))
    told = space.run("return rgfViewer.cells[1].told")
    assert hovers(space) == f"{told['mtype']} · {told['short']}"
    assert shown_facts(space).startswith("id")
    space.mouse([("move", *place_of(space, 1)), ("down",), ("up",)])
    assert space.run("return document.getElementById('cell-list').value") == "1"
    box = "document.getElementById('canvas').getBoundingClientRect()"
    left, top = space.run(f"const box = {box}; return [box.left, box.top]")
    space.mouse([("move", int(left) + 5, int(top) + 5)])
    assert shown_facts(space).startswith("id")  # it is held
    space.mouse([("move", *place_of(space, 1)), ("down",), ("up",)])
    assert space.run("return document.getElementById('cell-list').value") == ""


def test_the_mouse_turns_and_zooms(space):
    before, distance = camera(space)
    x, y = place_of(space, 0)
    space.mouse([("move", x, y), ("down",), ("move", x + 140, y + 30), ("up",)])
    after, same = camera(space)
    assert math.dist(before, after) > 0.2 * distance
    assert same == pytest.approx(distance, rel=0.01)
    space.wheel(x, y, -400)
    web_parts.wait_for(lambda: camera(space)[1] < 0.9 * distance)
    space.run("document.getElementById('view-front').click()")
    assert camera(space)[1] == pytest.approx(distance, rel=0.01)


def test_mtypes_are_switched(space):
    box = "document.querySelector('#mtype-switches input')"
    x, y = space.run(
        f"const b = {box}.getBoundingClientRect(); return [b.x + b.width / 2, b.y + 5]"
    )
    visible = "return rgfViewer.cells.map(({ mesh }) => mesh.visible)"
    assert all(space.run(visible))
    space.mouse([("move", round(x), round(y)), ("down",), ("up",)])
    assert space.run(visible).count(False) == 2  # both cells of the first mtype
    space.mouse([("move", round(x), round(y)), ("down",), ("up",)])
    assert all(space.run(visible))


def test_cells_of_a_hidden_tab_are_not_drawn(space):
    """Without a graphics card a picture in 3D takes long: the page opens before it."""
    url = space.run("return location.href").partition("#")[0]
    state = "return document.getElementById('stage').dataset.state || 'none'"
    try:
        space.open(f"{url}#run")
        assert space.run("return window.rgfViewer !== undefined")
        assert space.run(state) == "none"
        space.run("location.hash = '#space'")
        web_parts.wait_for(lambda: space.run(state) == "drawn")
    finally:
        space.open(f"{url}#space")
