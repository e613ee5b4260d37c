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


@pytest.mark.filterwarnings("error")
def test_options_are_read_without_a_warning():
    assert parser("evaluate").prog == "dlv3 evaluate"
