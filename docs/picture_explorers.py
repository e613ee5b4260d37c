"""Explorers whose pictures need tensors: on a page they show frames that were made beforehand, or a still picture."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode


@dataclass(frozen=True)
class Control:
    """A slider or a list: its label, its values as text, the place of the first one shown, and which it is."""

    label: str
    values: tuple[str, ...]
    start: int
    pick: bool = False


@dataclass(frozen=True)
class Frame:
    """A picture's address, and the sentence that describes it."""

    address: str
    words: str


def explorer(
    title: str,
    controls: Sequence[Control],
    frames: Mapping[tuple[int, ...], Frame],
    size: tuple[int, int],
    *,
    play: bool = False,
) -> str:
    """Write an explorer of frames.

    Args:
        title: a few words above it.
        controls: its controls, in the order of the places in `frames`.
        frames: the frame for each combination of places.
        size: the frames' width and height on the page.
        play: move the first slider on by itself, where the reader's system does not ask for less motion.
    """
    first = frames[tuple(control.start for control in controls)]
    facts = {
        "controls": [vars(control) for control in controls],
        "frames": {
            "-".join(map(str, places)): [frame.address, frame.words] for places, frame in frames.items()
        },
        "play": play,
    }
    data = html.escape(json.dumps(facts, ensure_ascii=False), quote=True)
    width, height = size
    return (
        f'<div class="dlv3-pictures" role="group" aria-label="{html.escape(title, quote=True)}" data-facts="{data}">'
        f'<p class="dlv3-title"><strong>{html.escape(title)}</strong></p>'
        f'<figure class="dlv3-figure"><img src="{first.address}" alt="{html.escape(first.words, quote=True)}" '
        f'width="{width}" height="{height}" loading="lazy" decoding="async"></figure>'
        f'<p class="dlv3-read-out" role="status">{html.escape(first.words)}</p></div>'
        "<script>dlv3.pictures(document.currentScript.previousElementSibling)</script>"
    )


def explorer_words(cell: NotebookNode) -> str | None:
    """Return what a picture explorer in a cell's outputs says, its title first; None if there is none."""
    for output in cell.outputs if cell.cell_type == "code" else []:
        words = "".join(output.get("data", {}).get("text/plain", ""))
        if "image/png" in output.get("data", {}) and re.search(r"\w*Explorer\(.*\)\n", words):
            return words
    return None


def still(words: str, image: str) -> str:
    """Write the stored picture of an explorer whose frames were not made."""
    first, _, says = words.partition("\n")
    title = re.split(r" \w*Explorer\(", first)[0]
    return (
        f'<div class="dlv3-pictures"><p class="dlv3-title"><strong>{html.escape(title)}</strong></p>{image}'
        f'<p class="dlv3-read-out">{html.escape(says)} (In JupyterLab its sliders move.)</p></div>'
    )
