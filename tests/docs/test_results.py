"""The page of results in the book: an overview and a page for each group of tables, with nothing lost between them."""

import re

from docs.results import result_pages
from docs.settings import ROOT

TEXT = (ROOT / "data" / "results" / "README.md").read_text(encoding="utf-8")
PAGES = result_pages(TEXT)
_PICTURE = re.compile(r"!\[[^\]]*\]\(.*?\)")


def test_every_picture_and_every_row_is_on_one_page():
    together = "\n".join(PAGES.values())
    assert sorted(_PICTURE.findall(TEXT)) == sorted(_PICTURE.findall(together))
    rows = [line for line in TEXT.splitlines() if line.startswith("| ")]
    assert len(rows) > 500
    assert sorted(rows) == sorted(line for line in together.splitlines() if line.startswith("| "))
    words = set(re.findall(r"\w+", TEXT))
    assert words <= set(re.findall(r"\w+", together))


def test_overview_has_the_rules_and_findings_and_leads_to_the_tables():
    overview = PAGES["README.md"]
    for words in ("**within noise**", "## Claims reproduced, by table", "## Headline findings"):
        assert words in overview
    assert not re.search(r"figures/\w+/T\d", overview)
    others = set(PAGES) - {"README.md"}
    assert {"quarter.md", "laptop.md", "laptop-probes.md", "laptop-studies.md"} <= others
    assert set(re.findall(r"\]\((\S+\.md)\)", overview.partition("## Every table")[2])) == others
    assert {f"{name}.md" for name in re.findall(r" <(\S+)>$", overview, re.M)} == others


def test_every_table_has_a_heading_above_its_figure():
    for name, page in PAGES.items():
        tables = re.findall(r"^## (\w+): .+\n\n!\[(\w+): ", page, re.M)
        assert all(heading == figure for heading, figure in tables)
        assert len(tables) == len(_PICTURE.findall(page)) or name == "README.md"


def test_page_without_tables_is_left_as_it_is():
    text = "# Results\n\nNone yet.\n\n## Later\n\nSome.\n"
    assert result_pages(text) == {"README.md": text}
