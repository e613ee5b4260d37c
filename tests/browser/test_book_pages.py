"""The book's pages, opened from a folder with no server and no kernel: they live, they are light, all can use them."""

import gzip
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe_playwright_python
import pytest
from labserver import ROOT, watched
from moving import move_every_slider

LESSONS = [f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
OTHERS = [
    "index", "404", "search", "genindex", "reference/index", "reference/model", "reference/options",
    "reference/fewer-multiplications", "dlv3/course/README",
    "reference/command-train", "reference/command-data", "data/README", "data/results/README",
    "data/results/quarter", "data/results/laptop-studies", "data/benchmarks/README", "CONTRIBUTING", "CHANGELOG",
]  # fmt: skip
# One of each kind: these are looked at in both schemes. The others have the same style sheets, and take turns.
KINDS = (
    "notebooks/01_atrous_convolution",
    "notebooks/14_conclusions",
    "index",
    "reference/model",
    "data/results/README",
)
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
# What has the colours of something above: rows of a table with the kinds of cells of a row above, odd or even as they
# are; words of code of one kind in one kind of block; formulas of the same parts. A page has thousands of them.
HIDE_ALIKE = """() => {
  const style = document.createElement("style");
  style.textContent = ".alike { display: none !important }";
  document.head.append(style);
  const seen = new Set();
  const hide = (node, ...kind) => {
    const key = JSON.stringify(kind);
    node.classList.toggle("alike", seen.has(key));
    seen.add(key);
  };
  const look = (e) => [e.tagName, [...e.classList].filter((name) => name !== "alike"), e.getAttribute("style")];
  document.querySelectorAll("table").forEach((table, number) => {
    table.querySelectorAll(":scope > tbody > tr").forEach((row, place) => {
      hide(row, "row", number, place % 2, look(row), [...row.querySelectorAll("*")].map(look));
    });
  });
  for (const word of document.querySelectorAll("pre span:not(:has(*))")) {
    const around = [];
    for (let e = word; e.tagName !== "ARTICLE" && e.tagName !== "MAIN"; e = e.parentElement) around.push(look(e));
    hide(word, "word", around);
  }
  for (const formula of document.querySelectorAll("math")) {
    const parts = new Set([...formula.querySelectorAll("*")].map((e) => e.tagName));
    hide(formula, "formula", look(formula.parentElement), [...parts].sort());
  }
  return () => style.remove();
}"""
# A page with all that it loads, pictures below the screen included.
MOST_BYTES = 400_000
MOST_REQUESTS = 45
MOST_SHIFT = 0.05


def violations(page) -> list[str]:
    """What axe finds, one line for each rule, with the first element that breaks it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    # Without preload: axe would read the style sheets again, which a page from a folder may not.
    options = {"resultTypes": ["violations"], "preload": False}
    run = "(options) => axe.run(document, options).then((r) => r.violations)"
    found = page.evaluate(run, options | {"rules": {"color-contrast": {"enabled": False}}})
    show_again = page.evaluate_handle(HIDE_ALIKE)
    found += page.evaluate(run, options | {"runOnly": ["color-contrast"]})
    show_again.evaluate("(show) => show()")
    return [f"{rule['id']} ({len(rule['nodes'])}): {rule['nodes'][0]['html'][:200]}" for rule in found]


def weight(addresses: set[str]) -> int:
    """Bytes of files as a server sends them: text compressed by gzip."""
    files = {Path(unquote(urlsplit(address).path)) for address in addresses}
    packed = (".woff2", ".webp", ".png")
    return sum(len(f.read_bytes() if f.suffix in packed else gzip.compress(f.read_bytes(), 6)) for f in files)


def sideways(page) -> bool:
    return page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.parametrize("name", [*LESSONS, *OTHERS])
def test_page_is_light_and_usable_by_all_on_a_phone_and_a_desk(name, book, browser):
    first, second = ("dark", "light") if [*LESSONS, *OTHERS].index(name) % 2 else ("light", "dark")
    # Without motion: a colour on its way to the other scheme's is neither.
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme=first, reduced_motion="reduce"
    )
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.add_init_script(SHIFTS)
    watch = watched(page)
    requested: set[str] = set()
    page.on("request", lambda request: requested.add(request.url))
    page.goto((book / f"{name}.html").as_uri(), wait_until="load")
    page.wait_for_timeout(200)
    assert page.evaluate("() => window.shifted") < MOST_SHIFT
    assert not sideways(page), "the page scrolls sideways on a phone"
    pictures = set(page.evaluate("() => [...document.images].map((image) => image.src)"))
    files = {address for address in requested | pictures if address.startswith("file:")}
    assert len(files) <= MOST_REQUESTS
    assert weight(files) <= MOST_BYTES
    assert violations(page) == []
    page.set_viewport_size({"width": 1400, "height": 900})
    assert not sideways(page)
    if name in KINDS:
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", second)
        assert violations(page) == []
    mounts = page.query_selector_all("[data-explorer-mount]")
    explorers = page.query_selector_all(".dx")
    assert len(explorers) == len(mounts)
    for explorer in explorers:
        assert move_every_slider(page, explorer) > 0
    assert watch.errors == []
    assert watch.outside == []
    context.close()


@pytest.fixture
def lesson(book, page):
    page.goto((book / "notebooks" / "01_atrous_convolution.html").as_uri())
    return page


def test_answer_comes_after_the_guess_and_the_guess_is_kept(lesson):
    gate = lesson.locator("#came-01_atrous_convolution-path_b")
    summary = gate.locator("summary")
    assert "prediction first" in summary.inner_text()
    summary.click()
    assert gate.get_attribute("open") is None, "it leads to the question instead"
    assert lesson.evaluate("() => document.activeElement.name") == "01_atrous_convolution-path_b"
    lesson.locator("#ask-01_atrous_convolution-path_b label", has_text="44").click()
    assert gate.get_attribute("open") is None, "the numbers answer a second question too"
    lesson.locator("#ask-01_atrous_convolution-weights_b label", has_text="49").click()
    assert gate.get_attribute("open") is not None
    assert "You predicted 44; it is 88" in gate.inner_text()
    assert "As you predicted: 49" in gate.inner_text()
    lesson.reload()
    assert "You predicted 44; it is 88" in gate.inner_text()
    lesson.locator("#ask-01_atrous_convolution-path_b label", has_text="88").click()
    assert "As you predicted: 88" in gate.inner_text()


def test_number_is_compared_within_its_tolerance(book, page):
    page.goto((book / "notebooks" / "02_receptive_fields.html").as_uri())
    form = page.locator("#ask-02_receptive_fields-field")
    form.locator("input").fill("five hundred")
    form.locator("button").click()
    assert "write one number" in form.inner_text()
    form.locator("input").fill("about 500 px")
    form.locator("button").click()
    verdict = page.locator('[data-ask="02_receptive_fields-field"]')
    assert "You predicted 500 px; it is 483 px (off by 17 px)" in verdict.inner_text()


def test_exam_is_taken_and_scored(book, page):
    page.goto((book / "notebooks" / "14_conclusions.html").as_uri())
    exam = page.locator(".dlv3-exam")
    exam.locator("input[type=text]").first.fill("96")
    choice = exam.locator("fieldset", has_text="block6 at output stride 8")
    choice.locator("label", has_text="(16, 32, 16)").click()
    exam.get_by_role("button", name="Score").click()
    assert "2 of 10 right, 8 not answered" in exam.locator(".dlv3-result").inner_text()
    choice.locator("label", has_text="(1, 2, 1)").click()
    exam.get_by_role("button", name="Score").click()
    wrong = choice.locator(".dlv3-mark")
    assert "lesson 04, section 3" in wrong.inner_text()
    assert wrong.locator("a").get_attribute("href") == "04_cascade.html"
    assert "(16, 32, 16)" not in wrong.inner_text(), "the right answer is not given away"


def test_moving_picture_stops_where_less_motion_is_wanted_and_follows_its_slider(book, browser):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto((book / "index.html").as_uri())
    explorer = page.locator(".dlv3-pictures")
    assert explorer.locator("button").inner_text() == "Play"
    before = explorer.locator("img").get_attribute("src"), explorer.locator("img").get_attribute("alt")
    slider = explorer.locator("input")
    assert slider.get_attribute("aria-valuetext") == "16"
    slider.focus()
    page.keyboard.press("ArrowRight")
    after = explorer.locator("img").get_attribute("src"), explorer.locator("img").get_attribute("alt")
    assert before[0] != after[0]
    assert "output stride 8" in after[1] == explorer.locator(".dlv3-read-out").inner_text()
    context.close()


def test_wide_table_fades_where_it_goes_on_until_it_is_pushed_to_its_end_by_keyboard(book, page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto((book / "data" / "results" / "quarter.html").as_uri())
    table = page.locator(".pst-scrollable-table-container").first
    fades = "(table) => getComputedStyle(table).maskImage !== 'none'"
    assert table.evaluate(fades)
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.activeElement.scrollLeft > 0")
    table.evaluate("(table) => { table.scrollLeft = table.scrollWidth }")
    page.wait_for_function("() => !document.activeElement.classList.contains('dlv3-more')")
    assert not table.evaluate(fades)


def test_search_finds_a_word_from_a_folder(book, page):
    page.goto((book / "search.html").as_uri() + "?q=atrous")
    page.wait_for_selector("#search-results li a", timeout=20_000)
    assert page.locator("#search-results li").count() > 3


def test_paper_has_the_text_alone_dark_on_white_and_no_answer_that_is_folded(book, browser):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto((book / "notebooks" / "01_atrous_convolution.html").as_uri())
    page.emulate_media(media="print")
    text = "document.querySelector('article')"
    # The list of the page's own parts is for paper; what leads elsewhere, or answers to a hand, is not.
    around = (
        "nav:not(#jb-print-toc nav), header, footer, button, .headerlink, .bd-sidebar-primary, .dlv3-controls,"
        " article input[type=range]"
    )
    visible = (
        "(names) => [...document.querySelectorAll(names)]"
        ".filter((e) => e.checkVisibility()).map((e) => e.outerHTML.slice(0, 200))"
    )
    assert page.evaluate(visible, around) == []
    assert page.evaluate(f"() => {text}.checkVisibility()")
    assert page.get_by_role("heading", level=1).filter(visible=True).count() == 1
    assert page.evaluate(visible, "article details:not([open]) > :not(summary)") == []
    assert page.locator("article details:not([open]) > summary").first.is_visible()
    faded = "() => [...document.querySelectorAll('.dlv3-more')].map((e) => getComputedStyle(e).maskImage)"
    assert set(page.evaluate(faded)) == {"none"}, "nothing goes on at a side of the paper"
    theme = "() => document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "dark"
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(theme) == "light"
    ink = page.evaluate(f"() => getComputedStyle({text}.querySelector('p')).color")
    assert max(map(int, ink.strip("rgb()").split(", "))) < 110
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(theme) == "dark"
    context.close()


def test_nothing_moves_by_itself_where_less_motion_is_wanted(book, browser):
    moving = """() => [...document.querySelectorAll("*")].map((e) => getComputedStyle(e)).filter((style) =>
        (style.transitionProperty !== "none" && parseFloat(style.transitionDuration) > 0)
        || style.animationName !== "none" || style.scrollBehavior === "smooth").length"""
    found = {}
    for wanted in ("reduce", "no-preference"):
        context = browser.new_context(reduced_motion=wanted)
        page = context.new_page()
        page.goto((book / "index.html").as_uri())
        found[wanted] = page.evaluate(moving)
        context.close()
    assert found["reduce"] == 0 < found["no-preference"]
