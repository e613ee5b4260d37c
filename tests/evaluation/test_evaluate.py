"""Evaluation on whole data sets: every image once, at its own size, in one process or several."""

import json
import math

import pytest
import torch
import torch.distributed as dist
from child_processes import in_processes
from torch import nn

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.evaluation import ConfusionMatrix, EvaluationConfig, evaluate, predict_probabilities

SIZES = [(33, 40), (33, 40), (20, 31), (33, 40), (20, 31), (47, 20), (33, 40)]  # an odd number, not in order


class Photos(torch.utils.data.Dataset):
    """Images of different sizes, with labels of four classes and a few ignored pixels; counts what is asked for."""

    classes = ("ground", "tree", "car", "never")
    num_classes = 4
    groups = {"things": (1, 2, 3), "stuff": (0,)}  # noqa: RUF012

    def __init__(self, sizes=SIZES):
        self.sizes, self.asked = sizes, []

    def __len__(self):
        return len(self.sizes)

    def __getitem__(self, index):
        self.asked.append(index)
        generator = torch.Generator().manual_seed(index)
        size = self.sizes[index]
        image = torch.randint(256, (3, *size), generator=generator).to(torch.uint8)
        mask = torch.randint(3, size, generator=generator).to(torch.uint8)
        mask[0, : index + 1] = 255
        return image, mask


def transform(image, mask):
    return image.float() / 255 - 0.5, mask.long()


class Pixelwise(nn.Module):
    """Tells classes by colour; class 3 never."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [-9, -9, -9]]))
        self.bias = nn.Parameter(torch.tensor([0.0, 0.0, 0.0, -99.0]))
        self.batches = []

    def forward(self, images):
        self.batches.append(tuple(images.shape))
        return torch.einsum("kc,nchw->nkhw", self.weight, images) + self.bias[:, None, None]


def expected_counts(photos):
    counts = ConfusionMatrix(4)
    model = Pixelwise()
    for i in range(len(photos)):
        image, mask = transform(*photos[i])
        counts.update(model(image[None]), mask[None])
    return counts


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_every_image_is_counted_once_whatever_the_batch_size(batch_size):
    photos, model = Photos(), Pixelwise()
    found = evaluate(model, photos, EvaluationConfig(batch_size=batch_size), transform=transform)
    assert photos.asked == list(range(7))
    assert torch.equal(torch.tensor(found.confusion), expected_counts(Photos()).matrix)
    assert found.images == 7
    assert found.pixels == sum(h * w for h, w in SIZES) - sum(range(1, 8))
    assert all(shape[0] <= batch_size for shape in model.batches)
    assert {shape[2:] for shape in model.batches} == set(SIZES)  # at their own size, none resized


def test_images_of_equal_size_share_a_batch():
    model = Pixelwise()
    evaluate(model, Photos(), EvaluationConfig(batch_size=100), transform=transform)
    assert sorted(shape[0] for shape in model.batches) == [1, 2, 4]


def test_loader_processes_change_nothing():
    here = evaluate(Pixelwise(), Photos(), transform=transform)
    there = evaluate(Pixelwise(), Photos(), transform=transform, workers=1)
    assert here.confusion == there.confusion


def test_scores_are_those_of_the_confusion_matrix():
    counts = expected_counts(Photos())
    found = evaluate(Pixelwise(), Photos(), transform=transform)
    assert found.miou == counts.miou()
    assert found.pixel_accuracy == counts.pixel_accuracy()
    assert found.iou[:3] == tuple(counts.iou().tolist())[:3]
    assert math.isnan(found.iou[3])
    assert found.groups["stuff"] == found.iou[0]
    assert found.groups["things"] == pytest.approx((found.iou[1] + found.iou[2]) / 2)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return DeepLabV3(DeepLabV3Config(backbone="resnet14", num_classes=4, aspp_rates=(2,), aspp_channels=8))


def test_real_model_at_another_output_stride_with_scales_and_flip(model):
    config = EvaluationConfig(output_stride=8, scales=(0.75, 1.0), flip=True, batch_size=2)
    found = evaluate(model, Photos(), config, transform=transform)
    assert found.output_stride == 8
    assert model.output_stride == 16
    assert model.training
    counts, photos = ConfusionMatrix(4), Photos()
    model.set_output_stride(8)
    try:
        for i in range(7):
            image, mask = transform(*photos[i])
            counts.update(predict_probabilities(model, image[None], (0.75, 1.0), True), mask[None])
    finally:
        model.set_output_stride(16)
    # Batches and memory layouts round differently: a pixel on the edge of two classes may change sides.
    assert (torch.tensor(found.confusion) - counts.matrix).abs().sum() <= 4


def test_bfloat16_moves_the_score_little(model):
    full = evaluate(model, Photos(), transform=transform)
    half = evaluate(model, Photos(), EvaluationConfig(precision="bfloat16"), transform=transform)
    assert half.precision == "bfloat16"
    assert half.miou == pytest.approx(full.miou, abs=0.05)


def test_scores_of_the_made_scenes_by_default_transform():
    from dlv3.data import DataConfig, open_dataset

    scenes = open_dataset("scenes", "val", DataConfig(pictures=3))
    config = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2,), aspp_channels=8)
    found = evaluate(DeepLabV3(config), scenes)
    assert found.classes == scenes.classes
    assert found.pixels == 3 * 129 * 129


@pytest.mark.parametrize("workers", [0, 1])
def test_random_numbers_of_a_training_are_left_alone(workers):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    evaluate(Pixelwise(), Photos(), transform=transform, workers=workers)
    assert torch.equal(torch.rand(4), expected)


def test_label_out_of_range_is_named():
    class Mislabelled(Photos):
        def __getitem__(self, index):
            image, mask = super().__getitem__(index)
            mask[3, 3] = 11
            return image, mask

    with pytest.raises(ValueError, match="label 11 at 7 pixels"):
        evaluate(Pixelwise(), Mislabelled(), transform=transform)


def test_model_of_other_classes_is_refused():
    config = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2,), aspp_channels=8)
    with pytest.raises(ValueError, match="the model has 8 classes and the data set 4"):
        evaluate(DeepLabV3(config), Photos())


def test_no_images_is_an_error():
    with pytest.raises(ValueError, match="no images"):
        evaluate(Pixelwise(), Photos(sizes=[]))


# -- two processes ----------------------------------------------------------------------------------------------

COUNTS = (7, 1)  # an odd number of images; and so few that a rank has none


def run_rank(folder):
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    results = {"error": mislabelled_on_the_second(rank)}
    for count in COUNTS:
        photos = Photos(SIZES[:count])
        found = evaluate(Pixelwise(), photos, EvaluationConfig(batch_size=2), transform=transform)
        results[str(count)] = {"asked": photos.asked, "found": found.to_dict()}
    (folder / f"{rank}.json").write_text(json.dumps(results))
    dist.destroy_process_group()


def mislabelled_on_the_second(rank):
    counts = ConfusionMatrix(3)
    labels = torch.full((1, 2, 2), 4000 if rank == 1 else 0)
    counts.update(torch.zeros_like(labels), labels)
    counts.all_reduce()
    with pytest.raises(ValueError) as error:  # noqa: PT011  the test looks at the message
        counts.miou()
    return str(error.value)


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    in_processes(2, run_rank, folder)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.parametrize("count", COUNTS)
def test_two_processes_count_each_image_once(two_ranks, count):
    first, second = (rank[str(count)] for rank in two_ranks)
    assert sorted(first["asked"] + second["asked"]) == list(range(count))
    alone = evaluate(Pixelwise(), Photos(SIZES[:count]), EvaluationConfig(batch_size=2), transform=transform)
    for rank in (first, second):
        assert rank["found"] | {"seconds": None} == alone.to_dict() | {"seconds": None}


def test_label_out_of_range_on_one_rank_is_an_error_on_both(two_ranks):
    for rank in two_ranks:
        assert rank["error"].startswith("label 4000 at 4 pixels")
