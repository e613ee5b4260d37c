"""The limit is a real product of matrices, and the machine is named."""

import pytest
import torch

from benchmarks import machine
from benchmarks.machine import describe, matrix_product, threads

CPU = torch.device("cpu")


def test_both_ways_to_multiply_give_the_product():
    left, right = torch.randn(64, 64), torch.randn(64, 64)
    out = torch.empty(64, 64)
    machine._multiply(left, right, out)
    torch.testing.assert_close(out, left @ right)
    if not machine._packs(torch.float32):
        pytest.skip("this torch has no oneDNN")
    packed = machine._packed_product(left, right)()  # (1, columns, 8, 8)
    torch.testing.assert_close(packed.permute(0, 2, 3, 1).reshape(64, 64), left @ right)


def test_a_product_says_its_operations():
    product = matrix_product(torch.float32, CPU, side=64)
    product.run()
    assert product.operations == 2 * 64**3


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_the_machine_is_named():
    described = describe(CPU)
    assert described.instructions == torch.backends.cpu.get_cpu_capability()
    assert described.name in described.line()
    assert torch.__version__.startswith(described.versions["torch"])
