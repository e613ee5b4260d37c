"""Explorers that need tensors: sliders, and a picture that Python redraws when one moves.

    def render(rate):
        return png(colours(responses[rate]))        # PNG bytes

    ImageExplorer(render, {"rate": Slider("Rate", range(1, 13))}, says=lambda rate: f"Rate {rate}.")

The picture's bytes go into an `ipywidgets.Image`: without `interact` and `Output`, nothing flickers or jumps. The
still picture that is stored with a notebook is the first one drawn.
"""

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
from PIL import Image

from dlv3.course.kit.pictures import in_few_colours
from dlv3.course.kit.value_slider import ValueSlider

_STYLE = """<style>
.dlv3-image-explorer .widget-inline-hbox > .widget-label { width: 130px !important; text-align: left; }
.dlv3-image-explorer img { max-width: 100%; object-fit: contain; }
</style>"""


@dataclass(frozen=True)
class Slider:
    """A labelled slider over ordered values.

    Args:
        label: what it sets, with its unit.
        values: two or more, such as `range(1, 13)` or `(8, 16, 32)`.
        start: the value that it starts from; None is the first.
    """

    label: str
    values: Sequence[Any]
    start: Any = None

    def control(self) -> widgets.Widget:
        """Make the control.

        Raises:
            ValueError: there are fewer than two values, or `start` is not one of them.
        """
        values = tuple(self.values)
        if len(values) < 2 or (self.start is not None and self.start not in values):
            raise ValueError(
                f"{self.label!r}: expected two or more values with start={self.start!r} among {values}"
            )
        return ValueSlider(values, values[0] if self.start is None else self.start, self.label)


@dataclass(frozen=True)
class Pick(Slider):
    """A drop-down list, for values without an order; its fields are those of a slider."""

    def control(self) -> widgets.Widget:
        """Make the control."""
        values = tuple(self.values)
        return widgets.Dropdown(
            options=[(str(value), value) for value in values],
            value=values[0] if self.start is None else self.start,
            description=self.label,
            layout=widgets.Layout(width="440px"),
            style={"description_width": "130px"},
        )


class ImageExplorer(widgets.VBox):
    """Controls above a picture of fixed size, and below it a sentence that says what it shows.

    Args:
        render: takes the controls' values by name and returns the picture as PNG bytes (see
            `dlv3.course.kit.pictures`) within a tenth of a second; compute beforehand what takes longer.
        controls: by name, a `Slider` or a `Pick`.
        says: takes the same values and describes the picture in a sentence, which is also its text alternative.
        title: a few words above the controls.
        width: the picture's width on the page, in CSS pixels; its height follows from the first picture.
    """

    def __init__(
        self,
        render: Callable[..., bytes],
        controls: Mapping[str, Slider],
        *,
        says: Callable[..., str],
        title: str = "",
        width: int = 720,
    ) -> None:
        self.render, self.describe, self.title = render, says, title
        self.controls = {name: control.control() for name, control in controls.items()}
        first = render(**self.values)
        w, h = Image.open(io.BytesIO(first)).size
        self.picture = widgets.Image(
            value=first,
            format="png",
            layout=widgets.Layout(width=f"{width}px", height=f"{round(width * h / w)}px", flex="0 0 auto"),
        )
        # The sentence has room for three lines, so that what lies below never moves.
        self.read_out = widgets.HTML(
            layout=widgets.Layout(width=f"{width}px", height="76px", flex="0 0 auto")
        )
        heading = widgets.HTML(f"{_STYLE}<strong>{html.escape(title)}</strong>")
        super().__init__([heading, *self.controls.values(), self.picture, self.read_out])
        self.add_class("dlv3-image-explorer")
        for control in self.controls.values():
            control.observe(self._redraw, names="value")
        self._say()

    @property
    def values(self) -> dict[str, Any]:
        """The controls' values by name."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, **values: Any) -> None:
        """Move controls from code."""
        for name, value in values.items():
            self.controls[name].value = value

    def says(self) -> str:
        """Describe the picture in a sentence."""
        return self.describe(**self.values)

    def _redraw(self, _change: Any) -> None:
        self.picture.value = self.render(**self.values)
        self._say()

    def _say(self) -> None:
        sentence = html.escape(self.says())
        self.read_out.value = f'<div class="dlv3-read-out" role="status" aria-live="polite">{sentence}</div>'

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"{type(self).__name__}({values})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = f"{self.title or 'Picture'} {self!r}\n{self.says()}"
        bundle["image/png"] = base64.b64encode(in_few_colours(self.picture.value)).decode()
        return bundle
