"""`python -m benchmarks` measures, records, publishes, and refuses wrong answers."""

import sys
from collections.abc import Sequence

import pytest
import torch
from made_rows import OURS, SCENE, THEIRS, made_record

import benchmarks.compare
import benchmarks.inference
import benchmarks.metrics
import benchmarks.training
from benchmarks import explorers, machine
from benchmarks.__main__ import main
from benchmarks.options import QUICK, defaults
from benchmarks.publish import FRONT_BLOCK
from benchmarks.record import read
from benchmarks.rows import Missing, Row
from dlv3 import DeepLabV3
from dlv3.evaluation import ConfusionMatrix

SIZES = "--size 33 --batch 1 --training-size 33 --training-batch 2"
SMALL = f"{SIZES} --output-stride 16 --threads 1 --rounds 1 --no-peers".split()


@pytest.fixture(autouse=True)
def quick_products(monkeypatch):
    monkeypatch.setitem(machine.PRODUCT_SIDE, "cpu", 64)


def without_bfloat16(monkeypatch) -> None:
    for module in (benchmarks.inference, benchmarks.training, benchmarks.compare):
        monkeypatch.setattr(module, "has_bfloat16", lambda device: False)


@pytest.fixture
def no_bfloat16(monkeypatch):
    without_bfloat16(monkeypatch)


@pytest.fixture(scope="module")
def inference(tmp_path_factory):
    """The record of inference on a CPU that emulates bfloat16."""
    path = tmp_path_factory.mktemp("inference") / "cpu.json"
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setitem(machine.PRODUCT_SIDE, "cpu", 64)
        without_bfloat16(monkeypatch)
        assert main(["inference", *SMALL, "--emulated", "--json", str(path)]) == 0
    return read(path)


@pytest.fixture
def no_logits_are_right(monkeypatch):
    right = benchmarks.inference.our_model

    def wrong(*arguments) -> DeepLabV3:
        model = right(*arguments)
        torch.nn.init.constant_(model.classifier[-1].bias, 0.5)
        return model

    monkeypatch.setattr(benchmarks.inference, "our_model", wrong)


def assert_measured(rows: Sequence[Row]) -> None:
    """Assert that torchvision's row and ours have all their figures."""
    assert [row.what for row in rows] == ["torchvision", "dlv3"]
    for row in rows:
        assert row.seconds.median > 0
        assert row.share.median > 0
        assert row.case["threads"] == 1
    theirs, ours = rows
    assert theirs.ratio is None
    assert ours.ratio.median > 0
    assert 0 <= ours.difference < 1e-4


@pytest.mark.slow
def test_inference_is_measured_and_recorded(inference):
    assert {row.section for row in inference.rows} == {"inference"}
    assert_measured([row for row in inference.rows if row.dtype == "float32"])
    assert inference.command.startswith("python -m benchmarks inference --size 33")


@pytest.mark.slow
def test_bfloat16_is_marked_where_it_is_emulated(inference):
    rows = {row.what: row for row in inference.rows}
    assert list(rows) == ["torchvision", "dlv3", "torchvision, autocast", "dlv3, bfloat16"]
    assert [row.emulated for row in rows.values()] == [False, False, True, True]
    assert rows["dlv3, bfloat16"].share is None
    assert rows["dlv3, bfloat16"].difference > rows["dlv3"].difference


@pytest.mark.slow
def test_a_training_step_is_measured_recorded_and_shown(no_bfloat16, tmp_path, capsys):
    path = tmp_path / "cpu.json"
    assert main(["training", *SMALL, "--json", str(path)]) == 0
    record = read(path)
    assert {row.section for row in record.rows} == {"training"}
    assert_measured(record.rows)
    shown = capsys.readouterr().out
    assert record.machine.line() in shown
    assert [line.split()[0] for line in shown.splitlines()[-2:]] == ["torchvision", "dlv3"]


@pytest.mark.slow
def test_wrong_logits_end_in_status_1_and_no_record(no_logits_are_right, no_bfloat16, tmp_path, capsys):
    assert main(["inference", *SMALL, "--json", str(tmp_path / "cpu.json")]) == 1
    shown = capsys.readouterr()
    assert "inference, dlv3, " in shown.err
    assert "bfloat16" not in shown.out.partition("\ninference\n")[2]
    assert not (tmp_path / "cpu.json").exists()


@pytest.mark.slow
def test_a_wrong_gradient_is_seen(monkeypatch):
    theirs = benchmarks.training.torchvision_model(16)
    batch = benchmarks.training.made_batch((2, 3, 33, 33), torch.device("cpu"))
    ours = benchmarks.training.our_model(theirs, 16)
    assert max(benchmarks.training.differences(ours, theirs, batch)) < 1e-4
    right = benchmarks.training.for_training

    def wrong(model: DeepLabV3) -> DeepLabV3:
        model.backbone.conv1.weight.register_hook(lambda gradient: 1.01 * gradient)
        return right(model)

    monkeypatch.setattr(benchmarks.training, "for_training", wrong)
    loss, gradient = benchmarks.training.differences(ours, theirs, batch)
    assert loss < 1e-6
    assert gradient > 1e-4


def test_scores_are_measured_against_torchmetrics(tmp_path):
    pytest.importorskip("torchmetrics")
    assert main(["metrics", *SMALL, "--json", str(tmp_path / "cpu.json")]) == 0
    rows = read(tmp_path / "cpu.json").rows
    assert [(row.what, row.case["from"]) for row in rows] == [
        ("torchmetrics", "classes"),
        ("dlv3", "classes"),
        ("torchmetrics", "logits"),
        ("dlv3", "logits"),
    ]


def test_other_counts_than_torchmetrics_end_in_status_1(monkeypatch, capsys):
    pytest.importorskip("torchmetrics")

    class Transposed(ConfusionMatrix):
        @property
        def matrix(self) -> torch.Tensor:
            return super().matrix.T

    monkeypatch.setattr(benchmarks.metrics, "ConfusionMatrix", Transposed)
    assert main(["metrics", *SMALL]) == 1
    assert "dlv3 and torchmetrics count differently" in capsys.readouterr().err


def test_accuracy_and_data_are_measured(tmp_path):
    arguments = ["accuracy", "data", *SMALL, "--pictures", "4", "--json", str(tmp_path / "cpu.json")]
    assert main(arguments) == 0
    rows = read(tmp_path / "cpu.json").rows
    assert [row.what for row in rows] == ["dlv3, float32", "dlv3, bfloat16", "a scene", "a scene"]
    assert "points" in rows[1].note
    assert "a second" in rows[2].note


def test_a_section_that_cannot_run_is_left_out_with_its_reason(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    path = tmp_path / "cpu.json"
    assert main(["explorers", *SMALL, "--json", str(path)]) == 0
    assert read(path).skipped == {"explorers": "nbformat is not installed: pip install -e '.[dev]'"}
    assert "left out: nbformat is not installed" in capsys.readouterr().out


def test_a_row_that_cannot_be_measured_is_told_with_its_reason(monkeypatch, tmp_path, capsys):
    missing = Missing("photos", "OpenVINO", "not installed")
    monkeypatch.setattr("benchmarks.photos.photo_rows", lambda options, device: iter([missing]))
    path = tmp_path / "cpu.json"
    assert main(["photos", "--json", str(path)]) == 0
    assert read(path).skipped == {"photos, OpenVINO": "not installed"}
    assert "OpenVINO" in capsys.readouterr().out.splitlines()[-1]


def test_what_was_measured_before_ctrl_c_is_recorded(monkeypatch, tmp_path):
    def stopped(options, device):
        yield SCENE
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.loading.data_rows", stopped)
    path = tmp_path / "cpu.json"
    assert main(["data", "--json", str(path)]) == 130
    assert read(path).rows == [SCENE]


def test_every_explorer_that_is_measured_can_be_made():
    course = pytest.importorskip("dlv3.course")
    for name, (made, _, budget) in explorers.EXPLORERS.items():
        assert type(eval(made, vars(course))).__name__ == name
        assert budget > 0


def test_tables_are_published(tmp_path, capsys):
    front = tmp_path / "README.md"
    front.write_text(f"before\n{FRONT_BLOCK.opening}\n{FRONT_BLOCK.closing}\nafter\n")
    made_record(THEIRS, OURS, SCENE).write(tmp_path / "records" / "cpu.json")
    assert main(["--publish", str(front), "--records", str(tmp_path / "records")]) == 0
    assert capsys.readouterr().out.split() == [str(front), str(tmp_path / "records" / "README.md")]
    assert "| inference | 16 |" in front.read_text()
    assert main(["--publish", str(front), "--records", str(tmp_path)]) == 2
    assert "nothing is recorded" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "toaster"], "--device 'toaster': expected cpu or cuda"),
        (["--output-stride", "4"], "--output-stride (4,): expected 8, 16 or both"),
        (["--rounds", "0"], "--rounds 0: expected at least 1"),
        (["--threads", "0"], "--threads (0,): expected one number of at least 1 or more"),
        (["--photos", "0"], "--photos 0: expected at least 1"),
        (["--training-batch", "1"], "--training-batch 1: expected at least 2"),
        (["speed"], "speed"),
    ],
)
def test_bad_options_end_in_status_2_and_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        raise SystemExit(main(arguments))
    assert stop.value.code == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_quick_has_other_defaults_and_leaves_what_is_given():
    assert defaults(["--quick", "inference"]) is QUICK
    assert defaults([]).size == 513
    assert QUICK.size < 513
