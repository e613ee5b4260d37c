"""The result of an evaluation: scores of a confusion matrix, as a table to read and as JSON to keep."""

import json
import math

import pytest
import torch

from dlv3.evaluation import ConfusionMatrix, Evaluation, EvaluationConfig
from dlv3.evaluation.report import plain

CLASSES = ("ground", "tree", "car", "never")
GROUPS = {"things": (1, 2, 3), "stuff": (0,), "nothing": (3,)}


@pytest.fixture(scope="module")
def counts():
    """Ground 3 of 4 pixels right, tree 1 of 2, car 1 of 1; `never` nowhere; one pixel ignored."""
    counts = ConfusionMatrix(4)
    labels = torch.tensor([[[0, 0, 0, 0, 1, 1, 2, 255]]])
    predictions = torch.tensor([[[0, 0, 0, 1, 1, 2, 2, 3]]])
    counts.update(predictions, labels)
    return counts


@pytest.fixture(scope="module")
def found(counts):
    config = EvaluationConfig(scales=(0.5, 1.0), flip=True, precision="bfloat16")
    return Evaluation.of(counts, CLASSES, GROUPS, config, images=7, seconds=1.25, output_stride=8)


def test_scores_are_those_of_the_confusion_matrix(counts, found):
    assert found.miou == counts.miou() == pytest.approx((3 / 4 + 1 / 3 + 1 / 2) / 3)
    assert found.pixel_accuracy == counts.pixel_accuracy() == 5 / 7
    assert found.iou[:3] == tuple(counts.iou().tolist())[:3]
    assert math.isnan(found.iou[3])
    assert found.pixels == 7


def test_groups_are_means_over_their_classes_that_occur(found):
    assert found.groups["stuff"] == found.iou[0]
    assert found.groups["things"] == pytest.approx((found.iou[1] + found.iou[2]) / 2)
    assert math.isnan(found.groups["nothing"])


def test_table_is_aligned_and_says_everything_that_decides_the_score(found):
    assert found.table().splitlines() == [
        "class            IOU %  pixels %",
        "--------------------------------",
        "ground           75.00     57.14",
        "tree             33.33     28.57",
        "car              50.00     14.29",
        "never                -      0.00",
        "--------------------------------",
        "mIOU             52.78",
        "pixel accuracy   71.43",
        "mIOU of things   41.67",
        "mIOU of stuff    75.00",
        "mIOU of nothing      -",
        "",
        "left out of the means, as neither labelled nor predicted: never",
        "things: tree, car, never",
        "stuff: ground",
        "nothing: never",
        "7 images, 7 labelled pixels, 1.2 s",
        "output stride 8, scales 0.5 1, with flip, bfloat16",
    ]


def test_precision_and_recall_of_each_class(found):
    assert found.class_precision[:3] == (1.0, 0.5, 0.5)
    assert found.class_recall[:3] == (0.75, 0.5, 1.0)
    assert math.isnan(found.class_precision[3])
    assert math.isnan(found.class_recall[3])
    assert found.table(details=True).splitlines()[:6] == [
        "class            IOU %  pixels %  precision %  recall %",
        "-------------------------------------------------------",
        "ground           75.00     57.14       100.00     75.00",
        "tree             33.33     28.57        50.00     50.00",
        "car              50.00     14.29        50.00    100.00",
        "never                -      0.00            -         -",
    ]
    assert found.to_dict()["class_recall"] == [0.75, 0.5, 1.0, None]


def test_json_holds_the_scores_and_no_nan(found):
    values = json.loads(found.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert values == found.to_dict()
    assert values["miou"] == found.miou
    assert values["iou"][3] is None
    assert values["classes"] == list(CLASSES)
    assert values["pixels"] == found.pixels
    assert values["groups"]["stuff"] == found.iou[0]
    assert values["groups"]["nothing"] is None
    assert values["confusion"] == [list(row) for row in found.confusion]
    assert (values["scales"], values["flip"], values["images"]) == ([0.5, 1.0], True, 7)


def test_confusion_matrix_stands_one_row_a_line(found):
    lines = found.to_json().splitlines()
    first = lines.index('  "confusion": [')
    assert lines[first + 1 : first + 6] == ["    [3, 1, 0, 0],", "    [0, 1, 1, 0],", "    [0, 0, 1, 0],",
                                            "    [0, 0, 0, 0]", "  ],"]  # fmt: skip


def test_plain_values_are_those_of_json():
    nested = {"a": (1, 2.5, math.nan), "b": {"c": [math.inf, "text", True, None]}}
    assert plain(nested) == {"a": [1, 2.5, None], "b": {"c": [None, "text", True, None]}}


def test_names_of_classes_cannot_add_lines_or_colours_to_the_table():
    counts = ConfusionMatrix(2)
    counts.update(torch.tensor([[[0, 1]]]), torch.tensor([[[0, 0]]]))
    found = Evaluation.of(
        counts,
        ("sky\x1b[31m", "a\nb"),
        {"both\r": (0, 1)},
        EvaluationConfig(),
        images=1,
        seconds=1.0,
        output_stride=16,
    )
    lines = found.table().split("\n")
    assert all(line.isprintable() for line in lines)
    assert lines[2].startswith(r"sky\x1b[31m ")
    assert lines[3].startswith(r"a\nb ")
