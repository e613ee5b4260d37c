"""From key press to changed pixels, in a real Chromium and a real JupyterLab: `python benchmarks/explorers.py`.

Each press is a real one (it goes through the browser's input queue). The time runs from the key event's own time stamp
to the start of the first frame after the picture changed, that is, to the frame that shows it: for a browser-drawn
explorer the change happens within the key event; a tensor-fed one waits for Python's new picture to be decoded.
Frames are the screen's (60 a second in headless Chromium), so half a frame on average is waiting for the next one;
"work" leaves that out: from the key event to the picture drawn (the SVG changed, the image decoded).
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from labserver import CHROMIUM, NO_CHROMIUM, chromium, lab, open_and_run

from dlv3.course.notebooks import tidied

EXPLORERS = {
    "AtrousExplorer": ("AtrousExplorer(size=33)", "input[data-key=rate]", 16),
    "ReceptiveFieldExplorer": ("ReceptiveFieldExplorer(rates=(1, 2, 4, 8))", "input[data-key=rate2]", 16),
    "OutputStrideLadder": ("OutputStrideLadder(blocks=7)", "input[data-key=size]", 16),
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


def measure(page, number: int, selector: str, presses: int) -> tuple[list[float], list[float], float]:
    """Press the arrow key again and again, there and back; milliseconds of work and to the frame, and the shift."""
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
    return work, frames, shift


def main() -> None:
    parser = argparse.ArgumentParser(description="Key press to changed pixels of each explorer.")
    parser.add_argument("--presses", type=int, default=60)
    arguments = parser.parse_args()
    if CHROMIUM is None:
        sys.exit(NO_CHROMIUM)
    sources = ["from dlv3.course import *", *(made for made, _, _ in EXPLORERS.values()), "print('below')"]
    notebook = tidied(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    )
    print(
        f"{'':24} {'work ms: median':>16} {'p95':>7} {'to frame: median':>17} {'p95':>7} {'budget':>7}  shift below"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        root.mkdir()
        nbformat.write(notebook, root / "explorers.ipynb")
        with chromium() as browser, lab(root) as address:
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            open_and_run(page, address, "explorers.ipynb")
            page.wait_for_selector(".dlv3-image-explorer img")
            for number, (name, (_, selector, budget)) in enumerate(EXPLORERS.items()):
                work, frames, shift = measure(page, number, selector, arguments.presses)
                print(
                    f"{name:24} {statistics.median(work):16.1f} {_p95(work):7.1f} {statistics.median(frames):17.1f} "
                    f"{_p95(frames):7.1f} {budget:7d}  {shift:g} px"
                )


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
