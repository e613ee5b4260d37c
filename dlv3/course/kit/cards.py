"""Cards: the small framed messages that questions and checks answer with.

A card says the same thing three ways, and never by colour alone: as plain text (which nbval compares and a screen
reader reads), as HTML with a mark and a coloured edge, and in its `kind`.
"""

import html
import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["right", "wrong", "open", "note"]

# Okabe-Ito: bluish green, vermillion, orange, blue. Each has a mark and a word beside it.
_EDGES: dict[Kind, str] = {"right": "#009E73", "wrong": "#D55E00", "open": "#E69F00", "note": "#0072B2"}
_MARKS: dict[Kind, str] = {"right": "✓", "wrong": "✗", "open": "…", "note": "→"}


def inline_html(text: str) -> str:
    """Return plain text as HTML: escaped, with `backticks` turned into code and line ends into breaks."""
    escaped = html.escape(text, quote=False)
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escaped).replace("\n", "<br>")


@dataclass(frozen=True)
class Card:
    """A message to the learner.

    Args:
        kind: what it means; it sets the mark and the colour of the edge.
        title: a few words.
        text: one or more sentences; `backticks` mark code.
        folded: what the learner sees only after unfolding it, such as an answer; the plain text leaves it out.
        summary: the line that unfolds it.
    """

    kind: Kind
    title: str
    text: str = ""
    folded: str = ""
    summary: str = "Show the answer"

    def __repr__(self) -> str:
        return f"{_MARKS[self.kind]} {self.title}" + (f"\n{self.text}" if self.text else "")

    def _repr_html_(self) -> str:
        body = f"<br>{inline_html(self.text)}" if self.text else ""
        if self.folded:
            body += f"<details><summary>{self.summary}</summary>{inline_html(self.folded)}</details>"
        return (
            f'<div class="dlv3-card dlv3-{self.kind}" role="status" style="border-left: 4px solid '
            f'{_EDGES[self.kind]}; padding: 6px 12px; margin: 4px 0; line-height: 1.5">'
            f"<strong>{_MARKS[self.kind]} {inline_html(self.title)}</strong>{body}</div>"
        )
