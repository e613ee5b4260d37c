"""The whole course as a static site: `python -m dlv3.course.kit.site --out site`.

The pages need no network, no kernel and no server: a browser can open them from a folder. The browser-drawn explorers
work in them; the outputs are those stored in the notebooks.
"""

import argparse
import html
import shutil
from pathlib import Path
from string import Template

from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES

from dlv3.course.kit import javascript
from dlv3.course.kit.explorer import explorers
from dlv3.course.kit.pages import Page, render
from dlv3.files import write_atomically

TITLE = "DeepLabv3, step by step"
ABOUT = (
    "From one atrous convolution to a complete, trained DeepLabv3. The explorers on these pages move; to run and "
    "change the code, and to have your exercises checked, open the same lessons in JupyterLab (<code>make lab</code>)."
)


def build(notebooks: Path, out: Path) -> list[Path]:
    """Write the site.

    Args:
        notebooks: the folder of the lessons; every .ipynb in it becomes a page, in the order of the file names:
            the numbered lessons, then the glossary.
        out: the site's folder; an older site in it is replaced.

    Returns:
        The files of the pages, index first.

    Raises:
        ValueError: there are no notebooks in the folder, or `out` holds something other than a site.
    """
    paths = sorted(notebooks.glob("*.ipynb"))
    if not paths:
        raise ValueError(
            f"notebooks={str(notebooks)!r}: no .ipynb files there; give the folder of the lessons"
        )
    if out.exists():
        if any(out.iterdir()) and not (out / "assets" / "site.css").exists():
            raise ValueError(f"out={str(out)!r}: the folder holds something else; give a new or empty one")
        shutil.rmtree(out)
    (out / "assets").mkdir(parents=True)
    pages = [render(path) for path in paths]
    _assets(out / "assets", sorted(frozenset().union(*(page.explorers for page in pages))))
    written = [out / "index.html"]
    write_atomically(written[0], _filled(TITLE, _index(pages), pages, current=None).encode())
    for number, page in enumerate(pages):
        written.append(out / f"{page.stem}.html")
        write_atomically(written[-1], _filled(page.title, page.body, pages, current=number).encode())
    return written


def _filled(title: str, body: str, pages: list[Page], current: int | None) -> str:
    here = " aria-current=page"
    nav = "".join(
        f'<li><a href="{page.stem}.html"{here if number == current else ""}>{html.escape(page.title)}</a></li>'
        for number, page in enumerate(pages)
    )
    # Lessons follow one another like the pages of a book; the glossary is not one of them.
    lessons = [page for page in pages if _is_lesson(page)]
    place = lessons.index(pages[current]) if current is not None and pages[current] in lessons else None
    before = lessons[place - 1] if place else None
    after = lessons[place + 1] if place is not None and place + 1 < len(lessons) else None
    turn = "".join(
        f'<a href="{page.stem}.html">{words.format(html.escape(page.title))}</a>' if page else "<span></span>"
        for page, words in ((before, "← {}"), (after, "{} →"))
    )
    template = Template(javascript.source("page.html"))
    return template.substitute(title=html.escape(title), nav=nav, body=body, turn=turn)


def _is_lesson(page: Page) -> bool:
    return page.stem[:2].isdigit()


def _index(pages: list[Page]) -> str:
    items = "".join(
        f'<li><a href="{page.stem}.html">{html.escape(page.title)}</a><p>{html.escape(page.summary)}</p></li>'
        for page in pages
    )
    return f'<h1>{TITLE}</h1><p>{ABOUT}</p><ol class="index">{items}</ol>'


def _assets(folder: Path, names: list[str]) -> None:
    sheet = javascript.source("site.css") + _code_colours() + javascript.style()
    write_atomically(folder / "site.css", sheet.encode())
    scripts = ["window.dlv3Explorers = {};\n"]
    for name in names:
        # Ordinary scripts: a browser does not load modules into a page that was opened from a folder.
        mount = f"window.dlv3Explorers.{name} = (model, el) => mount({javascript.variable(name)}, model, el);"
        scripts.append(f"(() => {{\n{explorers()[name].program}\n{mount}\n}})();\n")
    write_atomically(folder / "explorers.js", "".join(scripts).encode())
    for file in ("site.js", "theme.js"):
        write_atomically(folder / file, javascript.source(file).encode())


def _code_colours(light: str = "default", dark: str = "github-dark") -> str:
    """Return Pygments' colours for the light and the dark scheme as one style sheet."""
    rules = []
    dark_style = get_style_by_name(dark)
    for token, style in get_style_by_name(light):
        name, other = STANDARD_TYPES.get(token), dark_style.style_for_token(token)
        if name and (style["color"] or other["color"]):
            colour = f"light-dark(#{style['color'] or '1c2024'}, #{other['color'] or 'e6edf3'})"
            rules.append(f".highlight .{name} {{ color: {colour}; }}\n")
    return "".join(rules)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=f"Write the course as a static site. {ABOUT.partition('.')[0]}."
    )
    parser.add_argument("--notebooks", type=Path, default=Path("notebooks"), help="the folder of the lessons")
    parser.add_argument("--out", type=Path, default=Path("site"), help="the folder to write")
    arguments = parser.parse_args()
    pages = build(arguments.notebooks, arguments.out)
    print(f"{len(pages)} pages; open {pages[0]}")


if __name__ == "__main__":
    main()
