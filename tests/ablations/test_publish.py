"""The published report is what the records say, and stays so."""

from pathlib import Path

import pytest
from made_records import made_records

from dlv3.ablations.publish import FRONT_BLOCK, page, publish
from dlv3.ablations.report import findings, verdicts
from dlv3.ablations.results import read

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "data" / "results"


def test_pages_in_the_repository_follow_from_its_records():
    records = read(RESULTS)
    command = "python -m dlv3 ablate --publish README.md"
    assert (RESULTS / "README.md").read_text() == page(records, "laptop"), f"run: {command}"
    front = ROOT / "README.md"
    assert front.read_text() == FRONT_BLOCK.placed(findings(records, "laptop"), front), f"run: {command}"


def test_every_recorded_table_has_its_figure():
    recorded = {record.table for record in read(RESULTS)}
    assert {path.stem for path in (RESULTS / "figures").glob("*.svg")} == recorded


@pytest.fixture
def project(tmp_path):
    for record in made_records("T1") + made_records("T3"):
        record.write(tmp_path / "results")
    (tmp_path / "README.md").write_text(f"before\n{FRONT_BLOCK.opening}\nold\n{FRONT_BLOCK.closing}\nafter\n")
    return tmp_path


def test_publishing_writes_pages_and_figures_and_is_repeatable(project):
    written = publish(project / "results", project / "README.md", "laptop")
    names = {path.relative_to(project).as_posix() for path in written}
    assert names == {"README.md", "results/README.md", "results/figures/T1.svg", "results/figures/T3.svg"}
    front = (project / "README.md").read_text()
    assert front.startswith(f"before\n{FRONT_BLOCK.opening}\n| table | first claim | ")
    assert front.endswith(f"{FRONT_BLOCK.closing}\nafter\n")
    assert "old" not in front
    assert "| T1 | output stride 8 beats 16 |" in front
    report = (project / "results" / "README.md").read_text()
    assert "figures/T3.svg" in report
    assert verdicts(read(project / "results"), "laptop") in report
    before = [path.read_bytes() for path in written]
    assert [
        path.read_bytes() for path in publish(project / "results", project / "README.md", "laptop")
    ] == before


def test_a_front_page_without_a_place_is_refused(project):
    (project / "README.md").write_text("no place")
    with pytest.raises(ValueError, match="README.md: has no place for the findings"):
        publish(project / "results", project / "README.md", "laptop")


def test_nothing_recorded_is_refused(project):
    with pytest.raises(ValueError, match="no runs are recorded at preset gpu"):
        publish(project / "results", project / "README.md", "gpu")
