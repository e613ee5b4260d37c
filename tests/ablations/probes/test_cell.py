"""A probe's cell goes through the runner."""

import json
from dataclasses import replace

from dlv3.ablations import read, runner
from dlv3.ablations.probes.cell import ProbeCell
from dlv3.ablations.probes.net import ProbeConfig

TINY = ProbeConfig("cells:far", stack=(1,), pictures=8, iterations=2)


def test_a_probe_goes_through_the_runner_and_its_record_comes_back(tmp_path):
    cell = ProbeCell("P7", "(1,)", "laptop", 0, TINY)
    [record] = runner.run([cell], tmp_path, tmp_path / "work", progress=False)
    assert read(tmp_path) == [record]
    assert set(record.groups) == {"accuracy"}
    assert record.score("accuracy") == 100 * record.groups["accuracy"]
    assert record.config == json.loads(json.dumps(record.config)) == cell.values()
    assert (record.split, record.seconds > 0, set(record.iou)) == (
        "test",
        True,
        {"red", "green", "blue", "yellow"},
    )
    assert runner.run([cell], tmp_path, tmp_path / "work", progress=False) == []
    assert not runner.is_done(replace(cell, config=replace(TINY, iterations=3)), tmp_path)
