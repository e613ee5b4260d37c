"""The base of the browser-drawn explorers: values, still picture, sentence, and the JavaScript beside the class."""

import html
import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets as t

from dlv3.course.kit import javascript

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Explorer(anywidget.AnyWidget):
    """A picture drawn in the browser, with its sliders; its values are attributes here.

    A subclass sets `script` and tags the traits that make up its state with `sync=True, state=True`. It validates
    them, so that an impossible shape cannot be set from code either. Its JavaScript lies beside its Python: the same
    file name with the ending `.js`.

    Attributes:
        script: the explorer's name on pages; its JavaScript defines a variable of that name in camelCase.
        needs: files of `dlv3/course/kit` that its JavaScript uses besides `kit.js`.
        program: all of its JavaScript; made here.
    """

    script: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    program: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        if "script" in vars(cls):
            own = Path(str(sys.modules[cls.__module__].__file__)).with_suffix(".js")
            parts = [javascript.source(file) for file in ("kit.js", *cls.needs)]
            cls.program = "\n".join([*parts, own.read_text(encoding="utf-8")])
            cls._esm = javascript.module(cls.program, javascript.variable(cls.script))
            cls._css = javascript.style()
        super().__init_subclass__(**options)

    @classmethod
    def evaluate(cls, expression: str, **values: Any) -> Any:
        """Evaluate a JavaScript expression among the explorer's functions; it sees `values` under their names."""
        return javascript.run(cls.program, expression, **values)

    @property
    def state(self) -> dict[str, Any]:
        """The values that the picture is drawn from."""
        return {name: getattr(self, name) for name in sorted(self.traits(state=True))}

    def still(self) -> str:
        """Return the picture as one SVG that needs no script, the same for the same state.

        It carries the explorer's name and state, so that a static page can bring it to life.
        """
        drawn = self.evaluate(
            f"still({javascript.variable(self.script)}, state, css)",
            state=self.state,
            css=javascript.still_style(),
        )
        state = html.escape(json.dumps(self.state, separators=(",", ":")), quote=True)
        return str(drawn).replace("<svg ", f'<svg data-explorer="{self.script}" data-state="{state}" ', 1)

    def says(self) -> str:
        """Describe the picture in one or two sentences."""
        return str(self.evaluate(f"{javascript.variable(self.script)}.says(state)", state=self.state))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.state.items())
        return f"{type(self).__name__}({values})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # None only without a view, and every explorer has one.
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        shown = {"text/plain": f"{self!r}\n{self.says()}", "image/svg+xml": self.still()}
        return {WIDGET_VIEW: data[WIDGET_VIEW]} | shown, metadata


def in_tenths(proposal: t.Bunch) -> float:
    """Validate a trait that a slider moves in tenths.

    Raises:
        traitlets.TraitError: it is not a whole number of tenths.
    """
    value: float = proposal["value"]
    tenths = round(10 * value)
    if abs(tenths - 10 * value) > 1e-6:
        raise t.TraitError(f"{proposal['trait'].name}={value}: expected tenths, such as 1.5")
    return tenths / 10


def explorers() -> dict[str, type[Explorer]]:
    """Return the explorers by name: all that are imported, which `dlv3.course` does for the lessons'."""
    return {explorer.script: explorer for explorer in Explorer.__subclasses__()}
