import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dlv3.ablations import TABLES, cells, read, runner, training_cell
from dlv3.ablations.commands import AblateArguments, ablate_command

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
    recorded = [c for c in cells(TABLES[name], "laptop", 1) if runner.record_of(c).path(RESULTS).exists()]
    assert recorded
    older = json.loads(runner.record_of(recorded[0]).path(RESULTS).read_text())["config"]
    assert "optimizer" not in older["training"]
    assert all(runner.is_done(cell, RESULTS) for cell in recorded)
    changed = replace(recorded[0].config.training, optimizer="adamw")
    assert not runner.is_done(
        replace(recorded[0], config=replace(recorded[0].config, training=changed)), RESULTS
    )


def test_command_reports_what_is_recorded_and_plans_without_running(tmp_path, capsys, trainings):
    def ablate(*tables, **options):
        assert (
            ablate_command(AblateArguments(tables, results=tmp_path / "r", work=tmp_path / "w", **options))
            == 0
        )
        return capsys.readouterr().out

    assert "T3 (2, 2, 2) block7, seed 1: training" in ablate("T3", preset="paper", seeds=2, dry_run=True)
    assert ablate(preset="tiny", report=True) == "No recorded runs at preset tiny.\n"
    assert not trainings
    with pytest.raises(ValueError, match="'T7' is no table to run; there are T1, "):
        ablate("T7")
    with pytest.raises(ValueError, match="--shard '3/2': expected i/n"):
        ablate("T1", shard="3/2")
    with pytest.raises(ValueError, match="--seeds 0"):
        ablate("T1", seeds=0)


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
