"""The front page: its text, and the tables that it takes from README.md and the lessons."""

import re
from pathlib import Path

import nbformat

from dlv3.course.kit.times import stated
from docs.figures import Figures
from docs.moving import moving_picture
from docs.settings import ROOT, Settings

_ROW = re.compile(r"^\| (\d\d) \| \[(.+?)\]\(notebooks/(\w+)\.ipynb\) \| (.*?) ?\| (.*?) \|$", re.M)


def front_page(text: str, notebooks: Path, settings: Settings, figures: Figures) -> str:
    """Put tables and addresses into the front page's text, in the place of `<!-- name -->`."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    parts = {
        "lessons": lesson_map(readme, notebooks),
        "findings": _between(readme, "findings"),
        "speed": _between(readme, "speed"),
        "badges": badges(settings),
        "scale": _introduction(readme),
        "moving": moving_picture(figures),
    }
    return re.sub(r"<!-- ([a-z]+) -->", lambda found: parts[found[1]], text)


def lesson_map(readme: str, notebooks: Path) -> str:
    """Return README's table of the lessons with the time that each takes, and the sum."""
    rows, together = [], 0
    for row in _ROW.findall(readme):
        number, title, stem, section, built = row
        path = notebooks / f"{stem}.ipynb"
        if path.exists():
            minutes = stated(nbformat.read(path, as_version=4)) or 0
            together += minutes
            rows.append(f"| {number} | [{title}](notebooks/{stem}.ipynb) | {minutes} | {section} | {built} |")
    heading = "| | lesson | minutes | the paper | you build |\n| --- | --- | --- | --- | --- |"
    return "\n".join(
        [heading, *rows, "", f"{len(rows)} lessons, about {round(together / 60)} hours together."]
    )


def badges(settings: Settings) -> str:
    """Return links that open the first lesson on Binder and Colab, if the repository's address is set."""
    links = settings.badges("notebooks/00_start_here.ipynb")
    return " · ".join(f"[Open on {name}]({address})" for name, address in links.items())


def _introduction(readme: str) -> str:
    """Return the words above README's table of findings."""
    above = readme.partition("<!-- findings:")[0]
    return above.rpartition("\n## ")[2].partition("\n")[2].strip()


def _between(readme: str, name: str) -> str:
    found = re.search(rf"<!-- {name}: .*?-->\n(.*?)<!-- end of {name} -->", readme, re.S)
    if found is None:
        raise ValueError(f"README.md: expected a block between '<!-- {name}: …' and '<!-- end of {name} -->'")
    return found[1]
