"""Sphinx's configuration of the web book. `python -m docs` lays its pages out and calls Sphinx."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import dlv3
from docs.settings import TITLE

project = TITLE
author = "The dlv3 authors"
copyright = "the dlv3 authors, MIT licence"
version = release = dlv3.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxext.opengraph",
    "docs.mathematics",
    "docs.pages_extension",
]
exclude_patterns: list[str] = []
default_role = "code"
nitpicky = True
# Names that a module imports for its type hints only, and an error of an internal module.
nitpick_ignore_regex = [("py:.*", r"InferenceModel|DataclassInstance|WorkerLost|t\.Any|np\.ndarray")]
# The lessons are shown as they are stored.
nb_execution_mode = "off"
nb_render_markdown_format = "gfm"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence", "attrs_inline", "attrs_block"]
myst_heading_anchors = 4
myst_dmath_allow_space = False
html_math_renderer = "mathml"
# Pages of the repository begin below a level-one heading or skip one where GitHub's readers want them to.
suppress_warnings = ["myst.header"]

# A parameter a line where a line is not enough; a phone's line is shorter than a screen's.
maximum_signature_line_length = 72
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "sphinx_book_theme"
html_title = TITLE
html_favicon = "static/favicon.svg"
ogp_social_cards = {"enable": False}
ogp_image_alt = "A made scene, its true classes, and a network's answer at three output strides"
html_static_path = ["static"]
html_css_files = ["explorers/explorers.css", "book.css"]
html_js_files = [("numbers.js", {"priority": 90}), ("book.js", {"priority": 100})]
templates_path = ["templates"]
html_sidebars = {"**": ["book-title.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
html_context = {"default_mode": "auto"}
html_copy_source = True
html_show_sourcelink = False
html_show_sphinx = False
html_domain_indices = False
html_last_updated_fmt = None
copybutton_exclude = ".linenos, .gp, .go"
# A block without a language is words.
highlight_language = "none"
pygments_style = "a11y-high-contrast-light"


html_theme_options = {
    "path_to_docs": "",
    "show_navbar_depth": 1,
    "max_navbar_depth": 2,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "home_page_in_toc": False,
    "search_bar_text": "Search the book",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": False,
    "toc_title": "On this page",
    "navbar_persistent": [],
    "footer_content_items": ["copyright"],
}
