"""`dlv3 ablate` plans, reports and publishes, and says where records come from and go to."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_records import made_record

from dlv3 import assets
from dlv3.ablations import EVERY_TABLE, PROBES, cells_of
from dlv3.cli import ablate
from dlv3.cli.ablate import AblateArguments, ablate_command


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plan_says_what_would_be_trained_and_runs_nothing(folder, capsys):
    ablate_command(AblateArguments(("T3",), preset="paper", seeds=2, dry_run=True))
    assert "T3 (2, 2, 2) block7, seed 1: training" in capsys.readouterr().out
    assert not list(folder.iterdir())


def test_a_plan_says_what_is_recorded(folder, capsys):
    [cell] = [cell for cell in cells_of(PROBES["P7"], "laptop", 1) if cell.row == "(1,)"]
    replace(made_record("P7", "(1,)", 0, 0.5), config=cell.values()).write(folder / "data" / "results")
    ablate_command(AblateArguments(("P7",), seeds=1, dry_run=True))
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith("recorded")] == ["P7 (1,), seed 0: recorded"]


@pytest.mark.parametrize(("preset", "probes"), [("tiny", False), ("laptop", True)])
def test_all_tables_means_those_that_the_preset_has(tmp_path, capsys, preset, probes):
    ablate_command(AblateArguments((), preset=preset, seeds=1, results=tmp_path, dry_run=True))
    planned = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert (planned == set(EVERY_TABLE)) == probes
    assert bool(planned & set(PROBES)) == probes


def test_a_report_without_records_here_is_that_of_the_packages_records(folder, capsys):
    assert ablate_command(AblateArguments(("T4", "P1"), report=True)) == 0
    shown = capsys.readouterr()
    assert "**T4**" in shown.out
    assert "**P1**" in shown.out
    assert "**T1**" not in shown.out
    assert str(assets.records()) in shown.err
    assert not list(folder.iterdir())


def test_a_report_of_a_folder_is_of_its_records_alone(folder, capsys):
    made_record("T4", "flip", 0, 0.4321).write(folder / "data" / "results")
    ablate_command(AblateArguments(("T4",), report=True))
    shown = capsys.readouterr()
    assert "| flip | 79.35 | 43.2 |" in shown.out
    assert shown.err == ""
    assert ablate_command(AblateArguments(preset="tiny", report=True, results=folder / "none")) == 0
    assert capsys.readouterr().out == "No recorded runs at preset tiny.\n"


def test_records_go_to_the_working_directory_and_the_command_says_so(folder, capsys, monkeypatch):
    written = []
    monkeypatch.setattr(
        ablate, "run", lambda cells, results, work: written.append((len(cells), results, work))
    )
    assert ablate_command(AblateArguments(("T4",), preset="tiny", seeds=1)) == 0
    assert written == [(4, Path("data/results"), Path("runs/ablations"))]
    assert f"the records go to {folder / 'data' / 'results'}" in capsys.readouterr().err


def test_jobs_are_processes_of_one_machine(folder, monkeypatch):
    started = []
    monkeypatch.setattr(ablate, "run_in_jobs", lambda cells, results, work, jobs: started.append(jobs))
    ablate_command(AblateArguments(("T4",), preset="tiny", seeds=1, jobs=2))
    assert started == [2]
    monkeypatch.setenv("WORLD_SIZE", "8")
    with pytest.raises(ValueError, match="--jobs 2 under torchrun, whose processes share each training"):
        ablate_command(AblateArguments(("T4",), preset="tiny", seeds=1, jobs=2))


@pytest.mark.parametrize(
    ("tables", "options", "message"),
    [
        (("T7",), {}, "'T7' is not a table; expected one of T1, "),
        (("T1",), {"shard": "3/2"}, "--shard '3/2': expected i/n"),
        (("P4",), {"preset": "gpu"}, "P4 at preset gpu: the table has one scale"),
    ],
)
def test_bad_arguments_are_named(folder, tables, options, message):
    with pytest.raises(ValueError, match=message):
        ablate_command(AblateArguments(tables, **options))
    assert not list(folder.iterdir())


@pytest.fixture
def mine(photos, monkeypatch) -> list[str]:
    """A command on a small folder of photos in the working directory."""
    monkeypatch.chdir(photos.parent)
    options = ["--training.iterations", "1", "--training.batch-size", "8", "--training.crop-size", "33"]
    return [
        "T2",
        "--preset",
        "quarter",
        "--seeds",
        "1",
        "--data",
        "folder:photos",
        "--ignore",
        "11",
        *options,
    ]


def test_tables_of_a_folder_run_resume_and_are_reported_apart(mine, capsys):
    rows = ["--rows", "resnet50 block4", "resnet50 block5"]
    assert ablate.main([*mine, *rows, "--dry-run"]) == 0
    plan = capsys.readouterr()
    assert "folder:photos: 3 classes, 4 training pictures of up to 50×40" in plan.err
    assert "2 runs of 2 trainings" in plan.err
    assert [line.split(": training")[0] for line in plan.out.splitlines()] == [
        "T2 resnet50 block4, seed 0",
        "T2 resnet50 block5, seed 0",
    ]
    assert ablate.main(["T5", *mine, *rows]) == 0
    printed = capsys.readouterr()
    assert "pixels of 4 training pictures" in printed.err
    assert "| resnet50 block4 | 64.81 |" in printed.out
    # None of its rows was asked for.
    assert "**T5**" not in printed.out
    [claim] = [line for line in printed.out.splitlines() if line.startswith("| block5 beats block4")]
    assert claim.endswith(("| 1 | same direction |", "| 1 | within noise |"))
    assert 'One run of each row: "same direction" says' in printed.out
    found = sorted(path.as_posix() for path in Path("data").rglob("*.json"))
    assert found == [
        "data/results/folder-photos/quarter/T2/resnet50-block4.seed0.json",
        "data/results/folder-photos/quarter/T2/resnet50-block5.seed0.json",
    ]
    assert ablate.main([*mine, *rows]) == 0
    assert "2 recorded before; nothing left to run" in capsys.readouterr().err
    assert ablate.main(["--report", "--data", "folder:photos", "--preset", "quarter"]) == 0
    assert "| resnet50 block4 | 64.81 |" in capsys.readouterr().out
    assert ablate.main(["--report", "--preset", "quarter"]) == 0
    assert capsys.readouterr().out == "No recorded runs at preset quarter.\n"


def test_weights_of_another_network_are_refused_before_anything_is_run(mine):
    with pytest.raises(ValueError, match="training.pretrained='scenes': .* not of resnet17"):
        ablate.main([*mine, "--rows", "resnet50 block4", "--training.pretrained", "scenes"])
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--training.iterations", "3"], r"--training.* and the options of a folder are for --data folder:DIR"),
        (["--ignore", "3"], r"--training.* and the options of a folder are for --data folder:DIR"),
        (["--data", "folder:photos", "--publish", "README.md"], "--publish with --data: the pages are of all that"),
        (["P1", "--data", "folder:photos", "--ignore", "11"], "P1 with --data folder:photos: the table is about"),
        (["T1", "--data", "folder:none"], "none: no such folder"),
        (["T1", "--rows", "block9"], "--rows 'block9': the tables asked for have 'output stride 8', 'output"),
        (["T1", "--data", "folder:photos", "--training.seed", "3"], "unrecognized options: --training.seed"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_one_line(mine, words, message):
    with pytest.raises(ValueError, match=message):
        ablate.main(words)
    assert not Path("data").exists()


@pytest.mark.parametrize("option", ["results", "work"])
def test_file_in_the_place_of_a_folder_is_refused_before_anything_runs(folder, option):
    (folder / "taken").write_text("a file")
    with pytest.raises(ValueError, match=f"--{option} .*taken: is a file; give a folder"):
        ablate_command(AblateArguments(("T1",), preset="tiny", **{option: folder / "taken"}))
