import pytest
import torch
from randomised import randomise
from torch.nn import functional as F
from torchvision.models.segmentation import deeplabv3_resnet50, deeplabv3_resnet101

from dlv3 import DeepLabV3, DeepLabV3Config, weights
from dlv3.weights import WeightsError

SMALL = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2, 4, 6), aspp_channels=16)
BUILDERS = {"resnet50": deeplabv3_resnet50, "resnet101": deeplabv3_resnet101}
PARAMETERS = {"resnet50": (39_638_869, 42_004_074), "resnet101": (58_630_997, 60_996_202)}


@pytest.fixture(scope="module", name="theirs", params=list(BUILDERS))
def torchvision_model(request) -> tuple[str, torch.nn.Module]:
    """torchvision's model with its auxiliary classifier: each depth is built once, for all tests of it in turn."""
    return request.param, build(request.param)


def build(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return randomise(BUILDERS[name](weights=None, weights_backbone=None, num_classes=21, aux_loss=True))


def without_aux(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: t for name, t in model.state_dict().items() if not name.startswith("aux_classifier.")}


@pytest.mark.slow
def test_logits_equal_torchvisions(theirs):
    theirs = theirs[1]
    ours = weights.from_torchvision(without_aux(theirs))
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        for size in [(513, 513), (197, 310)]:
            images = torch.randn(1, 3, *size, generator=generator)
            expected = upsampled(theirs, images)
            assert expected.std() > 0.01
            assert (ours(images) - expected).abs().max() < 1e-4
        ours, theirs = ours.double(), theirs.double()
        # On the map of (41, 25) every tap of every rate meets the map along one axis, and not along the other.
        for size in [(321, 197), (197, 310)]:
            images = torch.randn(1, 3, *size, generator=generator, dtype=torch.float64)
            assert (ours(images) - upsampled(theirs, images)).abs().max() < 1e-10
    theirs.float()


def upsampled(theirs: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    """torchvision's logits without its auxiliary ones."""
    logits = theirs.classifier(theirs.backbone(images)["out"])
    return F.interpolate(logits, size=images.shape[2:], mode="bilinear", align_corners=False)


def test_parameter_counts_are_torchvisions(theirs):
    name, model = theirs
    counts = []
    for aux, state_dict in [(False, without_aux(model)), (True, model.state_dict())]:
        ours = weights.from_torchvision(state_dict, keep_aux=aux)
        counts.append(sum(p.numel() for p in ours.parameters()))
        assert counts[-1] == sum(p.numel() for n, p in model.named_parameters() if n in state_dict)
    assert tuple(counts) == PARAMETERS[name]


def test_auxiliary_classifier_is_ignored_or_kept(theirs):
    theirs = theirs[1]
    images = torch.randn(1, 3, 65, 80)
    kept = weights.from_torchvision(theirs.state_dict(), keep_aux=True)
    with torch.inference_mode():
        expected = theirs(images)
        logits, auxiliary = kept.forward_with_auxiliary(images)
        torch.testing.assert_close(logits, expected["out"], atol=1e-4, rtol=0)
        torch.testing.assert_close(auxiliary, expected["aux"], atol=1e-4, rtol=0)
        ignored = weights.from_torchvision(theirs.state_dict())
        assert ignored.aux_classifier is None
        torch.testing.assert_close(ignored(images), expected["out"], atol=1e-4, rtol=0)
    with pytest.raises(WeightsError, match="keep_aux=True"):
        weights.from_torchvision(without_aux(theirs), keep_aux=True)


def test_ours_go_back_to_torchvision(theirs):
    name, model = theirs
    state_dict = weights.to_torchvision(weights.from_torchvision(without_aux(model)))
    with torch.device("meta"):
        again = BUILDERS[name](weights=None, weights_backbone=None, num_classes=21)
    again.load_state_dict(state_dict, assign=True)
    assert all(torch.equal(t, again.state_dict()[name]) for name, t in without_aux(model).items())
    with pytest.raises(WeightsError, match=r"multi_grid=\(1, 1, 1\)"):
        weights.to_torchvision(DeepLabV3(SMALL))


def test_other_state_dicts_are_not_taken_for_torchvisions():
    with pytest.raises(WeightsError, match="not of torchvision"):
        weights.from_torchvision(DeepLabV3(SMALL).state_dict())


def test_a_model_or_a_file_is_taken_too_and_older_files_without_counters(tmp_path):
    theirs = build("resnet50")
    state = {name: t for name, t in theirs.state_dict().items() if "num_batches_tracked" not in name}
    torch.save({"model": {f"module.{name}": t for name, t in state.items()}}, tmp_path / "old.pth")
    with pytest.warns(UserWarning, match=r"old\.pth: .*entry 'model'.*'module\.'"):
        of_file = weights.from_torchvision(tmp_path / "old.pth")
    of_model = weights.from_torchvision(theirs)
    assert of_model.config == of_file.config
    ours = of_file.state_dict()
    assert all(torch.equal(t, ours[name]) for name, t in of_model.state_dict().items())
    with pytest.raises(FileNotFoundError, match="none.pth"):
        weights.from_torchvision(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="state_dict: expected tensors by name"):
        weights.from_torchvision(None)


def test_one_class_is_refused():
    with torch.device("meta"):
        theirs = deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=1)
    with pytest.raises(WeightsError, match="num_classes=1: .*two classes, background and object"):
        weights.from_torchvision(theirs)
