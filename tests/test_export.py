"""A file that `export` wrote answers as the model that it was made from, at any size, and tells how to use it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from randomised import randomise
from torch import nn

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3 import export as exports
from dlv3.atrous import AtrousConv2d
from dlv3.export import ExportError, describe, export, folded, verify
from dlv3.fast import for_training

CONFIG = DeepLabV3Config(backbone="resnet14", num_classes=5, aspp_rates=(6, 12, 18), aspp_channels=16)
SIZES = [(1, 3, 33, 65), (2, 3, 97, 40), (3, 3, 129, 129)]
CLASSES = ("sky", "road", "car", "tree", "Weg »1«")


def model_of(config: DeepLabV3Config = CONFIG) -> DeepLabV3:
    torch.manual_seed(0)
    model = randomise(DeepLabV3(config))
    # Logits of a few units, as a trained model's.
    nn.init.normal_(model.classifier[-1].weight, std=3.0)
    return model


@pytest.fixture(scope="module", name="model")
def a_model() -> DeepLabV3:
    return model_of()


@pytest.fixture(
    scope="module", name="onnx_file", params=[16, pytest.param(8, marks=pytest.mark.slow)], ids="os{}".format
)
def onnx_at_both_output_strides(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """The output stride and the file."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    assert export(model_of(), path, output_stride=request.param, classes=CLASSES) < 1e-4
    return request.param, path


@pytest.fixture(scope="module", name="torch_file")
def pt2(model: DeepLabV3, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torch") / "model.pt2"
    export(model, path, format="torch")
    return path


@torch.no_grad()
def test_onnx_answers_as_the_model_at_any_size(onnx_file):
    import onnxruntime

    output_stride, path = onnx_file
    model = model_of()
    model.set_output_stride(output_stride)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for size in [*SIZES, (1, 3, 1, 1), (1, 3, 5, 200)]:
        images = torch.randn(size)
        (logits,) = session.run(None, {"images": images.numpy()})
        torch.testing.assert_close(torch.from_numpy(logits), model(images), rtol=0, atol=1e-4)


def test_onnx_holds_ordinary_operators_and_the_folded_weights(model, onnx_file):
    import onnx

    graph = onnx.load(onnx_file[1]).graph
    assert {node.domain for node in graph.node} == {""}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == sum(isinstance(m, nn.Conv2d) for m in model.modules())
    assert all(len(node.input) == 3 for node in convolutions), "each has a bias"
    assert not any(node.op_type == "BatchNormalization" for node in graph.node)
    shapes = [
        [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    ]
    assert shapes == [["batch", 3, "height", "width"], ["batch", 5, "height", "width"]]


def test_onnx_tells_how_to_use_it(onnx_file):
    import onnxruntime

    output_stride, path = onnx_file
    text = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    values = {name.removeprefix("dlv3."): json.loads(value) for name, value in text.items()}
    assert values["classes"] == list(CLASSES)
    assert values["mean"] == [0.485, 0.456, 0.406]
    assert values["std"] == [0.229, 0.224, 0.225]
    assert values["output_stride"] == output_stride
    assert DeepLabV3Config.from_dict(values["config"]) == replace(CONFIG, output_stride=output_stride)


def test_other_channels_than_rgb_are_told_with_the_statistics_that_normalise_them():
    model = model_of()
    model.backbone.conv1 = AtrousConv2d(2, 16, stride=2)
    text = describe(model)
    assert json.loads(text["dlv3.mean"]) == pytest.approx([0.449] * 2)
    assert json.loads(text["dlv3.std"]) == pytest.approx([0.226] * 2)


@torch.no_grad()
def test_pt2_answers_as_the_model_and_tells_how_to_use_it(model, torch_file):
    text = dict.fromkeys(describe(model), "")
    program = torch.export.load(torch_file, extra_files=text)
    assert text == describe(model)
    run = program.module()
    for size in [*SIZES, (1, 3, 17, 200)]:
        images = torch.randn(size)
        torch.testing.assert_close(run(images), model(images), rtol=0, atol=1e-4)


def test_files_know_nothing_of_the_machine_that_wrote_them(onnx_file, torch_file):
    folder = str(Path(exports.__file__).parent).encode()
    for path in (onnx_file[1], torch_file):
        assert folder not in path.read_bytes()


def test_the_model_stays_as_it_was(torch_file):
    model = model_of().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    folded(model)
    assert model.training
    assert model.output_stride == 16
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


@torch.no_grad()
@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        replace(CONFIG, aspp_rates=(), blocks=7, multi_grid=(1, 2, 1)),
        replace(CONFIG, first_unit="previous", extra_conv=True, aux=True, image_pooling=False),
        replace(CONFIG, backbone="resnet50"),
    ],
    ids=["ASPP", "cascade", "torchvision's", "bottlenecks"],
)
def test_folded_models_have_no_batch_normalization_and_the_same_logits(config):
    model = model_of(config)
    plain = folded(for_training(model))
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in plain.modules())
    images = torch.randn(2, 3, 33, 49)
    torch.testing.assert_close(plain(images), model(images), rtol=1e-4, atol=1e-4)


def test_a_file_of_another_model_is_found_out(model, torch_file):
    other = model_of(replace(CONFIG, multi_grid=(1, 1, 1)))
    with pytest.raises(
        ExportError, match="the torch file's logits differ from the model's by .* nothing was"
    ):
        verify(torch_file.read_bytes(), "torch", other)
    nn.init.constant_(other.classifier[-1].bias, float("nan"))
    with pytest.raises(ExportError, match="by nan"):
        verify(torch_file.read_bytes(), "torch", other)


def test_what_differs_is_not_written(model, torch_file, tmp_path, monkeypatch):
    made = exports.FORMATS["torch"]
    wrong = replace(made, make=lambda program, about: torch_file.read_bytes())
    monkeypatch.setitem(exports.FORMATS, "torch", wrong)
    monkeypatch.setattr(exports, "_traced", lambda model: None)
    with pytest.raises(ExportError):
        export(model_of(replace(CONFIG, multi_grid=(1, 1, 1))), tmp_path / "model.pt2", format="torch")
    assert list(tmp_path.iterdir()) == []
    export(model, tmp_path / "model.pt2", format="torch")
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt2"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("model.pt2", dict(format="onnx"), "out='.*model.pt2': expected a name that ends in .onnx"),
        ("model.onnx", dict(format="tflite"), "format='tflite': expected one of 'onnx', 'torch'"),
        (
            "model.pt2",
            dict(format="torch", output_stride=64),
            "output_stride=64: expected one of 4, 8, 16, 32",
        ),
        ("model.pt2", dict(format="torch", classes=("a", "b")), r"classes=\['a', 'b'\]: expected 5 names"),
    ],
)
def test_bad_options_are_refused(name, options, message, model, tmp_path):
    with pytest.raises(ValueError, match=message):
        export(model, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(model, tmp_path):
    (tmp_path / "model.pt2").write_text("mine")
    (tmp_path / "link.pt2").symlink_to("nowhere")
    for name in ("model.pt2", "link.pt2"):
        with pytest.raises(
            FileExistsError, match=f"{name}: exists and is not overwritten; give another name"
        ):
            export(model, tmp_path / name, format="torch")
    assert (tmp_path / "model.pt2").read_text() == "mine"


def test_a_missing_package_is_named_with_what_to_install(model, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "find_spec", lambda name: None if name.startswith("onnx") else object())
    with pytest.raises(
        ValueError, match=r"needs onnx, onnxscript, onnxruntime; .* pip install 'dlv3\[export\]'"
    ):
        export(model, tmp_path / "model.onnx")
