"""The book's extension of Sphinx: addresses, icons, and what a page does not need."""

import re
import sys
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, get_type_hints
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform

from dlv3.files import write_atomically
from docs.settings import Settings

# The theme's icons on our pages. The theme's script for all 2,000 icons takes 1.5 MB.
ICONS = (
    "angle-left", "angle-right", "arrow-up", "bars", "chevron-down", "circle-half-stroke", "download", "file",
    "file-code", "file-pdf", "house", "list", "magnifying-glass", "moon", "outdent", "pause", "play", "rocket", "sun",
)  # fmt: skip
_UNUSED_RULES = re.compile(
    r"""@font-face\{[^}]*\}|\.fa-[\w-]+(?:,\.fa-[\w-]+)*\{--fa:"[^"]*"[^}]*\}"""
    # The theme's other icons are letters of fonts that no page loads: a reader would see empty boxes.
    r"""|content:var\(--pst-(?:icon-[\w-]+|breadcrumb-divider)\);?"""
)
PREVIEW = "preview.png"
_ONE_LINE = 24
_OLD_NAMES = {"home": "house"}


class NamedColumns(SphinxPostTransform):
    """Give a table's empty heads a name that screen readers say."""

    default_priority = 900
    formats = ("html",)

    def run(self, **options: Any) -> None:
        """Fill them."""
        for head in self.document.findall(nodes.thead):
            for entry in head.findall(nodes.entry):
                if not entry.astext().strip():
                    name = '<span class="visually-hidden">Row</span>'
                    entry.children = []
                    entry += nodes.paragraph("", "", nodes.raw("", name, format="html"))


class TableCells(SphinxPostTransform):
    """Mark the cells whose text stays on one line, such as "+21.6 [+17.5, +25.8]", and those with sentences."""

    default_priority = 890
    formats = ("html",)

    def run(self, **options: Any) -> None:
        """Mark them."""
        for entry in self.document.findall(nodes.entry):
            text = entry.astext()
            if (
                re.search(r"\d", text)
                and len(text) <= _ONE_LINE
                and len(re.findall(r"[^\W\d]{2,}", text)) < 2
            ):
                entry["classes"].append("dlv3-value")
            elif len(text) > _ONE_LINE:
                entry["classes"].append("dlv3-words")


def icon_styles() -> str:
    """Return a style sheet with the icons, from the theme's own script."""
    theme = files("pydata_sphinx_theme").joinpath("theme/pydata_sphinx_theme/static/scripts/fontawesome.js")
    script = theme.read_text(encoding="utf-8")
    rules = [
        ".fa-solid::before, .fas::before { content: ''; display: inline-block; width: 1em; height: 1em;"
        " vertical-align: -.125em; background: currentColor; mask: var(--icon) center / contain no-repeat; }"
    ]
    names = {name: name for name in ICONS} | _OLD_NAMES
    for name, drawn in names.items():
        # Of equal names, the solid icon comes last in the script.
        found = re.findall(rf'[{{,]"?{drawn}"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]', script)
        if not found:
            raise ValueError(f"the theme has no icon {drawn!r}")
        width, height, path = found[-1]
        drawing = (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'><path d='{path}'/></svg>"
        )
        address = drawing.replace("<", "%3C").replace(">", "%3E").replace("#", "%23")
        rules.append(f'.fa-{name} {{ --icon: url("data:image/svg+xml,{address}"); }}')
    return "\n".join(rules) + "\n"


def _addresses(app: Sphinx, config: Config) -> None:
    repository, branch, address = config.dlv3_settings
    settings = Settings(repository, branch, address)
    options: dict[str, Any] = config.html_theme_options
    if settings.repository:
        options |= {
            "repository_url": settings.repository,
            "repository_branch": settings.branch,
            "use_repository_button": True,
            "launch_buttons": {
                "binderhub_url": "https://mybinder.org",
                "colab_url": "https://colab.research.google.com",
            },
        }
    config.ogp_site_url = settings.address
    config.ogp_image = f"{settings.address}_static/{PREVIEW}" if settings.address else None


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    write_atomically(static / "icons.css", icon_styles().encode())
    # 3.7 MB that no page needs, and a quarter of the theme's style sheet, about icons and their fonts.
    for unused in (*static.glob("scripts/fontawesome*"), *static.rglob("*.map"), *static.rglob("fa-*.woff2")):
        unused.unlink(missing_ok=True)
    sheet = static / "styles" / "pydata-sphinx-theme.css"
    write_atomically(sheet, _UNUSED_RULES.sub("", sheet.read_text(encoding="utf-8")).encode())
    address = app.config.dlv3_settings[2]
    if address:
        names = sorted(f"{name}.html" for name in app.env.found_docs if name != "404")
        write_atomically(out / "sitemap.xml", sitemap([f"{address}{name}" for name in names]).encode())


def sitemap(addresses: list[str]) -> str:
    """Return a sitemap of the pages, as search engines read it."""
    places = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{places}</urlset>\n"


# Sphinx writes a long signature's parameters as a list of descriptions without terms, which is no valid list.
_LONG_SIGNATURE = re.compile(r'<dl>\s*((?:<dd><em class="sig-param">.*?</dd>\s*)+)</dl>', re.S)


def _in_lines(found: re.Match[str]) -> str:
    lines = found[1].replace("<dd>", "<span>").replace("</dd>", "</span>")
    return f'<span class="dlv3-parameters">{lines}</span>'


def _page(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Mend signatures, and tell the template the book's address: "not here" is shown at any depth."""
    if "body" in context:
        context["body"] = _LONG_SIGNATURE.sub(_in_lines, context["body"])
    context["dlv3_base"] = app.config.dlv3_settings[2] if name == "404" else ""


_VALUES = ("attribute", "data", "property")
# A star that no other one ends is not emphasis.
_STAR = re.compile(r"(?<![^\s(\[])(\*{1,2})(?!\*|\S[^*]*\1)")
_docstrings: dict[str, list[str]] = {}


def _before_napoleon(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make a docstring mean in reStructuredText what it means to its reader."""
    lines[:] = _with_lists([_STAR.sub(lambda star: "\\*" * len(star[1]), line) for line in lines])
    if what in _VALUES:
        _docstrings[name] = list(lines)


def _with_lists(lines: list[str]) -> list[str]:
    """Put an empty line before each list: without it, reStructuredText reads on in the paragraph above."""
    parted: list[str] = []
    for line in lines:
        indent = re.match(r" *(?=- )", line)
        above = parted[-1] if parted else ""
        if indent and above.strip() and re.match(rf"{indent[0]}[^\s-]", above):
            parted.append("")
        parted.append(line)
    return parted


def _after_napoleon(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Undo what Napoleon does to a value's docstring: it takes what stands before a colon for the type."""
    if what in _VALUES:
        lines[:] = _docstrings.pop(name)


def _known(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """Accept a reference to a name that exists and that no page describes: of another package, or internal."""
    target = str(node.get("reftarget", ""))
    if node.get("refdomain") != "py":
        return None
    return content if _exists(target) else None


def _plain_types(app: Sphinx) -> None:
    """Describe fields by their types alone: their ranges stand on the pages of the command line."""
    for name in [name for name in sys.modules if name.startswith("dlv3.")]:
        for found in list(vars(sys.modules[name]).values()):
            if (
                isinstance(found, type)
                and found.__module__ == name
                and "Annotated[" in str(found.__annotations__)
            ):
                plain = get_type_hints(found)
                made_by: dict[str, Any] = getattr(vars(found).get("__init__"), "__annotations__", {})
                for annotations in (found.__annotations__, made_by):
                    annotations |= {field: plain[field] for field in set(annotations) & set(plain)}


def _outputs_aside(app: Sphinx) -> None:
    """Keep the files that myst-nb makes of a lesson's outputs with what Sphinx has read, and not beside the book."""
    env: Any = app.env
    env.mystnb_config = env.mystnb_config.copy(output_folder=str(Path(app.doctreedir) / "outputs"))


@cache
def _exists(name: str) -> bool:
    module, _, rest = name.rpartition(".")
    attributes = [rest]
    while module:
        try:
            found: Any = import_module(module)
        except ImportError:
            module, _, last = module.rpartition(".")
            attributes.insert(0, last)
            continue
        for attribute in attributes:
            found = getattr(found, attribute, None)
        return found is not None
    return False


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_config_value("dlv3_settings", ("", "main", ""), "env")
    app.connect("config-inited", _addresses, priority=100)
    app.connect("html-page-context", _page)
    app.connect("build-finished", _finish)
    app.connect("autodoc-process-docstring", _before_napoleon, priority=100)
    app.connect("autodoc-process-docstring", _after_napoleon, priority=900)
    app.add_post_transform(NamedColumns)
    app.add_post_transform(TableCells)
    app.connect("builder-inited", _plain_types)
    app.connect("builder-inited", _outputs_aside, priority=900)
    app.connect("missing-reference", _known)
    app.add_css_file("icons.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
