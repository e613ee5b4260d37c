"""The first picture and the memory are measured in a process of each contender's own."""

import json
from dataclasses import asdict

import pytest
import torch

from benchmarks import alone
from benchmarks.alone import Measured, Task, measure_alone
from benchmarks.options import Options
from benchmarks.rows import Missing, Unavailable
from dlv3 import DeepLabV3, DeepLabV3Config, weights

pytestmark = pytest.mark.skipif(not alone.STATUS.exists(), reason="needs /proc")
CPU = torch.device("cpu")


@pytest.mark.slow
def test_a_process_tells_its_times_and_its_memory(tmp_path):
    model = DeepLabV3(DeepLabV3Config(backbone="resnet14", num_classes=5, aspp_channels=16))
    weights.save(model, tmp_path / "model.safetensors")
    found = measure_alone(Task("dlv3", str(tmp_path / "model.safetensors"), 16, ((33, 33), (65, 40)), 1))
    assert found.ready > 0
    assert found.first > 0
    assert found.peak >= found.kept > sum(p.numel() for p in model.parameters()) * 4 / 2


@pytest.mark.slow
def test_a_process_that_fails_is_told_with_its_last_words(tmp_path):
    with pytest.raises(
        RuntimeError, match=r"dlv3 in a process of its own: FileNotFoundError: .*none.safetensors"
    ):
        measure_alone(Task("dlv3", str(tmp_path / "none.safetensors"), 16, ((33, 33),), 1))


def test_tasks_travel_as_json():
    task = Task("dlv3", "file", 16, ((33, 33), (65, 40)), 1)
    assert Task.of(json.loads(json.dumps(asdict(task)))) == task


def test_each_case_has_a_row_of_each_contender(monkeypatch):
    asked = []

    def made(task: Task) -> Measured:
        asked.append(task)
        return Measured(0.5, 2.0 if task.name == "torchvision" else 1.0, 300 * 2**20, 200 * 2**20)

    monkeypatch.setattr(alone, "measure_alone", made)
    monkeypatch.setattr(alone, "_files", lambda names, output_stride, folder: dict.fromkeys(names, folder))
    monkeypatch.setattr(alone, "PEERS", alone.PEERS[:1])
    monkeypatch.setattr(type(alone.PEERS[0]), "missing", lambda peer: "not here")
    rows = list(alone.memory_rows(Options(output_stride=(16,), threads=(1, 2)), CPU))
    assert rows[0] == Missing("memory", "ONNX Runtime", "not here")
    assert [(row.what, row.case["sizes"]) for row in rows[1:]] == [
        ("torchvision", "one size"),
        ("dlv3", "one size"),
        ("torchvision", "six scales"),
        ("dlv3", "six scales"),
    ]
    assert rows[2].ratio.median == 2.0
    assert (rows[2].memory, rows[2].kept) == (300 * 2**20, 200 * 2**20)
    assert "the first picture, 0.50 s after its file" in rows[2].note
    assert {task.threads for task in asked} == {2}
    assert asked[-1].sizes == ((257, 257), (385, 385), (513, 513), (641, 641), (770, 770), (898, 898))


def test_a_gpu_is_refused():
    with pytest.raises(Unavailable, match="on a CPU, under Linux"):
        next(iter(alone.memory_rows(Options(), torch.device("cuda"))))
