"""Moving an explorer the way a hand on the keyboard does, and seeing what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import ElementHandle, Page

_READ_OUT = ".dx-says, .dx-tiles, .dlv3-read-out"


@dataclass(frozen=True)
class Look:
    """An explorer at one moment: its picture, its words, and how much room it takes."""

    picture: str
    words: str
    box: tuple[float, float]


def look(explorer: ElementHandle) -> Look:
    picture, words, width, height = explorer.evaluate(
        "(e, words) => { const r = e.getBoundingClientRect();"
        " return [e.querySelector('.dx-figure')?.innerHTML ?? e.querySelector('img').src,"
        " [...e.querySelectorAll(words)].map((n) => n.textContent).join(' '), r.width, r.height] }",
        _READ_OUT,
    )
    return Look(picture, words, (width, height))


def values(explorer: ElementHandle) -> list[str]:
    """What its sliders stand at."""
    return explorer.evaluate(
        "(e) => [...e.querySelectorAll('input[type=range], .noUi-handle')]"
        ".map((n) => n.value ?? n.getAttribute('aria-valuenow'))"
    )


def press(page: Page, handle: ElementHandle, key: str, explorer: ElementHandle) -> bool:
    """Press a key on a slider; whether it moved."""
    before = values(explorer)
    handle.focus()
    page.keyboard.press(key)
    return values(explorer) != before


def changed(page: Page, explorer: ElementHandle, before: Look, timeout: float = 10_000) -> Look:
    """The explorer once its picture and its words differ from before; fails where they never do."""
    page.wait_for_function(
        "([e, picture, words, read]) =>"
        " (e.querySelector('.dx-figure')?.innerHTML ?? e.querySelector('img').src) !== picture"
        " && [...e.querySelectorAll(read)].map((n) => n.textContent).join(' ') !== words",
        arg=[explorer, before.picture, before.words, _READ_OUT],
        timeout=timeout,
    )
    return look(explorer)


def move_every_slider(page: Page, explorer: ElementHandle) -> int:
    """Move each slider that can move by one key press and require a new picture, new words and the same room.

    Returns:
        How many sliders moved.
    """
    moved = 0
    for handle in explorer.query_selector_all("input[type=range]:not(:disabled), .noUi-handle"):
        before = look(explorer)
        if press(page, handle, "ArrowRight", explorer) or press(page, handle, "ArrowLeft", explorer):
            after = changed(page, explorer, before)
            assert handle.get_attribute("aria-valuetext"), "it tells its position and not its value"
            assert after.box == before.box, "the explorer changed its size, so what is below it jumped"
            moved += 1
    return moved
