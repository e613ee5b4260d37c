"""The pages of the command line have every option of every command, from the parsers themselves."""

import pytest

from dlv3.cli import data
from dlv3.cli.main import COMMANDS
from docs.commands import command_pages, parser


def test_every_command_has_a_page_with_its_options():
    pages = command_pages()
    assert set(pages) == {f"command-{name}.md" for name in COMMANDS}
    for name in COMMANDS:
        assert pages[f"command-{name}.md"].count("<dt>") > 0, name
    for name in data.COMMANDS:
        assert f"## dlv3 data {name}" in pages["command-data.md"]


def test_options_are_those_of_the_parser_with_their_help():
    page = command_pages()["command-train.md"]
    for action in parser("train")._actions:
        for option in action.option_strings[:1]:
            assert option == "-h" or f"<code>{option}" in page
    assert "the published recipe" in page
    assert [line for line in page.splitlines() if line.startswith("## ")][:2] == ["## Options", "## Model"]


def test_pages_say_no_default_where_there_is_none():
    together = "\n".join(command_pages().values())
    assert "(default: 16)" in together
    for words in ("(default: None)", "(default: )"):
        assert words not in together
    assert "<code>--resume</code> <span></span></dt><dd>Continue the run" in together
    assert "begin it.</dd>" in together, "a flag that is left out is not set"
    assert "(default: False)" in together, "said of a flag that has a --no-"
    assert "<code>--num-classes</code> <span>INT</span>" in together
    assert "<code>--max-side</code> <span>{None}|INT</span>" in together, "None is a value of this option"


@pytest.mark.filterwarnings("error")
def test_options_are_read_without_a_warning():
    assert parser("evaluate").prog == "dlv3 evaluate"
