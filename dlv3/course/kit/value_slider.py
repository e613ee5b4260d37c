"""A slider over any ordered values, which tells assistive technology the value and not its position."""

from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets as t

from dlv3.course.kit import javascript


class ValueSlider(anywidget.AnyWidget):
    """A native slider with its label before it and its value after it.

    Args:
        values: what it moves through, from left to right.
        value: where it starts.
        description: the label.

    Attributes:
        value: one of the values; setting it moves the slider.
        options: (text, value) for each value, as ipywidgets' selections have them.
    """

    place = t.Int().tag(sync=True)
    words = t.List(t.Unicode()).tag(sync=True)
    description = t.Unicode().tag(sync=True)
    value = t.Any()

    def __init__(self, values: Sequence[Any], value: Any, description: str) -> None:
        self.values = tuple(values)
        super().__init__(
            value=value,
            place=self.values.index(value),
            words=[str(each) for each in self.values],
            description=description,
        )

    @property
    def options(self) -> tuple[tuple[str, Any], ...]:
        return tuple(zip(self.words, self.values, strict=True))

    @t.validate("value")
    def _one_of_them(self, proposal: t.Bunch) -> Any:
        if proposal["value"] not in self.values:
            raise t.TraitError(
                f"{self.description!r}: expected one of {self.values}, got {proposal['value']!r}"
            )
        return proposal["value"]

    @t.observe("value")
    def _value_moved(self, change: t.Bunch) -> None:
        self.place = self.values.index(change["new"])

    @t.observe("place")
    def _place_moved(self, change: t.Bunch) -> None:
        self.value = self.values[change["new"]]


ValueSlider._esm = javascript.source("value_slider.js")
