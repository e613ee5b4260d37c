"""Our lead is that over the fastest of the others, round by round."""

import torch

from benchmarks.compare import Contender, compared, lead
from benchmarks.interleave import Timings
from benchmarks.options import Options

TIMINGS = Timings(
    {"eager": [4.0, 4.0, 4.0], "slow": [3.0, 3.0, 3.0], "fast": [2.0, 3.0, 2.0], "ours": [1.0, 1.0, 2.0]}
)


def test_the_lead_is_over_the_fastest_of_the_others():
    found = lead(TIMINGS, "ours", ["eager", "slow", "fast"])
    assert found["rival"] == "fast"
    assert found["lead"].median == 2.0


def test_the_baseline_counts_among_the_others():
    slower = Timings({**TIMINGS.seconds, "eager": [1.5, 1.5, 1.5]})
    assert lead(slower, "ours", ["eager", "slow", "fast"])["rival"] == "eager"


def test_without_others_beside_the_baseline_there_is_no_lead():
    assert lead(TIMINGS, "ours", ["eager"]) == {}


def test_only_our_rows_of_a_type_that_others_have_show_a_lead():
    def call() -> None: ...

    contenders = [
        Contender("eager", call),
        Contender("ours", call, ours=True),
        Contender("other", call),
        Contender("ours, bfloat16", call, torch.bfloat16, ours=True),
    ]
    rows = compared("inference", {}, contenders, Options(rounds=1), torch.device("cpu"))
    assert [bool(row.rival) for row in rows] == [False, True, False, False]
    assert rows[1].rival in ("eager", "other")
