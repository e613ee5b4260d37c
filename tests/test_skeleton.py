import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from randomised import randomise

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.skeleton import built_with, config_in_force, skeleton
from dlv3.weights import WeightsError

SMALL = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2, 4, 6), aspp_channels=16)


def test_skeleton_has_the_names_and_shapes_and_leaves_random_numbers_alone():
    before = torch.get_rng_state()
    bare = skeleton(SMALL).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(tensor.is_meta for tensor in bare.values())
    built = DeepLabV3(SMALL).state_dict()
    assert {name: (t.shape, t.dtype) for name, t in bare.items()} == {
        n: (t.shape, t.dtype) for n, t in built.items()
    }


def test_the_largest_network_of_terabytes_takes_no_memory():
    largest = replace(
        SMALL,
        num_classes=65_536,
        aspp_channels=65_536,
        in_channels=65_536,
        aspp_rates=(4096,) * 64,
        extra_conv=True,
    )
    assert sum(p.numel() for p in skeleton(largest).parameters()) * 4 > 10**12


@pytest.mark.slow
def test_torchs_compiler_is_not_loaded():
    code = (
        "import sys, dlv3; from dlv3.skeleton import skeleton; skeleton(dlv3.DeepLabV3Config());"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_built_with_tensors_refuses_before_the_model_is_built(monkeypatch):
    tensors = DeepLabV3(SMALL).state_dict()
    assert built_with(SMALL, tensors, "file").config == SMALL
    monkeypatch.setattr("dlv3.skeleton.load_state_dict", lambda *_: pytest.fail("was built"))
    for odd in (dict(num_classes=9), dict(aspp_channels=65_536), dict(aspp_rates=(2,) * 64)):
        with pytest.raises(WeightsError, match=r"^file: of another architecture"):
            built_with(replace(SMALL, **odd), tensors, "file")


def test_configuration_in_force_has_the_stride_and_the_rates_of_now():
    model = randomise(DeepLabV3(SMALL))
    assert config_in_force(model) == SMALL
    model.set_output_stride(8)
    model.backbone.set_multi_grid((1, 1, 1))
    model.aspp.set_rates((4, 8, 16))
    config = config_in_force(model)
    assert config == replace(SMALL, output_stride=8, multi_grid=(1, 1, 1), aspp_rates=(2, 4, 8))
    twin = DeepLabV3(config).eval()
    twin.load_state_dict(model.state_dict())
    images = torch.randn(1, 3, 49, 33)
    with torch.inference_mode():
        assert torch.equal(twin(images), model(images))


def test_a_rate_that_no_configuration_gives_is_named():
    model = DeepLabV3(SMALL)
    model.backbone.layer4[0].conv1.set_rate(7)
    with pytest.raises(
        WeightsError, match=r"backbone\.layer4\.0\.conv1 has rate 7 and stride 1, by its config.* 2 and"
    ):
        config_in_force(model)
