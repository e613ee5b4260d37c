import pytest

from dlv3.markdown import Block, table

BLOCK = Block("findings", "some command")


def test_a_table_is_a_head_a_rule_and_lines():
    assert table(["a", ""], [["1", "2"], ["3", ""]]) == "| a |  |\n| --- | --- |\n| 1 | 2 |\n| 3 |  |"


def test_a_block_replaces_what_stood_between_its_markers_and_nothing_else(tmp_path):
    page = tmp_path / "README.md"
    markers = ("<!-- findings: written by some command -->", "<!-- end of findings -->")
    page.write_text(f"before\n{markers[0]}\nold\n{markers[1]}\nafter\n")
    once = BLOCK.placed("new", page)
    assert once == f"before\n{markers[0]}\nnew\n{markers[1]}\nafter\n"
    page.write_text(once)
    assert BLOCK.placed("new", page) == once


@pytest.mark.parametrize("text", ["", BLOCK.opening, f"{BLOCK.closing}\n{BLOCK.opening}"])
def test_a_page_without_both_markers_in_order_is_refused(text, tmp_path):
    page = tmp_path / "README.md"
    page.write_text(text)
    with pytest.raises(ValueError, match=r"README.md: has no place for the findings; add the lines"):
        BLOCK.placed("new", page)


def test_a_page_that_is_not_text_is_named(tmp_path):
    page = tmp_path / "README.md"
    page.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"README.md: is not a text file \(UTF-8\)"):
        BLOCK.placed("new", page)
