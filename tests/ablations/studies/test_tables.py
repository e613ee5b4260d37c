"""The studies' tables: what their rows share, and their report."""

from dataclasses import replace

import pytest

from dlv3.ablations import STUDIES, Record, table_report
from dlv3.ablations.studies.net import StudyConfig, StudyHead

GROUPS = {"shapes", "discs", "small", "medium", "large"}


def parameters(config: StudyConfig) -> int:
    return sum(p.numel() for p in StudyHead(config, 16, 7).parameters())


@pytest.mark.parametrize("name", list(STUDIES))
def test_every_study_has_rows_that_run_and_claims_about_them(name):
    table = STUDIES[name]
    names = [row.name for row in table.rows]
    assert len(set(names)) == len({row.setting for row in table.rows}) == len(names)
    assert len({(c.better, c.worse, c.score) for c in table.claims}) == len(table.claims) > 0
    for claim in table.claims:
        assert {claim.better, claim.worse} <= set(names)
        assert claim.better != claim.worse
        assert claim.score in GROUPS | {"miou"}
    for row in table.rows:
        assert row.paper is None
        StudyHead(row.setting, 16, 7)  # raises where the configuration makes no head


@pytest.mark.parametrize("name", ["S1", "S2", "S4", "S5", "S6"])
def test_heads_that_are_compared_have_as_many_parameters(name):
    assert len({parameters(row.setting) for row in STUDIES[name].rows}) == 1


@pytest.mark.parametrize("name", list(STUDIES))
def test_claims_compare_rows_that_differ_in_the_head_alone(name):
    table = STUDIES[name]
    for claim in table.claims:
        better, worse = (
            replace(table.row(row).setting, rates=(1,), image_pooling=False)
            for row in (claim.better, claim.worse)
        )
        assert better == worse


def test_report_shows_large_and_small_shapes_apart():
    def record(row: str, seed: int, miou: float, large: float) -> Record:
        groups = dict.fromkeys(GROUPS, 0.5) | {"large": large}
        return Record("S1", row, "laptop", seed, "test", miou, {}, groups, {}, "cpu", {}, "abc", 1.0)

    runs = [record("rate 4", s, 0.60 + s / 1000, 0.7 + s / 1000) for s in range(3)]
    runs += [record("rate 2", s, 0.61, 0.6) for s in range(3)]
    text = table_report(STUDIES["S1"], runs, "laptop")
    assert "|  | mIOU | discs | large | medium | shapes | small | seeds |" in text
    assert "| rate 4 beats rate 2 on large shapes | large | +10.1 [+9.9, +10.3] | 3 | reproduced |" in text
