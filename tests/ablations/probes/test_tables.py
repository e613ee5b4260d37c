"""The probes' tables: what they compare, and their report."""

from dataclasses import replace

import pytest

from dlv3.ablations import PROBES, Record, table_report
from dlv3.ablations.probes.net import ProbeConfig, ProbeNet


def parameters(config: ProbeConfig) -> int:
    return sum(p.numel() for p in ProbeNet(config, 4).parameters())


@pytest.mark.parametrize("name", list(PROBES))
def test_every_probe_has_rows_that_run_and_claims_about_them(name):
    table = PROBES[name]
    names = [row.name for row in table.rows]
    assert len(set(names)) == len(names)
    assert len({(c.better, c.worse) for c in table.claims}) == len(table.claims) > 0
    for claim in table.claims:
        assert {claim.better, claim.worse} <= set(names)
        assert claim.better != claim.worse
        assert claim.score == table.score == "accuracy"
    for row in table.rows:
        assert row.paper is None
        ProbeNet(row.setting, 4)  # raises where the configuration makes no network
    trainings = {
        replace(row.setting, rates=(), stack=(), output_stride=None, image_pooling=False)
        for row in table.rows
    }
    assert len(trainings) == 1  # rows of a table differ in the mechanism alone


def test_rows_that_are_compared_have_as_many_parameters():
    for name in ("P1", "P2", "P5", "P6"):
        assert len({parameters(row.setting) for row in PROBES[name].rows}) == 1, name
    assert {parameters(row.setting) for row in PROBES["P2"].rows} == {37_460}
    assert len({parameters(row.setting) for row in PROBES["P7"].rows[-4:]}) == 1
    plain, pooled = (parameters(row.setting) for row in PROBES["P3"].rows[:2])
    assert pooled - plain == 6272


def test_report_of_a_probe_sets_what_must_come_out_beside_what_did():
    def record(row: str, seed: int, accuracy: float) -> Record:
        return Record(
            "P7", row, "laptop", seed, "test", 0.1, {}, {"accuracy": accuracy}, {}, "cpu", {}, "abc", 1.0
        )

    runs = [record("(1, 2, 4, 8)", s, 0.99 + s / 1000) for s in range(3)]
    runs += [record("(1,)", s, 0.25) for s in range(3)]
    text = table_report(PROBES["P7"], runs, "laptop")
    assert "|  | by construction | accuracy | seeds |" in text
    assert "| (1, 2, 4, 8) | 100.0 | 99.1 ± 0.1 | 3 |" in text
    assert "| (1,) | 25.0 | 25.0 ± 0.0 | 3 |" in text
    assert "| claim | score | ours, 95% interval | seeds | verdict |" in text
    assert "| (1, 2, 4, 8) beats (1,) | accuracy | +74.1 [+73.9, +74.3] | 3 | reproduced |" in text
    assert "guessing gives 25" in text
    assert "by construction" not in table_report(PROBES["P1"], [], "laptop")
