"""The live page: the model in the browser gives torch's labels, is fast enough to see, and all can use it."""

import functools
import http.server
import threading
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from labserver import watched
from PIL import Image
from test_book_pages import sideways, violations

from dlv3 import assets, weights
from dlv3.data.made.scenes import Scenes
from dlv3.data.transforms import EvalTransform

# Pixels whose two best classes lie within float32's rounding of each other may differ.
MOST_OTHER = 5
MOST_BYTES = 20_000_000


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


def loaded(page, address: str) -> None:
    page.goto(address)
    page.locator("#live-load").click()
    page.wait_for_function("() => document.getElementById('live-status').textContent === 'Ready.'")
    settled(page)


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
    sizes: list[int] = []
    page.on("response", lambda r: sizes.append(int(r.headers.get("content-length", 0))))
    loaded(page, address)
    assert sum(sizes) < MOST_BYTES
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


def test_views_differ_and_a_bad_photo_is_refused(address, page, tmp_path):
    loaded(page, address)
    seen = [pixels(page, "live-answer").tobytes()]
    for view in ("class-1", "branch-0", "branch-4"):
        page.locator("#live-view").select_option(view)
        seen.append(pixels(page, "live-answer").tobytes())
    assert len(set(seen)) == 4
    (tmp_path / "words.png").write_text("words")
    page.locator("#live-photo").set_input_files(tmp_path / "words.png")
    page.wait_for_function("() => document.getElementById('live-status').textContent.includes('words.png')")
    page.locator("#live-next").click()
    settled(page)
    assert "of the pixels are right" in page.locator("#live-facts").inner_text()


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1400, "light")])
def test_live_page_is_usable_by_all(width, theme, address, browser):
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        reduced_motion="reduce",
        has_touch=width < 400,
    )
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(address)
    assert violations(page, code=True) == []
    loaded(page, address)
    assert not sideways(page)
    assert violations(page, code=True) == []
    before = pixels(page, "live-picture")
    canvas = page.locator("#live-picture")
    (canvas.tap if width < 400 else canvas.click)()
    settled(page)
    assert (pixels(page, "live-picture") != before).any()
    context.close()


def test_page_from_a_folder_says_that_it_needs_a_server(address, book, page):
    page.goto((book / "live.html").as_uri())
    page.locator("#live-load").click()
    assert "Serve the book" in page.locator("#live-status").inner_text()
