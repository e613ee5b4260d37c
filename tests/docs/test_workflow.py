"""The workflow that publishes the book runs what `make site` runs, with options and extras that exist."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from docs.__main__ import command_line
from docs.live.files import NEEDED
from docs.settings import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text(encoding="utf-8"))
JOB = WORKFLOW["jobs"]["publish"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def step(uses: str) -> dict:
    """The settings of the step that uses an action."""
    return next(each for each in JOB["steps"] if each.get("uses", "").startswith(f"{uses}@"))["with"]


@pytest.fixture(scope="module")
def commands() -> list[list[str]]:
    """The words of each command, with an address in the place of what only the service knows."""
    runs = [each["run"] for each in JOB["steps"] if "run" in each]
    return [shlex.split(re.sub(r"\$\{\{.*?\}\}", "https://example.org", run)) for run in runs]


def test_book_is_made_by_the_commands_of_the_makefile(commands):
    recipe = (ROOT / "Makefile").read_text().partition("\nsite:")[2].partition("\n\n")[0]
    local = re.findall(r"\$\(BIN\)/python -m (docs\S*)", recipe)
    assert local == ["docs.frames", "docs.live", "docs"]
    assert [words[2] for words in commands if words[:2] == ["python", "-m"]] == local
    for name in local:
        folder = ROOT / Path(*name.split("."))
        assert folder.with_suffix(".py").exists() or (folder / "__main__.py").exists()


def test_book_is_written_where_it_is_published_from_with_its_addresses(commands):
    words = next(words for words in commands if words[2:3] == ["docs"])
    given = command_line().parse_args(words[3:])
    assert str(given.out) == step("actions/upload-pages-artifact")["path"]
    assert given.repository.startswith("https://")
    assert given.address.startswith("https://")


def test_what_is_installed_exists_and_suffices(commands):
    own = next(word for words in commands for word in words if word.startswith(".["))
    extras = own[2:-1].split(",")
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    packages = {
        re.split(r"[><=\[ ]", line)[0] for name in extras for line in PROJECT["optional-dependencies"][name]
    }
    assert {*NEEDED, "sphinx", "myst-nb"} <= packages
    asked, least = (
        tuple(map(int, re.findall(r"\d+", version)))
        for version in (step("actions/setup-python")["python-version"], PROJECT["requires-python"])
    )
    assert asked >= least


def test_job_may_publish_and_nothing_else():
    assert WORKFLOW["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    assert JOB["environment"]["name"] == "github-pages"
    used = [each["uses"].partition("@")[0] for each in JOB["steps"] if "uses" in each]
    assert used[0] == "actions/checkout"
    assert used[-2:] == ["actions/upload-pages-artifact", "actions/deploy-pages"]
