"""The explorers' JavaScript: put together as a module for the browser, and run from Python.

An explorer's arithmetic and drawing are pure functions in `static/`. The browser runs them live; Python runs the
same functions in an embedded V8 (mini-racer) to draw the still picture that stands where no kernel or script runs,
and to hold the arithmetic against its twin in the library. So there is one drawing of each explorer, not two.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from py_mini_racer import MiniRacer

SCRIPTS = {
    "atrous": "lessons/lesson01_atrous_convolution/explorer.js",
    "receptive_field": "lessons/lesson02_receptive_fields/explorer.js",
    "output_stride": "lessons/lesson03_output_stride/explorer.js",
    "cascade": "lessons/lesson04_cascade/explorer.js",
    "multi_grid": "lessons/lesson05_multi_grid/explorer.js",
    "valid_weights": "kit/valid_weights_explorer.js",
    "price": "lessons/lesson07_whole_model/explorer.js",
    "schedule": "lessons/lesson08_training/explorer.js",
    "interval": "lessons/lesson09_cascade_ablations/explorer.js",
}
"""Each explorer's JavaScript, from `dlv3/course`: beside its Python in the lesson's room."""


@cache
def source(file: str) -> str:
    """Return the text of a file in `dlv3/course/kit`."""
    return _text(f"kit/{file}")


def script(name: str) -> str:
    """Return an explorer's own JavaScript, without what all of them share."""
    return _text(SCRIPTS[name])


@cache
def _text(path: str) -> str:
    return files("dlv3.course").joinpath(path).read_text(encoding="utf-8")


@cache
def module(name: str) -> str:
    """An explorer as one ES module without imports, in the form anywidget expects."""
    tail = f"export default {{ render: ({{ model, el }}) => mount({variable(name)}, model, el) }};\n"
    return f"{source('kit.js')}\n{script(name)}\n{tail}"


def variable(name: str) -> str:
    """The JavaScript variable that holds an explorer: `output_stride.js` defines `outputStride`."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


@cache
def style() -> str:
    """The style sheet of the live explorers."""
    return source("kit.css") + source("marks.css")


@cache
def still_style() -> str:
    """The style sheet inside a still picture: the light colours, for it lies on a light card of its own."""
    light = re.findall(r"(--dx-[a-z-]+): light-dark\(([^,]+),", source("kit.css"))
    variables = "".join(f"{name}:{colour};" for name, colour in light)
    return re.sub(
        r"\s*\n\s*", "", f"svg{{{variables}}}{re.sub(r'/[*].*?[*]/', '', source('marks.css'), flags=re.S)}"
    )


def run(name: str, expression: str, **values: Any) -> Any:
    """Evaluate an expression among an explorer's functions.

    Args:
        name: the explorer's file in `static/`, without the ending.
        expression: JavaScript; it sees `values` under their names.
        **values: anything that JSON can hold.

    Returns:
        The result, through JSON.
    """
    given = "".join(f"const {key} = {json.dumps(value)};\n" for key, value in values.items())
    engine = MiniRacer()
    try:
        engine.eval(f"{source('kit.js')}\n{script(name)}")
        return json.loads(engine.eval(f"(() => {{ {given} return JSON.stringify({expression}); }})()"))
    finally:
        engine.close()
