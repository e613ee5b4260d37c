"""The lessons' network is measured beside plain torch, whose answers are the same."""

import pytest
import torch

from benchmarks import lessons, machine
from benchmarks.lessons import Drawn, lesson_rows, plain_evaluation
from benchmarks.options import Options
from benchmarks.rows import ResultsDiffer
from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.config.evaluation import EvaluationConfig
from dlv3.data.transforms import EvalTransform
from dlv3.evaluation import evaluate

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def quick_products(monkeypatch):
    monkeypatch.setitem(machine.PRODUCT_SIDE, "cpu", 64)


def test_plain_torch_counts_as_the_evaluation_does():
    model = DeepLabV3(DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_channels=16)).eval()
    drawn = Drawn(3, 129)
    assert len(drawn) == 3
    plain = plain_evaluation(model, drawn, EvalTransform(), 2, CPU)
    ours = evaluate(model, drawn, EvaluationConfig(batch_size=2), progress=False)
    assert (plain - torch.tensor(ours.confusion)).abs().sum() <= 2
    assert plain.sum() == sum((labels != 255).sum() for _, labels in map(drawn.__getitem__, range(3)))


@pytest.mark.slow
def test_training_and_evaluation_have_their_rows():
    rows = list(lesson_rows(Options(threads=(1,), rounds=1, pictures=2), CPU))
    assert [row.what for row in rows] == [
        "torch, training",
        "dlv3, training",
        "torch, evaluation",
        "dlv3, evaluation",
    ]
    assert all(row.share.median > 0 for row in rows)
    assert 0 <= rows[1].difference < 1e-4
    assert rows[0].case == {"os": 16, "batch": 16, "size": 129, "threads": 1}


def test_other_labels_than_plain_torchs_are_seen(monkeypatch):
    wrong = torch.zeros(8, 8, dtype=torch.int64)
    monkeypatch.setattr(lessons, "plain_evaluation", lambda *arguments: wrong)
    model = DeepLabV3(DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_channels=16)).eval()
    with pytest.raises(ResultsDiffer, match="pixels are counted as another class"):
        lessons._evaluation(model, Drawn(1, 129), {"os": 16, "batch": 1, "size": 129}, Options(rounds=1))
