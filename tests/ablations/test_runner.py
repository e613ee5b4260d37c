import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fake_cells import fake

from dlv3.ablations import TABLES, cells, read, runner
from dlv3.ablations.paper import cell as training_cell
from dlv3.ablations.results import record_path
from dlv3.ablations.runner import shard_of
from dlv3.training.stopping import TrainingStopped

RESULTS = Path(__file__).parents[2] / "data" / "results"


@pytest.fixture
def trainings(monkeypatch):
    """The configurations that were trained."""
    calls, train = [], training_cell.train

    def counted(config, *args, **options):
        calls.append(config)
        return train(config, *args, **options)

    monkeypatch.setattr(training_cell, "train", counted)
    return calls


def test_rows_that_differ_in_the_evaluation_alone_are_trained_once_and_none_twice(tmp_path, trainings):
    wanted = cells(TABLES["T4"], "tiny", 1)[:2]  # output stride 16 and 8 of one training
    done = runner.run(wanted, tmp_path / "results", tmp_path / "work", progress=False)
    assert len(trainings) == 1
    assert [(r.row, r.seed, r.split) for r in done] == [
        ("output stride 16", 0, "test"),
        ("output stride 8", 0, "test"),
    ]
    assert sorted(r.row for r in read(tmp_path / "results")) == ["output stride 16", "output stride 8"]
    assert runner.run(wanted, tmp_path / "results", tmp_path / "work", progress=False) == []
    assert len(trainings) == 1


def test_a_sweep_that_was_stopped_goes_on_where_it_stopped(tmp_path, trainings):
    wanted = cells(TABLES["T1"], "tiny", 1)[:2]

    def stop(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(wanted, tmp_path / "results", tmp_path / "work", progress=False, report=stop)
    assert len(read(tmp_path / "results")) == 1
    runner.run(wanted, tmp_path / "results", tmp_path / "work", progress=False)
    assert len(read(tmp_path / "results")) == 2
    assert len(trainings) == 2


def test_a_stopped_sweep_names_a_way_on_that_the_command_has(tmp_path):
    (tmp_path / "work").mkdir()
    wanted = [fake("done"), fake("long", "stop", 1), fake("other", training=2)]
    with pytest.raises(
        TrainingStopped, match=r"^stopped; 1 of 3 runs are recorded.*: repeat the command to continue$"
    ):
        runner.run(wanted, tmp_path / "results", tmp_path / "work", progress=False)


def test_a_record_says_how_it_came_about_and_another_configuration_is_run_again(tmp_path, trainings):
    [cell] = cells(TABLES["T1"], "tiny", 1)[:1]
    [record] = runner.run([cell], tmp_path / "results", tmp_path / "work", progress=False)
    assert record.versions["torch"]
    assert record.device
    assert record.commit
    assert record.seconds > 0
    assert record.config == json.loads(cell.config.to_json())
    assert set(record.groups) == {"shapes"}
    path = record.path(tmp_path / "results")
    stored = json.loads(path.read_text())
    stored["config"]["training"]["learning_rate"] = 9
    path.write_text(json.dumps(stored))
    assert not runner.is_done(cell, tmp_path / "results")


@pytest.mark.parametrize("name", ["T1", "T2", "T5"])
def test_records_from_before_an_option_count_as_run_with_its_default(name):
    def recorded_at(cell):
        return record_path(RESULTS, cell.preset, cell.table, cell.row, cell.seed)

    recorded = [cell for cell in cells(TABLES[name], "laptop", 1) if recorded_at(cell).exists()]
    assert recorded
    older = json.loads(recorded_at(recorded[0]).read_text())["config"]
    assert "optimizer" not in older["training"]
    assert all(runner.is_done(cell, RESULTS) for cell in recorded)
    changed = replace(recorded[0].config.training, optimizer="adamw")
    cell = replace(recorded[0], config=replace(recorded[0].config, training=changed))
    assert not runner.is_done(cell, RESULTS)


@pytest.mark.slow
def test_two_processes_share_a_training_and_one_records_it(tmp_path):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "dlv3",
    ]
    command += ["ablate", "T1", "--preset", "tiny", "--seeds", "1", "--shard", "1/6"]
    command += ["--results", str(tmp_path / "two"), "--work", str(tmp_path / "work")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| output stride 8 | 75.18 |") == 1
    [two] = read(tmp_path / "two")
    wanted = cells(TABLES["T1"], "tiny", 1)[:1]
    [one] = runner.run(wanted, tmp_path / "one", tmp_path / "alone", progress=False)
    assert two.row == one.row == "output stride 8"
    assert two.miou == pytest.approx(one.miou, abs=2e-3)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_shards_share_out_every_cell_once_and_keep_a_training_together(count):
    wanted = cells(TABLES["T4"], "laptop", 5) + cells(TABLES["T1"], "laptop", 2)
    shards = [shard_of(wanted, i, count) for i in range(1, count + 1)]
    assert sorted((c.table, c.row, c.seed) for s in shards for c in s) == sorted(
        (c.table, c.row, c.seed) for c in wanted
    )
    keys = [{c.training_key() for c in s} for s in shards]
    assert sum(map(len, keys)) == len(set().union(*keys))
