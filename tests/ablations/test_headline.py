"""The headline findings in brief: claims with their verdicts, controls, and what would follow without learning."""

from dataclasses import replace

import pytest
from made_records import made_record

from dlv3.ablations import TABLES
from dlv3.ablations.headline import bars_of, convergence, headline_table, in_words, separation_table
from dlv3.ablations.paper.bounds import Bounds
from dlv3.ablations.paper.headlines import GROUPS, HEADLINES, LONGER

SCORES = {
    ("T2", "resnet50 block4"): [0.30, 0.31, 0.32],
    ("T2", "resnet50 block5"): [0.50, 0.52, 0.54],
    ("T2", "resnet50 block7"): [0.60, 0.61, 0.625],
    ("T2", "block7, all rates 1"): [0.20, 0.22, 0.25],
    ("T5", "(1, 2, 4)"): [0.60, 0.62],
    ("T5", "(1, 1, 1)"): [0.61, 0.60],
}


@pytest.fixture
def records():
    return [
        replace(made_record(table, row, seed, score), preset="quarter", groups={})
        for (table, row), scores in SCORES.items()
        for seed, score in enumerate(scores)
    ]


def line(text, claim):
    return next(row.strip("| ").split(" | ") for row in text.splitlines() if f"| {claim} |" in row)


def test_claims_have_their_verdict_and_that_against_the_control(records):
    text = headline_table(records, "quarter")
    assert len(text.splitlines()) == 2 + len(HEADLINES)
    assert line(text, "block7 beats block4") == [
        "T2", "block7 beats block4", "+9.07", "+30.2 [+29.4, +30.9]", "3", "reproduced",
        "+38.8 [+35.7, +42.0], reproduced",
    ]  # fmt: skip
    # A comparison that is not a claim fixed beforehand has no verdict.
    assert line(text, "block5 beats block4")[-1] == "+29.7 [+28.2, +31.1]"
    two_seeds = line(text, "multi-grid (1, 2, 4) helps under ASPP")
    assert two_seeds[4:] == ["2", "within noise", "equal parameters"]
    assert line(text, "image-level features help")[3:6] == ["", "0", "not run"]


def test_each_claim_says_what_separates_it_from_parameters_and_from_construction(records, monkeypatch):
    monkeypatch.setattr(
        "dlv3.ablations.headline.bounds_at",
        lambda row, preset_name: Bounds(by_reach=10.0 * row.setting.blocks),
    )
    text = separation_table(records, "quarter")
    assert line(text, "block7 beats block4")[-2:] == [
        "block7, all rates 1, with as many parameters: +38.8 [+35.7, +42.0], reproduced",
        "reach alone gives +30.0",
    ]
    assert line(text, "block5 beats block4")[-2] == (
        "block7, all rates 1, with 20,736 parameters more: +29.7 [+28.2, +31.1]"
    )
    assert line(text, "multi-grid (1, 2, 4) helps at block4")[-2] == "both rows have as many"
    assert line(text, "ASPP beats the plain classifier")[-2].endswith("with as many parameters: not run")
    assert line(text, "image-level features help")[-2].endswith("no control was run")


def test_bars_are_differences_of_equal_seeds_from_the_groups_plain_network(records):
    [(group, bars), *others] = bars_of(records)
    assert group == GROUPS[0]
    block5 = bars[0]
    assert block5.paper == pytest.approx(72.14 - 64.81)
    assert block5.values == pytest.approx([20, 21, 22])
    assert block5.judged
    assert [bar.control for bar in bars] == [False, False, False, True, True]
    assert bars[1].mean is None
    assert all(bar.mean is None for _, bars in others for bar in bars)  # (1, 1, 1), no ASPP was not run


def test_words_have_the_figures_numbers(records):
    text = in_words(records)
    assert (
        "Cascade (Table 2), above block4: block5 paper +7.3, ours +21.0; block6 paper +9.5, ours not run;"
        in text
    )
    assert "control block7, all rates 1 ours -8.7." in text
    assert text.count("Table 3") == 2
    assert set(TABLES) > {headline.table for headline in HEADLINES}


def test_differences_at_twice_the_schedule_are_of_rows_that_were_run(records):
    assert convergence(records) == ""
    [block7, block4] = [
        [replace(made_record(*row, seed, score), preset="quarter") for seed, score in enumerate(scores)]
        for row, scores in zip(LONGER[0][1:], ([0.70, 0.72], [0.44, 0.45]), strict=True)
    ]
    assert convergence([*block7, *block4]) == (
        "At twice the schedule, block7 above block4: +26.5 [+20.1, +32.9] (2 seeds)."
    )


@pytest.mark.parametrize("row", [row for _, *rows in LONGER for row in rows])
def test_rows_at_twice_the_schedule_are_those_of_the_tables(row):
    table, name = row
    assert TABLES[table].row(name).setting.length == 2
