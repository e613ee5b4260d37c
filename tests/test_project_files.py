"""The files around the package say what is true: links lead somewhere, versions agree, hooks run what is installed."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

import dlv3

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", "dlv3/course/README.md")


@pytest.mark.parametrize("name", PAGES)
def test_links_to_files_lead_somewhere(name: str):
    page = ROOT / name
    links = re.findall(
        r"\]\((?!https?://|#)([^)#\s]+)", re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.S)
    )
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_paths_in_the_text_exist(name: str):
    """Paths in backticks that begin with a folder of the repository, as they are or under dlv3/."""
    paths = re.findall(
        r"`((?:dlv3|tests|notebooks|benchmarks|data)/[\w./-]*\w)/?`", (ROOT / name).read_text()
    )
    made = {"data/voc", "data/voc/VOCdevkit/VOC2012", "data/voc/sbd"}
    gone = {"data/weights"}  # in the changelog's list of moved files
    known = [path for path in paths if "NN" not in path and path not in made | gone]
    assert [path for path in known if not (ROOT / path).exists()] == []


def test_front_page_is_short_and_has_every_lesson():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    linked = set(re.findall(r"\(notebooks/([^)]+)\)", text))
    assert linked == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}


def test_version_is_cited_and_in_the_changelog():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == dlv3.__version__
    assert cited["references"][0]["url"] == "https://arxiv.org/abs/1706.05587"
    assert f"## [{dlv3.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_targets_that_the_pages_name_are_the_makefiles():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {
        target
        for name in PAGES
        for target in re.findall(r"\bmake ([a-z]+)\b(?=`|\s{2}|,| ARGS)", (ROOT / name).read_text())
    }
    assert named - targets == set()
    assert {"lab", "test", "check", "lint", "format", "coverage", "site", "clean"} <= targets


def test_hooks_download_nothing_and_run_what_is_installed():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert [hook["id"] for hook in hooks] == ["ruff", "ruff-format", "mypy", "notebooks"]
    beside_python = Path(sys.executable).parent
    for hook in hooks:
        command = hook["entry"].split()[0]
        assert shutil.which(command, path=str(beside_python)) or shutil.which(command), command
