"""The folder that Sphinx reads: pages, project files and lessons, laid out as in the repository.

A file is written only where its text has changed, so that a second build reads the changed pages alone.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat

from dlv3.files import write_atomically
from docs.commands import command_pages
from docs.explorers import write_scripts
from docs.figures import Figures
from docs.frames import FRAMES, frames_of
from docs.front import front_page
from docs.lessons import glossary_addresses, page_of
from docs.live.files import LIVE, put
from docs.live.links import link_from
from docs.moving import preview
from docs.results import result_pages
from docs.settings import ROOT, Settings

# The project's own pages that are part of the book, at the same places as in the repository.
PROJECT_PAGES = (
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "data/README.md",
    "data/results/README.md",
    "data/benchmarks/README.md",
    "dlv3/course/README.md",
)
_LINK = re.compile(r"(?<!!)\[([^\]\[]*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\((?![a-z]+:)([^)\s]+)\)")


def stage(folder: Path, extra: Path, notebooks: Path, settings: Settings) -> list[str]:
    """Write what Sphinx reads.

    Args:
        folder: Sphinx's source folder.
        extra: files that go into the book as they are.
        notebooks: the folder of the lessons.
        settings: the book's addresses.

    Returns:
        The names of the lessons, in their order.
    """
    kept = {folder / "notebooks" / path.name for path in notebooks.glob("*.ipynb")}
    lessons = sorted(kept)
    figures, front = Figures(extra / "figures", "../figures"), Figures(extra / "figures", "figures")
    addresses = glossary_addresses(notebooks)
    live = put(LIVE, extra / "live")
    for path in lessons:
        page = page_of(notebooks / path.name, figures, _how_to_run(path.name, settings), addresses)
        page.cells += link_from(path.stem)
        _write(path, nbformat.writes(page) + "\n")
    for name in PROJECT_PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        pages = result_pages(text) if name == "data/results/README.md" else {Path(name).name: text}
        below = Figures(extra / "figures", f"{'../' * name.count('/')}figures")
        for file, part in pages.items():
            target = folder / Path(name).with_name(file)
            _write(target, _project_page(part, Path(name).with_name(file), settings, below, set(pages)))
            kept |= {target, *below.written}
    for path in (ROOT / "docs" / "pages").rglob("*.md"):
        target = folder / path.relative_to(ROOT / "docs" / "pages")
        text = path.read_text(encoding="utf-8")
        if target == folder / "index.md":
            text = _with_pictures(front_page(text, notebooks, settings, front), ROOT, front)
        elif target == folder / "live.md":
            text = text.replace("<!-- live -->", live)
        _write(target, text)
        kept.add(target)
    for name, text in command_pages().items():
        _write(folder / "reference" / name, text)
        kept.add(folder / "reference" / name)
    for name in (path.stem for path in lessons):
        if frames_of(notebooks / f"{name}.ipynb") is not None:
            for frame in (FRAMES / name).glob("*.webp"):
                _copied(frame, extra / "frames" / name / frame.name)
    write_scripts(extra / "_static" / "explorers")
    if settings.address:
        preview(extra / "_static" / "preview.png")
    kept |= figures.written | front.written
    for path in [*folder.rglob("*"), *figures.folder.iterdir()]:
        if path.is_file() and path not in kept:
            path.unlink()
    return [path.stem for path in lessons]


def _how_to_run(name: str, settings: Settings) -> str:
    services = [
        f'<a href="{url}">{service}</a>' for service, url in settings.badges(f"notebooks/{name}").items()
    ]
    elsewhere = f", or open the lesson on {' or '.join(services)}" if services else ""
    return f"To run it and have it checked at once, call <code>dlv3 lab</code> and open <code>{name}</code>{elsewhere}."


def _project_page(text: str, name: Path, settings: Settings, figures: Figures, parts: set[str]) -> str:
    """Return the text of one of the project's pages with its pictures, and with links that lead somewhere."""
    text = _with_pictures(text, ROOT / name.parent, figures)
    return _outside_code(text, lambda part: _LINK.sub(lambda link: _led(link, name, settings, parts), part))


def _with_pictures(text: str, folder: Path, figures: Figures) -> str:
    return _IMAGE.sub(lambda found: figures.file(folder / found[2], found[1]), text)


def _led(link: re.Match[str], page: Path, settings: Settings, parts: set[str]) -> str:
    """Return a link that leads somewhere from the book: to a page, to the source, or nowhere, as plain words."""
    target = os.path.normpath(page.parent / link[2])
    if target in PROJECT_PAGES or target.startswith("notebooks/") or link[2] in parts:
        return link[0]
    if target == "README.md":
        return f"[{link[1]}](/index.md)"
    address = settings.source(target)
    return f"[{link[1]}]({address})" if address else link[1]


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    parts = re.split(r"(```.*?```|`[^`\n]+`)", text, flags=re.S)
    return "".join(part if part.startswith("`") else change(part) for part in parts)


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())


def _copied(source: Path, target: Path) -> Path:
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return target
