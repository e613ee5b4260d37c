"""Questions that take a prediction before a cell runs, keep it, and compare it with the outcome.

    size = Choice("How many outputs does path B give along one side?", ["44", "88", "100"])
    size                    # shown as the cell's last line: the learner picks
    size.compare("88")      # after the run: the prediction beside the outcome

Nothing waits for an answer: a notebook without any answers runs from top to bottom, and its outputs are the same each
time. Where there is no prediction yet, the card asks for one and folds the answer. Running a question's cell again
keeps the answer that was given.
"""

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from dlv3.course.kit.cards import Card, inline_html
from dlv3.course.kit.read_number import FORMS, as_percent, read_number

# Answers by question, so that running the question's cell a second time keeps what was picked.
_kept: dict[str, Any] = {}


class _Question(widgets.VBox):
    """The question's text above a control; the answer is kept under the text as its key."""

    def __init__(self, question: str, control: widgets.Widget, how: str) -> None:
        self.question = question
        title = widgets.HTML(f"<strong>Predict.</strong> {inline_html(question)} <em>{inline_html(how)}</em>")
        super().__init__([title, control], layout=widgets.Layout(margin="4px 0", max_width="760px"))
        self.add_class("dlv3-question")

    @property
    def prediction(self) -> Any:
        """The prediction, or None if there is none."""
        return _kept.get(self.question)

    def _keep(self, value: Any) -> None:
        if value is None:
            _kept.pop(self.question, None)
        else:
            _kept[self.question] = value

    def _choices_html(self) -> str:
        return ""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = f"Predict: {self.question}"
        bundle["text/html"] = (
            f'<div class="dlv3-question"><p><strong>Predict.</strong> {inline_html(self.question)}</p>'
            f"{self._choices_html()}</div>"
        )
        return bundle


class Choice(_Question):
    """A multiple-choice prediction.

    Args:
        question: the question; `backticks` mark code.
        options: two or more different answers, each a short text.

    Raises:
        ValueError: there are fewer than two options, or one stands twice.
    """

    def __init__(self, question: str, options: Sequence[object]) -> None:
        self.options = tuple(str(option) for option in options)
        if len(self.options) < 2 or len(set(self.options)) < len(self.options):
            raise ValueError(f"options={self.options!r}: expected two or more different answers")
        kept = _kept.get(question)
        control = widgets.RadioButtons(
            options=self.options,
            value=kept if kept in self.options else None,
            layout=widgets.Layout(width="auto"),
        )
        control.observe(lambda change: self._keep(change["new"]), names="value")
        self.control = control
        super().__init__(question, control, "Pick before you run on.")

    def _choices_html(self) -> str:
        return "<ul>" + "".join(f"<li>{inline_html(option)}</li>" for option in self.options) + "</ul>"

    def compare(self, actual: object, why: str = "") -> Card:
        """Compare the outcome with the prediction.

        Args:
            actual: the right option; as text it equals one of the options.
            why: the reason, in a sentence.

        Raises:
            ValueError: `actual` is not one of the options.
        """
        outcome = str(actual)
        if outcome not in self.options:
            raise ValueError(f"actual={outcome!r}: expected one of the question's options {self.options}")
        if self.prediction is None:
            return _predict_first(outcome, why)
        if self.prediction == outcome:
            return Card("right", f"As you predicted: {outcome}", why)
        if " " in f"{self.prediction}{outcome}":  # options that are sentences do not fit behind "it is"
            return Card("wrong", f"You predicted “{self.prediction}”. The answer: “{outcome}”", why)
        return Card("wrong", f"You predicted {self.prediction}; it is {outcome}", why)


class Number(_Question):
    """A numeric prediction.

    Args:
        question: the question; `backticks` mark code.
        unit: the answer's unit, shown after it.
        within: the largest difference that counts as right, in the same unit; 0 asks for the number itself.
    """

    def __init__(self, question: str, *, unit: str = "", within: float = 0.0) -> None:
        self.unit, self.within = unit, within
        kept = _kept.get(question)
        control = widgets.Text(
            value="" if kept is None else str(kept),
            placeholder="a number",
            description=unit and f"in {unit}",
            continuous_update=True,
            layout=widgets.Layout(width="200px"),
        )
        control.observe(lambda change: self._keep(change["new"].strip() or None), names="value")
        self.control = control
        super().__init__(question, control, "Type before you run on.")

    @property
    def prediction(self) -> float | None:
        """The prediction as a number, or None if there is none or it cannot be read."""
        typed = self.typed
        return None if typed is None else read_number(typed)

    @property
    def typed(self) -> str | None:
        """What was typed, or None if nothing was."""
        return _kept.get(self.question)

    def compare(self, actual: float, why: str = "") -> Card:
        """Compare the outcome with the prediction: right if they differ by `within` at most.

        Where the unit is %, a share such as 0.184 counts as 18.4%.
        """
        outcome = self._with_unit(actual)
        if self.typed is None:
            return _predict_first(outcome, why)
        prediction = self.prediction
        if prediction is None:
            return Card(
                "open", f"{self.typed} cannot be read as a number", f"{FORMS} Then run this cell again."
            )
        if self.unit == "%":
            prediction = as_percent(self.typed, prediction, actual)
        predicted, off = self._with_unit(prediction), abs(prediction - actual)
        # 0.1 + 0.2 is not 0.3: a margin is met to the digits that are shown.
        if off <= self.within + 1e-9 * max(1.0, abs(actual)):
            near = "exactly" if f"{prediction:g}" == f"{actual:g}" else f"off by {self._with_unit(off)}"
            return Card("right", f"You predicted {predicted}; it is {outcome} ({near})", why)
        return Card("wrong", f"You predicted {predicted}; it is {outcome}", why)

    def _with_unit(self, value: float) -> str:
        # Whole numbers are never shown as 4.14872e+05.
        digits = f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 1000 else f"{value:.6g}"
        return digits + ("" if not self.unit else self.unit if self.unit in ("%", "×") else f" {self.unit}")


def _predict_first(outcome: str, why: str) -> Card:
    return Card(
        "note",
        "Predict first, then run this cell again",
        "Your answer goes where the question is, further up.",
        folded=f"The answer: {outcome}. {why}".rstrip(),
    )
