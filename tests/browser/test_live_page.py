"""The live page: the model in the browser gives torch's labels, is fast enough to see, and all can use it."""

import functools
import http.server
import threading
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from labserver import watched
from PIL import Image
from test_book_pages import MOST_BYTES, MOST_REQUESTS, MOST_SHIFT, SHIFTS, sideways, violations, weight

from dlv3 import assets, weights
from dlv3.data.made.scenes import Scenes
from dlv3.data.transforms import EvalTransform

# Pixels whose two best classes lie within float32's rounding of each other may differ.
MOST_OTHER = 5
# The page with its model, as the files lie in the folder. Before it is asked for, the page is one like all others.
MOST_BYTES_WITH_MODEL = 20_000_000
MOST_REQUESTS_OF_MODEL = 10
# Of the main thread's time, for a picture: a task of 50 ms is a long one, and all tasks together take less.
LONG_TASK = 0.050


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(book: Path) -> Iterator[str]:
    """The book on a server of this machine."""
    if not (book / "live").exists():
        pytest.skip("SKIPPED: this book was built without the live model, which needs npm")
    handler = functools.partial(Quiet, directory=str(book))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/live.html"
    server.shutdown()


def settled(page) -> None:
    """Wait until the model has answered for what the controls say now."""
    page.wait_for_function("() => document.getElementById('dlv3-live').dataset.state === 'done'")


def load_model(page) -> None:
    page.locator("#live-load").press("Enter")
    page.wait_for_function("() => document.getElementById('live-status').textContent === 'Ready.'")
    settled(page)


def loaded(page, address: str) -> None:
    page.goto(address)
    load_model(page)


@pytest.fixture(scope="module")
def desk(address, browser) -> Iterator:
    """The page on a desk, with its model: loaded once."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(120_000)
    page = context.new_page()
    loaded(page, address)
    yield page
    context.close()


def pixels(page, canvas: str) -> np.ndarray:
    """A canvas's colours, (129, 129, 3)."""
    address = page.evaluate("(id) => document.getElementById(id).toDataURL('image/png')", canvas)
    return np.array(Image.open(BytesIO(b64decode(address.partition(",")[2]))).convert("RGB"))


def labels_of(model, picture: np.ndarray, branches: tuple[int, ...] = (1,) * 5) -> np.ndarray:
    """Torch's labels, with some of ASPP's branches switched off."""
    image, _ = EvalTransform()(torch.from_numpy(picture.transpose(2, 0, 1).copy()))
    mask = torch.tensor(branches, dtype=torch.float32).repeat_interleave(64)[:, None, None]
    hook = model.aspp.project.register_forward_pre_hook(lambda _, given: (given[0] * mask,))
    with torch.no_grad():
        labels = model(image[None])[0].argmax(0).numpy()
    hook.remove()
    return labels


def test_labels_are_torchs_for_scenes_and_drawings_at_other_settings(address, page, tmp_path):
    watch = watched(page)
    loaded(page, address)
    model = weights.load(assets.weights("scenes_laptop")).eval()
    palette = np.array(
        page.evaluate("() => fetch('live/about.json').then((r) => r.json()).then((a) => a.palette)")
    )

    def compare(branches: tuple[int, ...] = (1,) * 5) -> None:
        settled(page)
        expected = palette[labels_of(model, pixels(page, "live-picture"), branches)]
        assert (pixels(page, "live-answer") != expected).any(2).sum() <= MOST_OTHER

    scene, _ = Scenes("val")[0]
    np.testing.assert_array_equal(pixels(page, "live-picture"), scene.numpy().transpose(1, 2, 0))
    compare()
    # By keyboard alone: another output stride, and a disc in the middle of it.
    page.locator("#live-stride").focus()
    page.keyboard.press("ArrowRight")
    model.set_output_stride(8)
    compare()
    page.locator("#live-picture").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert (pixels(page, "live-picture") != scene.numpy().transpose(1, 2, 0)).any()
    assert "At column 59, row 64" in page.locator("#live-here").inner_text()
    compare()
    page.locator("#live-multi").select_option("1,2,1")
    page.locator("#live-rates").select_option("6,12,18")
    page.locator("#live-branch-4").uncheck()
    model.backbone.set_multi_grid((1, 2, 1))
    model.aspp.set_rates((12, 24, 36))
    compare((1, 1, 1, 1, 0))
    # A photo, cut to its middle.
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)).save(
        tmp_path / "photo.png"
    )
    page.locator("#live-photo").set_input_files(tmp_path / "photo.png")
    page.wait_for_function("() => document.getElementById('live-status').textContent.includes('middle')")
    compare((1, 1, 1, 1, 0))
    assert watch.errors == []
    assert watch.outside == []


def busy_seconds(devtools) -> float:
    """The time that the page's main thread has worked: its own, whatever else the machine does."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")


@pytest.mark.parametrize("width", [390, 1400])
def test_page_is_light_until_the_model_is_asked_for_and_never_jumps_or_halts(width, address, book, browser):
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.add_init_script(SHIFTS)
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    requested: set[Path] = set()
    page.on("request", lambda request: requested.add(book / urlsplit(request.url).path.lstrip("/")))
    page.goto(address, wait_until="load")
    page.wait_for_timeout(200)
    first = set(requested)
    assert {file.name for file in first if file.parent.name == "live"} == {
        "live.css",
        "live.js",
        "poster.webp",
    }
    assert len(first) <= MOST_REQUESTS
    assert weight({file.as_uri() for file in first}) <= MOST_BYTES
    load_model(page)
    assert page.evaluate("() => document.activeElement.id") == "live-picture", (
        "the keyboard goes on from there"
    )
    assert len(requested - first) <= MOST_REQUESTS_OF_MODEL
    assert sum(file.stat().st_size for file in requested) < MOST_BYTES_WITH_MODEL
    page.locator("#live-stride").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        before = busy_seconds(devtools)
        page.keyboard.press(key)
        settled(page)
        assert busy_seconds(devtools) - before < LONG_TASK
    page.locator("#live-view").select_option("branch-2")
    assert page.evaluate("() => window.shifted") < MOST_SHIFT
    context.close()


def test_views_differ_and_a_bad_photo_is_refused(desk, tmp_path):
    seen = [pixels(desk, "live-answer").tobytes()]
    for view in ("class-1", "branch-0", "branch-4"):
        desk.locator("#live-view").select_option(view)
        seen.append(pixels(desk, "live-answer").tobytes())
    assert len(set(seen)) == 4
    (tmp_path / "words.png").write_text("words")
    with desk.expect_file_chooser() as chooser:
        desk.locator("#live-choose").press("Enter")
    chooser.value.set_files(tmp_path / "words.png")
    desk.wait_for_function("() => document.getElementById('live-status').textContent.includes('words.png')")
    desk.locator("#live-next").click()
    settled(desk)
    assert "of the pixels are right" in desk.locator("#live-facts").inner_text()


def test_photo_that_is_dropped_is_drawn(desk):
    green = BytesIO()
    Image.new("RGB", (60, 40), (20, 200, 40)).save(green, "PNG")
    desk.evaluate(
        "(bytes) => { const given = new DataTransfer();"
        " given.items.add(new File([new Uint8Array(bytes)], 'green.png', { type: 'image/png' }));"
        " const drop = new DragEvent('drop', { dataTransfer: given, bubbles: true, cancelable: true });"
        " document.getElementById('live-picture').dispatchEvent(drop); return drop.defaultPrevented }",
        list(green.getvalue()),
    )
    desk.wait_for_function("() => document.getElementById('live-status').textContent.includes('middle')")
    settled(desk)
    assert (pixels(desk, "live-picture") == (20, 200, 40)).all()
    assert "of the pixels are right" not in desk.locator("#live-facts").inner_text()


def test_wire_goes_from_one_end_to_the_other_and_undo_takes_it_back(desk):
    desk.locator("#live-blank").click()
    desk.locator("#live-shape").select_option("wire")
    before = pixels(desk, "live-picture")
    canvas = desk.locator("#live-picture")
    side = canvas.bounding_box()["width"]
    canvas.click(position={"x": side * 20.5 / 129, "y": side * 30.5 / 129})
    assert "Mark the other" in desk.locator("#live-status").inner_text()
    assert (pixels(desk, "live-picture") == before).all()
    canvas.click(position={"x": side * 100.5 / 129, "y": side * 30.5 / 129})
    settled(desk)
    drawn = (pixels(desk, "live-picture") != before).any(2)
    assert drawn[30, 20:101].all()
    rows, columns = np.nonzero(drawn)
    assert 27 <= rows.min() <= rows.max() <= 33
    assert 17 <= columns.min() <= columns.max() <= 103
    desk.locator("#live-undo").click()
    settled(desk)
    assert (pixels(desk, "live-picture") == before).all()
    desk.locator("#live-shape").select_option("disc")


def test_multi_grid_and_rates_are_said_and_change_the_answer(desk):
    desk.locator("#live-view").select_option("classes")
    desk.locator("#live-next").click()
    desk.locator("#live-trained").click()
    settled(desk)
    assert "rates in block4 2, 4, 8, in ASPP 2, 4, 6." in desk.locator("#live-facts").inner_text()
    seen = [pixels(desk, "live-answer").tobytes()]
    for control, value, words in (
        ("multi", "2,2,2", "block4 4, 4, 4, in ASPP 2, 4, 6."),
        ("rates", "6,12,18", "block4 4, 4, 4, in ASPP 6, 12, 18."),
    ):
        desk.locator(f"#live-{control}").select_option(value)
        settled(desk)
        assert words in desk.locator("#live-facts").inner_text()
        seen.append(pixels(desk, "live-answer").tobytes())
    assert len(set(seen)) == 3
    desk.locator("#live-trained").click()
    settled(desk)
    assert pixels(desk, "live-answer").tobytes() == seen[0]


def usable(page) -> None:
    """By all: nothing scrolls sideways, and axe finds nothing in either scheme."""
    assert not sideways(page)
    for theme in ("light", "dark"):
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
        assert violations(page) == [], theme


def test_live_page_is_usable_on_a_desk(desk):
    usable(desk)


def test_live_page_is_usable_on_a_phone_before_and_after_loading(address, browser):
    context = browser.new_context(
        viewport={"width": 390, "height": 900}, has_touch=True, reduced_motion="reduce"
    )
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(address)
    usable(page)
    load_model(page)
    usable(page)
    before = pixels(page, "live-picture")
    page.locator("#live-picture").tap()
    settled(page)
    assert (pixels(page, "live-picture") != before).any()
    context.close()


def test_page_from_a_folder_says_that_it_needs_a_server(address, book, page):
    page.goto((book / "live.html").as_uri())
    page.locator("#live-load").click()
    assert "Serve the book" in page.locator("#live-status").inner_text()
