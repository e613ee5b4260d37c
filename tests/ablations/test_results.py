import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlv3.ablations import TABLES
from dlv3.ablations.results import T_975, Record, difference, paired_difference, read

RECORD = Record("T1", "output stride 8", "laptop", 0, "test", 0.5, {"a": 0.4, "b": None}, {"shapes": 0.3}, {}, "cpu",
                {}, "abc", 1.0)  # fmt: skip


def records(row: str, scores: list[float]) -> list[Record]:
    return [replace(RECORD, row=row, seed=seed, miou=score / 100) for seed, score in enumerate(scores)]


def test_quantiles_are_students():
    assert [round(stats.t.ppf(0.975, df), 3) for df in range(1, 31)] == list(T_975)


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=10))
def test_interval_is_that_of_a_one_sample_t_test(values):
    found = difference(values)
    if max(values) - min(values) < 1e-3:
        return
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(tuple(interval), rel=5e-3, abs=5e-3)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([2.0, 2.1, 1.9], "reproduced"),
        ([-2.0, -2.1, -1.9], "opposite"),
        ([0.1, 3.0, 0.2], "same direction"),  # every seed points up, but the interval holds 0
        ([1.0, -1.0, 0.5], "within noise"),
        ([-0.1, -3.0, -0.2], "within noise"),
        ([5.0, 5.1], "same direction"),  # two pairs are too few to say more
        ([-5.0, -5.1], "within noise"),
        ([5.0], "same direction"),
    ],
)
def test_verdict_follows_the_rule(values, verdict):
    assert difference(values).verdict == verdict


def test_differences_are_paired_by_seed_and_none_without_a_pair():
    better, worse = records("a", [50, 60, 70]), records("b", [49, 58])
    found = paired_difference(better, worse, "miou")
    assert (found.pairs, found.mean) == (2, pytest.approx(1.5))
    assert paired_difference(better, [], "miou") is None
    assert math.isinf(difference([1.0]).high)


def test_a_record_survives_its_file_and_rows_do_not_share_one(tmp_path):
    path = RECORD.write(tmp_path)
    assert read(tmp_path) == [RECORD]
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]
    paths = {
        replace(RECORD, table=t.name, row=row.name).path(tmp_path) for t in TABLES.values() for row in t.rows
    }
    assert len(paths) == sum(len(t.rows) for t in TABLES.values())


def test_a_file_that_is_not_a_record_is_named(tmp_path):
    bad = tmp_path / "laptop" / "T1" / "x.json"
    bad.parent.mkdir(parents=True)
    bad.write_text("{}")
    with pytest.raises(ValueError, match="x.json: not a record of a run"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("miou", 1.5, "miou=1.5: expected a number from 0 to 1"),
        ("miou", float("nan"), "'NaN' is not finite"),
        ("iou", {"a": -1}, "iou.a=-1: expected a number from 0 to 1"),
        ("groups", {"shapes": None}, "record.groups.shapes"),
        ("seed", -1, "seed=-1: expected a whole number"),
        ("seconds", -1, "seconds=-1: expected a number from 0"),
    ],
)
def test_scores_that_cannot_be_are_named_with_their_file(tmp_path, field, value, reason):
    path = RECORD.write(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(ValueError, match=rf"seed0\.json: not a record of a run \(.*{reason}"):
        read(tmp_path)


def test_the_record_of_another_run_is_named_with_its_own_place(tmp_path):
    path = RECORD.write(tmp_path)
    path.rename(path.with_name("copy.json"))
    with pytest.raises(
        ValueError, match=r"copy\.json: is the record of another run, .*stride-8\.seed0\.json"
    ):
        read(tmp_path)


def test_a_score_that_a_record_lacks_is_named_with_its_file():
    with pytest.raises(ValueError, match=r"^laptop/T1/output-stride-8\.seed0\.json: has no score 'large'"):
        RECORD.score("large")
