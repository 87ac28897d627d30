"""A real browser opens the pages: nothing overflows, nothing is asked of the network."""

import shutil
import subprocess

import pytest

from helpers.real_parts import needs
from helpers.report_factory import results
from region_grower_flow.report.page import write_page

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
    return subprocess.run(command, capture_output=True, timeout=120, check=True)


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
