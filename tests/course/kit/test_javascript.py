"""JavaScript is put together for the browser, and evaluated from Python."""

import re

import pytest
from py_mini_racer import JSEvalException

from dlv3.course.kit import javascript


def test_expression_sees_the_script_and_the_values():
    script = "const twice = (x) => 2 * x;"
    assert javascript.run(script, "values.map(twice)", values=[1, 2.5]) == [2, 5]
    assert javascript.run(script, "({ name, none: null })", name="×") == {"name": "×", "none": None}


def test_evaluations_share_nothing():
    assert javascript.run("", "globalThis.seen = 1") == 1
    assert javascript.run("", "globalThis.seen === undefined") is True


def test_mistake_in_the_script_is_raised():
    with pytest.raises(JSEvalException, match="missing is not defined"):
        javascript.run("", "missing")


@pytest.mark.parametrize(("name", "variable"), [("atrous", "atrous"), ("output_stride", "outputStride")])
def test_variable_is_the_name_in_camel_case(name, variable):
    assert javascript.variable(name) == variable


def test_module_exports_what_anywidget_calls():
    module = javascript.module("const it = {};", "it")
    assert module.startswith("const it = {};")
    assert "export default { render: ({ model, el }) => mount(it, model, el) };" in module


def test_still_pictures_have_the_light_colours_only():
    style = javascript.still_style()
    assert "light-dark" not in style
    assert "/*" not in style
    used = set(re.findall(r"var\((--dx-[a-z-]+)\)", style))
    assert used <= set(re.findall(r"(--dx-[a-z-]+):", style))
