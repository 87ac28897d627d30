"""A real browser opens the pages: nothing overflows, nothing is asked of the network."""

import re
import shutil
import subprocess

import pytest

from helpers.real_parts import needs
from helpers.report_factory import results
from helpers.run_page_parts import run_report
from region_grower_flow.report.page import write_page
from region_grower_flow.report.run_page.page import run_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

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
    software = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
    process = run(
        browser, *software, "--window-size=700,600", "--virtual-time-budget=5000", "--dump-dom",
        f"file://{page}#space",
    )  # fmt: skip
    dom = process.stdout.decode("utf-8")
    assert 'data-state="drawn"' in dom
    assert re.search(r'data-found="([^"]*)"', dom).group(1) == "0 1 2 3"
    assert "<dt>id</dt>" in dom


@pytest.mark.parametrize("width", [500, 1400])
def test_the_page_of_a_run_fits_its_window(browser, tmp_path, width):
    page = tmp_path / "run.html"
    measure = """<script>addEventListener("load", () => {
      const small = [...document.querySelectorAll("body *")].filter((element) =>
        element.textContent.trim() && parseFloat(getComputedStyle(element).fontSize) < 11);
      document.body.dataset.wide = document.documentElement.scrollWidth - innerWidth;
      document.body.dataset.small = small.length;
    })</script></body>"""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", run_page(run_report()))
    page.write_text(text.replace("</body>", measure), encoding="utf-8")
    for tab in ("overview", "space", "mtypes", "run"):
        process = run(browser, f"--window-size={width},900", "--dump-dom", f"file://{page}#{tab}")
        dom = process.stdout.decode("utf-8")
        assert int(re.search(r'data-wide="(-?\d+)"', dom).group(1)) <= 0
        assert 'data-small="0"' in dom
