import torch

from dlv3.checksum import checksum

TENSORS = {
    "a": torch.arange(6.0).reshape(2, 3),
    "b": torch.zeros((), dtype=torch.bfloat16),
    "c": torch.zeros(0, 3),
}
TEXT = {"note": "kept", "config": "{}"}


def test_order_and_memory_layout_do_not_matter():
    turned = {name: TENSORS[name] for name in reversed(TENSORS)}
    turned["a"] = torch.arange(6.0).reshape(2, 3).T.contiguous().T
    assert checksum(turned, {"config": "{}", "note": "kept"}) == checksum(TENSORS, TEXT)


def test_names_types_shapes_values_and_text_do():
    other = [
        (TENSORS | {"a": TENSORS["a"].reshape(3, 2)}, TEXT),
        (TENSORS | {"a": TENSORS["a"].int()}, TEXT),
        (TENSORS | {"a": TENSORS["a"] + 1}, TEXT),
        ({"d" if name == "a" else name: t for name, t in TENSORS.items()}, TEXT),
        (TENSORS, TEXT | {"note": "lost"}),
    ]
    assert len({checksum(*contents) for contents in [(TENSORS, TEXT), *other]}) == 6
