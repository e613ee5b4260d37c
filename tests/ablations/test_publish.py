"""The published report is what the records say, and stays so."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_records import made_records

from dlv3.ablations.headline import in_words
from dlv3.ablations.publish import (
    FRONT_BLOCK,
    HEADLINES,
    claims_reproduced,
    findings,
    has_headlines,
    page,
    publish,
    scores_in_words,
)
from dlv3.ablations.report import tables_with_records, verdicts
from dlv3.ablations.results import read
from dlv3.ablations.scales import sections_of
from dlv3.config.run import RunConfig

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "data" / "results"
ON_PHOTOS = json.loads(RunConfig(dataset="folder:my photos").to_json())
COMMAND = "run: python -m dlv3 ablate --publish README.md"


def test_pages_in_the_repository_follow_from_its_records():
    sections = sections_of(RESULTS)
    assert (RESULTS / "README.md").read_text() == page(sections), COMMAND
    front = ROOT / "README.md"
    assert front.read_text() == FRONT_BLOCK.placed(findings(sections, "data/results"), front), COMMAND


def test_every_recorded_table_has_its_figure_with_its_numbers_and_the_headlines_have_theirs():
    expected = {}
    for section in sections_of(RESULTS):
        for table in tables_with_records(section.records, section.scale.preset):
            expected[f"{section.slug}/{table.name}.svg"] = scores_in_words(table, section.records)
        if has_headlines(section):
            expected[f"{section.slug}/{HEADLINES}"] = in_words(section.records)
    figures = RESULTS / "figures"
    assert {path.relative_to(figures).as_posix() for path in figures.rglob("*.svg")} == expected.keys(), (
        COMMAND
    )
    for name, words in expected.items():
        assert f"<dc:description>{words}</dc:description>" in (figures / name).read_text(), (
            f"{name}: {COMMAND}"
        )


@pytest.mark.parametrize("page", [ROOT / "README.md", RESULTS / "README.md"], ids=["front", "results"])
def test_figures_of_the_pages_are_there_and_the_front_pages_is_small(page):
    figures = [page.parent / name for name in re.findall(r"!\[[^\]]+\]\(([^)]+\.svg)\)", page.read_text())]
    assert figures
    assert all(figure.is_file() for figure in figures)
    if page.parent == ROOT:
        assert all(figure.stat().st_size < 60_000 for figure in figures)


def at(preset_name, *tables, **changes):
    return [
        replace(record, preset=preset_name, **changes) for name in tables for record in made_records(name)
    ]


@pytest.fixture
def project(tmp_path):
    for record in at("laptop", "T1", "T3", "P6") + at("quarter", "T4", groups={}):
        record.write(tmp_path / "results")
    for record in at("quarter", "T6", groups={}, config=ON_PHOTOS):
        record.write(tmp_path / "results" / "folder-my-photos")
    (tmp_path / "README.md").write_text(f"before\n{FRONT_BLOCK.opening}\nold\n{FRONT_BLOCK.closing}\nafter\n")
    return tmp_path


@pytest.fixture
def cheap(monkeypatch):
    """No pictures are drawn for what is known before any training."""
    monkeypatch.setattr("dlv3.ablations.paper.bounds._ceiling", lambda dataset, output_stride: 91.7)
    monkeypatch.setattr("dlv3.ablations.paper.bounds._by_reach", lambda dataset, model: 29.3)


def test_publishing_writes_pages_and_figures_of_every_preset_and_folder_and_is_repeatable(project, cheap):
    written = publish(project / "results", project / "README.md")
    names = {path.relative_to(project).as_posix() for path in written}
    assert names == {
        "README.md",
        "results/README.md",
        "results/figures/quarter/T4.svg",
        "results/figures/folder-my-photos-quarter/T6.svg",
        "results/figures/laptop/T1.svg",
        "results/figures/laptop/T3.svg",
        "results/figures/laptop/P6.svg",
    }
    front = (project / "README.md").read_text()
    assert front.startswith(f"before\n{FRONT_BLOCK.opening}\n| claims reproduced")
    assert front.endswith(f"{FRONT_BLOCK.closing}\nafter\n")
    assert "old" not in front
    report = (project / "results" / "README.md").read_text()
    assert "figures/laptop/T3.svg" in report
    headings = [line for line in report.splitlines() if line.startswith("## ")]
    assert [
        next(name for name in ("by table", "on my-photos", "quarter", "laptop") if name in h)
        for h in headings
    ] == [
        "by table",
        "quarter",
        "on my-photos",
        "laptop",
    ]
    assert verdicts(read(project / "results"), "laptop") in report
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in publish(project / "results", project / "README.md")] == before


def test_counts_have_a_line_for_each_section_and_a_column_for_each_recorded_table(project):
    head, _, *lines = claims_reproduced(sections_of(project / "results")).splitlines()
    assert head.split(" | ")[1:] == ["T1", "T3", "T4", "T6", "P1 to P7 |"]
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == [
        "quarter: a map of 33×33",
        "quarter on my-photos",
        "laptop: a map of 9×9",
    ]
    assert lines[0].split(" | ")[1] == ""


def test_a_front_page_without_a_place_is_refused(project, cheap):
    (project / "README.md").write_text("no place")
    with pytest.raises(ValueError, match="README.md: has no place for the findings"):
        publish(project / "results", project / "README.md")


def test_nothing_recorded_is_refused(project):
    with pytest.raises(ValueError, match="no runs are recorded; run dlv3 ablate first"):
        publish(project / "none", project / "README.md")
