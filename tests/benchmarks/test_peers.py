"""Other runtimes answer as the model that was exported for them, in float32, and say when they are not installed."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from benchmarks import peers
from benchmarks.inference import present_peers
from benchmarks.options import Options
from benchmarks.peers import PEERS, Peer
from benchmarks.rows import Missing

WEIGHT = torch.randn(2, 3, 3, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", name="file")
def one_convolution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of one convolution, with the names that an export has."""
    onnx = pytest.importorskip("onnx")
    sides = ["batch", 3, "height", "width"]
    images = onnx.helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, sides)
    logits = onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["batch", 2, *sides[2:]])
    weight = onnx.numpy_helper.from_array(WEIGHT.numpy(), "weight")
    node = onnx.helper.make_node("Conv", ["images", "weight"], ["logits"], pads=[1, 1, 1, 1])
    graph = onnx.helper.make_graph([node], "convolution", [images], [logits], [weight])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    path = tmp_path_factory.mktemp("onnx") / "convolution.onnx"
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("peer", PEERS, ids=[peer.name for peer in PEERS])
@pytest.mark.parametrize("shape", [(1, 3, 8, 9), None], ids=["one shape", "any shape"])
def test_a_peer_answers_as_torch(peer: Peer, shape, file):
    if peer.missing():
        pytest.skip(peer.missing())
    run = peer.start(file, 1, shape)
    for size in [(1, 3, 8, 9)] if shape else [(1, 3, 8, 9), (2, 3, 5, 4)]:
        images = torch.randn(size)
        torch.testing.assert_close(run(images), F.conv2d(images, WEIGHT, padding=1), rtol=0, atol=1e-5)


def test_a_peer_that_is_not_installed_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda name: None if name == "openvino" else object())
    rows = present_peers("inference", Options(), torch.device("cpu"))
    assert next(rows) == Missing(
        "inference", "OpenVINO", "openvino: not installed; pip install 'dlv3[peers]'"
    )
    with pytest.raises(StopIteration) as end:
        next(rows)
    assert [peer.name for peer in end.value.value] == ["ONNX Runtime"]


@pytest.mark.parametrize(
    ("options", "device"), [(Options(peers=False), "cpu"), (Options(), "cuda")], ids=["left out", "a GPU"]
)
def test_peers_run_on_the_cpu_where_they_are_wanted(options, device):
    assert list(present_peers("inference", options, torch.device(device))) == []
