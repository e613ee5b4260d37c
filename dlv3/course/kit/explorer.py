"""The base of the browser-drawn explorers: values, still picture, read-out."""

import html
import json
from typing import Any, ClassVar

import anywidget

from dlv3.course.kit import javascript

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Explorer(anywidget.AnyWidget):
    """A picture drawn in the browser, with its sliders; its values are attributes here.

    A subclass sets `script` to its file in `static/`, `_esm` and `_css` to what `dlv3.course.kit.javascript` makes of
    it, and tags the traits that make up its state with `sync=True, state=True`. It validates them, so that no
    impossible shape can be set from code either.
    """

    script: ClassVar[str]

    @property
    def state(self) -> dict[str, Any]:
        """The values that the picture is drawn from."""
        return {name: getattr(self, name) for name in sorted(self.traits(state=True))}

    def _run(self, expression: str) -> Any:
        explorer = javascript.variable(self.script)
        return javascript.run(
            self.script,
            f"(({{explorer, state, css}}) => {expression})({{explorer: {explorer}, state, css}})",
            state=self.state,
            css=javascript.still_style(),
        )

    def still(self) -> str:
        """The picture as one SVG that needs no script, the same for the same state.

        It carries the explorer's name and state, so that a static page can bring it to life.
        """
        drawn = self._run("still(explorer, state, css)")
        state = html.escape(json.dumps(self.state, separators=(",", ":")), quote=True)
        return drawn.replace("<svg ", f'<svg data-explorer="{self.script}" data-state="{state}" ', 1)

    def says(self) -> str:
        """The picture in one or two sentences."""
        return self._run("explorer.says(state)")

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.state.items())
        return f"{type(self).__name__}({values})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        shown = {"text/plain": f"{self!r}\n{self.says()}", "image/svg+xml": self.still()}
        return {WIDGET_VIEW: data[WIDGET_VIEW]} | shown, metadata
