"""Measure the time from a key press to changed pixels of the explorers, in a real Chromium and a real JupyterLab.

Each press goes through the browser's input queue, as a person's does. The time runs from the time stamp of the key
event to the start of the first frame after the picture changed, which is the frame that shows it. An explorer drawn in
the browser changes within the key event; one fed by tensors waits until Python's new picture is decoded. Frames are
those of the screen (60 a second in headless Chromium), so on average half a frame is waiting. "work" leaves the waiting
out: it runs from the key event until the picture is drawn (the SVG changed, the image decoded).
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks.interleave import Spread
from benchmarks.options import Options
from benchmarks.rows import Row, Unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSER_TESTS = Path(__file__).parents[1] / "tests" / "browser"
PRESSES, QUICK_PRESSES = 60, 20
EXPLORERS = {
    "AtrousExplorer": ("AtrousExplorer(size=33)", "input[data-key=rate]", 16),
    "ReceptiveFieldExplorer": ("ReceptiveFieldExplorer(rates=(1, 2, 4, 8))", "input[data-key=rate2]", 16),
    "OutputStrideLadder": ("OutputStrideLadder(blocks=7)", "input[data-key=size]", 16),
    "ValidWeightsExplorer": ("ValidWeightsExplorer(size=33)", "input[data-key=size]", 16),
    "CascadeExplorer": ("CascadeExplorer()", "input[data-key=traced]", 16),
    "MultiGridExplorer": ("MultiGridExplorer()", "input[data-key=unit1]", 16),
    "PriceExplorer": ("PriceExplorer()", "input[data-key=size]", 16),
    "ScheduleExplorer": ("ScheduleExplorer()", "input[data-key=at]", 16),
    "IntervalExplorer": ("IntervalExplorer()", "input[data-key=draw]", 16),
    "WorldExplorer": ("WorldExplorer()", "input[data-key=percent]", 16),
    "PhotoExplorer": ("PhotoExplorer()", ".noUi-handle", 100),
}

# Waits for one change of the picture after one key press; resolves with (work, to the frame, shift of what is below).
WATCH = """([explorer, handle]) => {
  const picture = explorer.querySelector('.dx-figure') || explorer.querySelector('img');
  const below = [...document.querySelectorAll('.jp-Cell')].at(-1), top = below.offsetTop;
  handle.focus();
  window.measured = new Promise((resolve, reject) => {
    let pressed = 0;
    setTimeout(() => reject(new Error(pressed ? 'the picture did not change' : 'no key arrived')), 5000);
    document.addEventListener('keydown', (event) => { pressed = event.timeStamp; }, { once: true, capture: true });
    const done = () => {
      const work = performance.now() - pressed;
      requestAnimationFrame(() => resolve([work, performance.now() - pressed, below.offsetTop - top]));
    };
    if (picture.tagName === 'IMG') {
      picture.addEventListener('load', () => picture.decode().then(done), { once: true });
    } else {
      const observer = new MutationObserver(() => { if (pressed) { observer.disconnect(); done(); } });
      observer.observe(picture, { childList: true });
    }
  });
}"""


@dataclass(frozen=True)
class Presses:
    """The times of many presses of a key, in milliseconds, and how far the cell below moved, in pixels."""

    work: list[float]
    frames: list[float]
    shift: float


def explorer_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure each explorer: seconds from a key press to the frame that shows the change.

    Raises:
        Unavailable: Chromium, Playwright or JupyterLab is not installed.
    """
    for name, presses in measured(QUICK_PRESSES if options.quick else PRESSES):
        budget = EXPLORERS[name][2]
        note = (
            f"work {statistics.median(presses.work):.1f} ms (p95 {_p95(presses.work):.1f}, budget {budget}), "
            f"below moves {presses.shift:g} px"
        )
        seconds = Spread.of(presses.frames).times(1e-3)
        yield Row("explorers", name, {"presses": len(presses.frames)}, seconds, note=note)


def measured(presses: int) -> Iterator[tuple[str, Presses]]:
    """Open a notebook with every explorer in JupyterLab, and press the keys of one explorer after another."""
    try:
        import nbformat

        sys.path.insert(0, str(BROWSER_TESTS))
        from labserver import CHROMIUM, NO_CHROMIUM, chromium, lab, open_and_run

        from dlv3.course.kit.notebooks import tidied
    except ModuleNotFoundError as error:
        raise Unavailable(f"{error.name} is not installed: pip install -e '.[dev]'") from error
    if CHROMIUM is None:
        raise Unavailable(NO_CHROMIUM.removeprefix("SKIPPED: "))
    sources = ["from dlv3.course import *", *(made for made, _, _ in EXPLORERS.values()), "print('below')"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        root.mkdir()
        nbformat.write(tidied(nbformat.v4.new_notebook(cells=cells)), root / "explorers.ipynb")
        with chromium() as browser, lab(root) as address:
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            open_and_run(page, address, "explorers.ipynb")
            page.wait_for_selector(".dlv3-image-explorer img")
            for number, (name, (_, selector, _)) in enumerate(EXPLORERS.items()):
                yield name, measure(page, number, selector, presses)


def measure(page: "Page", number: int, selector: str, presses: int) -> Presses:
    """Press the arrow keys many times, five to the right, then five to the left."""
    explorer = page.query_selector_all(
        ".jp-OutputArea-output .dx, .jp-OutputArea-output .dlv3-image-explorer"
    )[number]
    explorer.scroll_into_view_if_needed()
    handle = explorer.query_selector(selector)
    page.wait_for_timeout(300)
    work, frames, shift = [], [], 0.0
    for i in range(presses + 5):
        page.evaluate(WATCH, [explorer, handle])
        page.keyboard.press("ArrowRight" if (i // 5) % 2 == 0 else "ArrowLeft")
        spent, shown, moved = page.evaluate("window.measured")
        shift = max(shift, abs(moved))
        if i >= 5:  # the first ones warm the code up
            work.append(spent)
            frames.append(shown)
        page.wait_for_timeout(30)
    return Presses(work, frames, shift)


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
