"""The explorers' JavaScript: put together as a module for the browser, and run from Python.

An explorer's arithmetic and drawing are pure functions in a file beside its Python class. The browser runs them live;
Python runs the same functions in an embedded V8 (mini-racer) to draw the still picture for pages without a kernel or
script, and to compare the arithmetic with its twin in the library. So each explorer is drawn by one piece of code.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from py_mini_racer import MiniRacer


@cache
def source(file: str) -> str:
    """Return the text of a file in `dlv3/course/kit`."""
    return files("dlv3.course.kit").joinpath(file).read_text(encoding="utf-8")


def module(script: str, explorer: str) -> str:
    """Return an explorer as one ES module without imports, in the form that anywidget expects.

    Args:
        script: everything that the explorer needs, `kit.js` first.
        explorer: the variable in it that holds the explorer.
    """
    return f"{script}\nexport default {{ render: ({{ model, el }}) => mount({explorer}, model, el) }};\n"


def variable(name: str) -> str:
    """Return the JavaScript variable of an explorer's name: `outputStride` for `output_stride`."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


@cache
def style() -> str:
    """Return the style sheet of the live explorers."""
    return source("kit.css") + source("marks.css")


@cache
def still_style() -> str:
    """Return the style sheet inside a still picture: always the light colours, since it has a light card of its own."""
    light = re.findall(r"(--dx-[a-z-]+): light-dark\(([^,]+),", source("kit.css"))
    variables = "".join(f"{name}:{colour};" for name, colour in light)
    marks = re.sub(r"/[*].*?[*]/", "", source("marks.css"), flags=re.S)
    return re.sub(r"\s*\n\s*", "", f"svg{{{variables}}}{marks}")


def run(script: str, expression: str, **values: Any) -> Any:
    """Evaluate an expression after a script, in an engine of its own.

    Args:
        script: JavaScript that defines what the expression uses.
        expression: JavaScript; it sees `values` under their names.
        **values: anything that JSON can hold.

    Returns:
        The result, through JSON.
    """
    given = "".join(f"const {key} = {json.dumps(value)};\n" for key, value in values.items())
    engine = MiniRacer()
    try:
        engine.eval(script)
        return json.loads(str(engine.eval(f"(() => {{ {given} return JSON.stringify({expression}); }})()")))
    finally:
        engine.close()
