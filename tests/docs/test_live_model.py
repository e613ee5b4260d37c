"""The live page's file: with the bytes that the page sets, it is the model at any stride, multi-grid and rates."""

import json

import onnx
import onnxruntime
import pytest
import torch

from dlv3 import assets, weights
from docs.live import __main__ as command
from docs.live.files import ABSENT, put
from docs.live.links import link_from
from docs.live.model import LARGEST, SHORTCUT
from docs.settings import ROOT

pytestmark = pytest.mark.slow


def with_numbers_of(model, content: bytes, layers: list[dict]) -> bytes:
    """The file with the strides and rates that a model has now."""
    tuned = bytearray(content)
    modules = dict(model.named_modules())
    for layer in layers:
        if layer["name"] == SHORTCUT:
            stride, rate = model.backbone.units(1)[0].stride, 1
        else:
            stride, rate = modules[layer["name"]].stride[0], modules[layer["name"]].rate
        for kind, value in (("strides", stride), ("dilations", rate), ("pads", rate)):
            for place in layer[kind]:
                tuned[place] = value
    return bytes(tuned)


@pytest.mark.parametrize(
    ("output_stride", "multi_grid", "rates"),
    [(32, (1, 2, 4), (1, 2, 3)), (16, (1, 2, 4), (2, 4, 6)), (8, (1, 1, 1), (12, 24, 36)), (4, (1, 2, 1), (8, 16, 24))],
)  # fmt: skip
def test_file_is_the_model_at_any_setting(output_stride, multi_grid, rates, live_files):
    model = weights.load(assets.weights("scenes_laptop")).eval()
    model.set_output_stride(output_stride)
    model.backbone.set_multi_grid(multi_grid)
    model.aspp.set_rates(rates)
    layers = json.loads((live_files / "about.json").read_text())["layers"]
    content = with_numbers_of(model, (live_files / "model.onnx").read_bytes(), layers)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    image = torch.randn(1, 3, 65, 65, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(1, 320, 1, 1)
    mask[:, 64:128] = 0
    logits, branches = session.run(["logits", "branches"], {"images": image.numpy(), "mask": mask.numpy()})
    with torch.no_grad():
        features = model.backbone(image)
        joined = torch.cat([branch(features) for branch in model.aspp.convs], 1)
        off = model.aspp.project(joined * mask)
        expected = torch.nn.functional.interpolate(model.classifier[1](off), (65, 65), mode="bilinear")
    torch.testing.assert_close(torch.from_numpy(branches), joined, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(torch.from_numpy(logits), expected, rtol=1e-4, atol=1e-4)


def test_table_has_every_layer_that_changes_and_numbers_of_one_byte(live_files):
    about = json.loads((live_files / "about.json").read_text())
    layers = {layer["name"]: layer for layer in about["layers"]}
    model = weights.load(assets.weights("scenes_laptop"))
    for output_stride, place in ((32, 0), (16, 1), (8, 2), (4, 3)):
        model.set_output_stride(output_stride)
        for name, module in model.named_modules():
            if name in layers:
                assert layers[name]["stride"][place] == module.stride[0]
                unit = layers[name]["unit"]
                grid = 1 if unit is None else model.backbone.multi_grid[unit]
                assert layers[name]["rate"][place] * grid == module.rate <= LARGEST
    assert [layer["branch"] for layer in layers.values() if layer["branch"] is not None] == [0, 1, 2]


def test_file_names_no_folder_of_this_machine(live_files):
    content = (live_files / "model.onnx").read_bytes()
    assert b"site-packages" not in content
    assert str(ROOT).encode() not in content
    onnx.checker.check_model(onnx.load_from_string(content))


REFUSED = """npm error code E404
npm error 404 Not Found - GET https://registry.example/onnxruntime-web
npm error A complete log of this run can be found in: npm.log
"""


@pytest.mark.parametrize(
    ("npm", "why"),
    [
        (None, "npm is not installed; install Node.js, then repeat the command"),
        (REFUSED, "npm ci ended with status 7: 404 Not Found - GET https://registry.example/onnxruntime-web"),
        ("killed\n", "npm ci ended with status 7: killed"),
        ("", "npm ci ended with status 7: no message"),
    ],
)
def test_without_npm_the_book_is_written_and_says_so_in_one_line(npm, why, tmp_path, monkeypatch, capsys):
    tools, made = tmp_path / "tools", tmp_path / "live"
    tools.mkdir()
    if npm is not None:
        (tools / "npm").write_text(f"#!/bin/sh\nprintf '%s' '{npm}' >&2\nexit 7\n")
        (tools / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr(command, "LIVE", made)
    assert command.main() == 0, "make goes on"
    assert capsys.readouterr().err == f"docs: the live model is left out of the book: {why}\n"
    # An older model in the book does not stay there beside a page that says that there is none.
    (tmp_path / "book").mkdir()
    assert put(made, tmp_path / "book") == ABSENT
    assert "npm" in ABSENT
    assert not (tmp_path / "book").exists()


def test_four_lessons_lead_to_the_page():
    assert "live.md" in link_from("06_aspp")[0].source
    assert link_from("01_atrous_convolution") == []
