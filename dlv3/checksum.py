"""A checksum of a weights file's contents, kept in its own text: it finds damage by accident, not malice."""

import hashlib
import json
from collections.abc import Mapping

import torch
from torch import Tensor

CHECKSUM_KEY = "dlv3.sha256"


def checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """Return the SHA-256 of tensors (names, types, shapes, values) and text, whatever their order.

    Args:
        tensors: on the CPU.
        metadata: the file's text without the checksum.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        # NumPy has no bfloat16, so the values are seen as bytes first.
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
