"""Rendering of one notebook as the body of a page: formulas as MathML, explorers ready to mount, answers folded.

Formulas become MathML when the page is made, so a page needs no script and no font from elsewhere for them. Pygments
colours the code, and nbconvert renders Markdown and outputs.
"""

import base64
import html
import json
import mimetypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import nbformat
from latex2mathml.converter import convert as mathml
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, markdown2html_mistune
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

# Code spans and fences, which stay as they are; $$...$$; $...$ with no space just inside and no digit after it.
_CODE_OR_MATH = re.compile(
    r"(?P<code>```.*?```|``.+?``|`[^`\n]+`)|(?<!\\)\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<line>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?!\d)",
    re.S,
)
_IMAGE = re.compile(r'(<img[^>]*? src=")(?!data:|https?:)([^"]+)(")')
_NOTEBOOK_LINK = re.compile(r'(href=")(?![a-z]+:)([^"#]+)\.ipynb((?:#[^"]*)?")')


@dataclass(frozen=True)
class Page:
    """A rendered notebook: its file name without ending, title, first sentence, body, and the explorers it needs."""

    stem: str
    title: str
    summary: str
    body: str
    explorers: frozenset[str]


def render(path: Path) -> Page:
    """Render a notebook with the outputs stored in it; no cell is run."""
    notebook = nbformat.read(path, as_version=4)
    explorers: set[str] = set()
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            # JupyterLab's addresses of cells end in this id, so that links to cells work here, too.
            name = f"cell-id={html.escape(cell.id)}"
            parts.append(
                f'<section class="text_cell_render" id="{name}">{_markdown(cell, path.parent)}</section>'
            )
        elif cell.cell_type == "code" and cell.source.strip():
            parts.append(f'<div class="source">{_code(cell.source)}</div>')
            parts += [f'<div class="output">{_output(output, explorers)}</div>' for output in cell.outputs]
    title, summary = _opening(notebook)
    body = _NOTEBOOK_LINK.sub(r"\1\2.html\3", "\n".join(part for part in parts if part))
    return Page(path.stem, title or path.stem, summary, body, frozenset(explorers))


def formulas(markdown: str) -> tuple[str, list[str]]:
    """Take the LaTeX formulas out of Markdown, except those in code.

    Returns:
        The Markdown with a placeholder for each formula, which Markdown renderers leave as it is, and the formulas as
        MathML. `with_formulas` puts them back once the rest is HTML.
    """
    made: list[str] = []

    def replace(found: re.Match[str]) -> str:
        if found["code"]:
            return str(found["code"])
        made.append(mathml(found["block"] or found["line"], display="block" if found["block"] else "inline"))
        return _place(len(made) - 1)

    return _CODE_OR_MATH.sub(replace, markdown), made


def with_formulas(rendered: str, made: list[str]) -> str:
    """Put the formulas back in their places."""
    for number, formula in enumerate(made):
        rendered = rendered.replace(_place(number), formula)
    return rendered


def _place(number: int) -> str:
    return f"dlv3formula{number}x"


def _markdown(cell: NotebookNode, folder: Path) -> str:
    # nbconvert's own embedding parses each piece of HTML alone, and so closes a <details> before its content.
    renderer = IPythonRenderer(
        escape=False, attachments=cell.get("attachments", {}), embed_images=False, path=str(folder)
    )
    return _rendered(cell.source, MarkdownWithMath(renderer=renderer).render, folder)


def _rendered(source: str, to_html: Callable[[str], str], folder: Path | None = None) -> str:
    text, made = formulas(source)
    rendered = with_formulas(to_html(text), made)
    if folder is not None:
        rendered = _IMAGE.sub(lambda found: _embedded(found, folder), rendered)
    return re.sub(r"(<table.*?</table>)", r'<div class="scroll">\1</div>', rendered, flags=re.S)


def _embedded(image: re.Match[str], folder: Path) -> str:
    """Write a picture that lies beside the notebook into the page."""
    file = folder / image[2]
    kind = mimetypes.guess_type(file.name)[0] or "image/png"
    return f"{image[1]}data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}{image[3]}"


def _code(source: str) -> str:
    return str(highlight(source, PythonLexer(), HtmlFormatter(cssclass="highlight")))


def _output(output: NotebookNode, explorers: set[str]) -> str:
    """Render the richest form of an output that a page without a kernel can show."""
    if output.output_type == "stream":
        return f"<pre>{ansi2html(output.text)}</pre>"
    data = output.get("data", {})
    forms: dict[str, Callable[[], str]] = {
        "image/svg+xml": lambda: _svg(data["image/svg+xml"], explorers),
        "text/html": lambda: _folded(data["text/html"]),
        "image/png": lambda: _picture(data["image/png"], data.get("text/plain", "")),
        "text/markdown": lambda: _rendered(data["text/markdown"], markdown2html_mistune),
        "text/latex": lambda: _rendered(data["text/latex"], markdown2html_mistune),
        "text/plain": lambda: f"<pre>{ansi2html(data['text/plain'])}</pre>",
    }
    return next((form() for kind, form in forms.items() if kind in data), "")


def _svg(picture: str, explorers: set[str]) -> str:
    root = ElementTree.fromstring(picture)
    name = root.get("data-explorer")
    if name is None:
        return picture
    explorers.add(name)
    state = html.escape(json.dumps(json.loads(root.attrib["data-state"])), quote=True)
    return f'<div data-explorer-mount="{name}" data-state="{state}">{picture}</div>'


def _folded(card: str) -> str:
    """Fold a question's card, so that the reader can make a prediction first; no cell of a page can run again."""
    answer = re.search(r"<details><summary>[^<]*</summary>(The answer:.*?)</details>", card, re.S)
    if "dlv3-note" in card and answer:
        shown = re.sub(r"<strong>.*</details>", lambda _: answer[1], card, count=1, flags=re.S)
        return f"<details><summary>I have made my prediction: show the answer</summary>{shown}</details>"
    return card


def _picture(png: str, text: str) -> str:
    words = "" if text.startswith("<") else text.partition("\n")[2]
    caption = (
        f"<figcaption>{html.escape(words)} (In JupyterLab its sliders move.)</figcaption>" if words else ""
    )
    alt = html.escape(words, quote=True) or "A figure; the text around it says what it shows."
    source = png.replace("\n", "")
    return f'<figure><img src="data:image/png;base64,{source}" alt="{alt}">{caption}</figure>'


def _opening(notebook: NotebookNode) -> tuple[str, str]:
    """Return the first heading, and the first sentence after it, as plain text."""
    words = "\n".join(cell.source for cell in notebook.cells[:3] if cell.cell_type == "markdown")
    heading = re.search(r"^#\s+(.+)$", words, re.M)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words[heading.end() :] if heading else words)
    plain = re.sub(r"[*`$]", "", text)
    lines = [
        line.strip()
        for line in plain.splitlines()
        if line.strip() and not line.startswith(("#", "|", "-", "<", ">"))
    ]
    sentence = re.match(r".+?[.?!](?=\s|$)", " ".join(lines[:3]))
    return (heading[1].strip() if heading else ""), (sentence[0] if sentence else "")
