"""A GPU's rows: every precision, and all that torch's users switch on; rehearsed on the CPU."""

import pytest
import torch
from torch import nn

from benchmarks import gpu, machine
from benchmarks.gpu import computing_in, gpu_rows, graphed, precisions, ways
from benchmarks.options import Options
from benchmarks.rows import Unavailable

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
SMALL = Options(
    sections=("gpu",),
    size=33,
    batch=(1,),
    training_size=33,
    training_batch=2,
    output_stride=(16,),
    rounds=1,
)


@pytest.fixture(autouse=True)
def quick_products(monkeypatch):
    monkeypatch.setitem(machine.PRODUCT_SIDE, "cpu", 64)
    monkeypatch.setitem(machine.PRODUCT_SIDE, "cuda", 64)


def test_the_ways_are_those_of_the_device():
    on_gpu = [way.name for way in ways(Options(compile=True), CUDA)]
    assert on_gpu == [
        "torchvision",
        "torchvision, channels last",
        "dlv3",
        "torchvision, channels last, CUDA graph",
        "dlv3, CUDA graph",
        "torchvision, channels last, compiled",
        "dlv3, compiled",
    ]
    assert [way.name for way in ways(Options(), CPU)] == on_gpu[:3]
    assert [way.name for way in ways(Options(), CUDA, training=True)] == on_gpu[:3]


def test_the_precisions_are_those_of_the_device(monkeypatch):
    monkeypatch.setattr(gpu, "has_bfloat16", lambda device: device == CUDA)
    assert precisions(Options(), CPU) == ["float32"]
    assert precisions(Options(emulated=True), CPU) == ["float32", "bfloat16"]
    assert precisions(Options(), CUDA) == ["float32", "TF32", "bfloat16"]


def test_tf32_is_forbidden_in_float32_and_afterwards_as_it_was():
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    for precision, allowed in (("float32", False), ("TF32", True), ("bfloat16", True)):
        with computing_in(precision, CUDA):
            assert torch.backends.cuda.matmul.allow_tf32 is torch.backends.cudnn.allow_tf32 is allowed
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before


def test_on_a_cpu_the_section_is_for_those_who_name_it():
    with pytest.raises(Unavailable, match="--device cuda"):
        next(gpu_rows(Options(), CPU))


@needs_cuda
def test_inference_and_training_have_rows_in_each_precision():
    """On a CPU the script's rehearsal looks at them: tests/benchmarks/test_gpu_script.py."""
    rows = list(gpu_rows(SMALL, CUDA))
    assert {row.section for row in rows} == {"gpu inference", "gpu training"}
    assert {row.case["precision"] for row in rows} == set(precisions(SMALL, CUDA))
    assert not any(row.wrong for row in rows)
    ours = [row for row in rows if row.what == "dlv3"]
    assert ours
    assert all(row.lead is not None and row.rival.startswith("torchvision") for row in ours)


@needs_cuda
def test_a_recorded_graph_answers_for_new_images():
    net = nn.Conv2d(3, 4, 3).cuda()

    def run(images: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return net(images)

    images = torch.randn(2, 1, 3, 9, 9, device="cuda")
    replay = graphed(run, images[0])
    for one in images:
        torch.testing.assert_close(replay(one), run(one))
