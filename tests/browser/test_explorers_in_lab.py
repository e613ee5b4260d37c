"""Each explorer in a real JupyterLab, whatever the lessons use: keyboard, pointer, kernel, and the room it takes."""

import pytest
from labserver import EXPLORERS, open_and_run, run_in_kernel, watched
from moving import changed, look, move_every_slider, press

# In the notebook's order, see conftest.py.
NAMES = (
    "atrous",
    "field",
    "ladder",
    "photo",
    "multi-grid",
    "cascade",
    "price",
    "valid-weights",
    "interval",
    "world",
    "resnet",
)
HARMLESS = ("favicon", "ResizeObserver loop", "/lsp/")


@pytest.fixture(scope="module")
def opened(browser, notebooks_address):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    page.watch = watched(page)
    open_and_run(page, notebooks_address, "every_explorer.ipynb")
    page.wait_for_selector(".dlv3-image-explorer img")
    yield page
    context.close()


def explorer(page, number):
    found = page.query_selector_all(EXPLORERS)
    assert len(found) == len(NAMES)
    found[number].scroll_into_view_if_needed()
    return found[number]


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_every_slider_moves_the_picture_and_nothing_below(opened, number):
    below = "() => [...document.querySelectorAll('.jp-Cell')].at(-1).offsetTop"
    before = opened.evaluate(below)
    assert move_every_slider(opened, explorer(opened, number)) >= 1
    assert opened.evaluate(below) == before


def test_arrow_keys_step_through_outputs_and_reach_the_kernel(opened):
    atrous = explorer(opened, 0)
    run_in_kernel(opened, "atrous.row = 2; atrous.column = 1")
    opened.wait_for_function("(e) => e.textContent.includes('Output (2, 1)')", arg=atrous)
    before = look(atrous)
    atrous.query_selector(".dx-figure").focus()
    opened.keyboard.press("ArrowRight")
    assert "Output (2, 2)" in changed(opened, atrous, before).words
    opened.wait_for_timeout(300)
    assert run_in_kernel(opened, "print(atrous.row, atrous.column)") == "2 2"


def test_pointing_at_an_output_chooses_it(opened):
    atrous = explorer(opened, 0)
    before = look(atrous)
    box = atrous.query_selector(".dx-figure").bounding_box()
    opened.mouse.move(box["x"] + box["width"] * 0.78, box["y"] + box["height"] * 0.55)
    assert changed(opened, atrous, before).words != before.words


def test_limit_stops_the_slider_and_says_why(opened):
    atrous = explorer(opened, 0)
    run_in_kernel(
        opened,
        "with atrous.hold_trait_notifications():\n atrous.set_trait('size', 9); atrous.row = atrous.column = 0",
    )
    rate = atrous.query_selector("input[data-key=rate]")
    opened.wait_for_function("(e) => e.querySelector('input[data-key=size]').value === '9'", arg=atrous)
    for _ in range(12):
        press(opened, rate, "ArrowRight", atrous)
    outputs = "(e) => [...e.querySelectorAll('.dx-tile-value')].map((n) => n.textContent)"
    assert int(rate.input_value()) < 12
    assert atrous.evaluate(outputs)[1].startswith(("1 ", "2 "))
    assert "stops at" in atrous.query_selector(".dx-note").text_content()


def test_fast_presses_are_not_undone_by_the_kernels_echo(opened):
    field = explorer(opened, 1)
    run_in_kernel(opened, "field.rates = [1, 1]")
    opened.wait_for_function("(e) => e.textContent.includes('rates (1, 1)')", arg=field)
    field.query_selector("input[data-key=rate2]").focus()
    for _ in range(6):
        opened.keyboard.press("ArrowRight")
    opened.wait_for_timeout(1000)
    assert "(1, 7)" in look(field).words
    assert run_in_kernel(opened, "print(field.rates)") == "[1, 7]"


def test_value_set_in_python_is_drawn(opened):
    field = explorer(opened, 1)
    before = look(field)
    run_in_kernel(opened, "field.rates = [1, 2, 4]")
    assert "(1, 2, 4)" in changed(opened, field, before).words


def test_unit_rate_set_by_keyboard_reaches_the_kernel(opened):
    grid = explorer(opened, 4)
    run_in_kernel(opened, "grid.multi_grid = [1, 2, 4]; grid.base_rate = 2")
    opened.wait_for_function("(e) => e.textContent.includes('rates (2, 4, 8)')", arg=grid)
    before = look(grid)
    grid.query_selector("input[data-key=unit3]").focus()
    for _ in range(4):
        opened.keyboard.press("ArrowRight")
    assert "no holes" not in changed(opened, grid, before).words
    opened.wait_for_timeout(300)
    assert run_in_kernel(opened, "print(grid.rates, grid.holes)") == "(2, 4, 16) 2"


def test_block_opens_by_a_press_alone_and_a_unit_by_a_key(opened):
    resnet = explorer(opened, NAMES.index("resnet"))
    # What the sliders of an earlier test have sent must arrive before.
    opened.wait_for_timeout(500)
    run_in_kernel(opened, "resnet.unit = 1; resnet.block = 4")
    opened.wait_for_function("(e) => e.textContent.includes('unit 1 of block4')", arg=resnet)
    before = look(resnet)
    box = resnet.query_selector(".dx-canvas").bounding_box()
    opened.mouse.move(box["x"] + box["width"] * 0.36, box["y"] + box["height"] * 0.1)
    opened.wait_for_timeout(100)
    assert look(resnet) == before
    opened.mouse.down()
    opened.mouse.up()
    assert "unit 1 of block1" in changed(opened, resnet, before).words
    before = look(resnet)
    resnet.query_selector(".dx-figure").focus()
    opened.keyboard.press("ArrowRight")
    assert changed(opened, resnet, before).box == before.box
    opened.wait_for_timeout(300)
    assert run_in_kernel(opened, "print(resnet.block, resnet.unit)") == "1 2"


def test_prediction_is_kept_when_its_cell_runs_again(opened):
    opened.query_selector_all(".dlv3-question input[type=radio]")[1].check()
    opened.wait_for_timeout(300)
    assert "As you predicted: 88" in run_in_kernel(opened, "print(question.compare(88))")
    assert run_in_kernel(opened, "print(Choice('Which?', ['44', '88']).prediction)") == "88"


def test_controls_are_labelled_and_read_outs_announced(opened):
    for found in opened.query_selector_all(".dx"):
        for control in found.query_selector_all("input, select"):
            assert control.evaluate("(e) => e.labels.length") == 1
            assert control.evaluate("(e) => e.labels[0].textContent.trim().length") > 0
        assert found.query_selector(".dx-says[aria-live=polite]")
        assert found.query_selector(".dx-figure").get_attribute("aria-label")


def test_no_error_on_the_console_and_no_request_to_the_outside(opened):
    assert [error for error in opened.watch.errors if not any(known in error for known in HARMLESS)] == []
    assert opened.watch.outside == []
