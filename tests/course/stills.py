"""What the stored picture of every explorer must be, and the pixels of a picture."""

import io
import json
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from dlv3.course.kit.explorer import Explorer


def check_still(explorer: Explorer, again: Explorer) -> None:
    """Check that two explorers of one state store the same whole picture, with its words and its state."""
    first, second = explorer._repr_mimebundle_()[0], again._repr_mimebundle_()[0]
    assert first["image/svg+xml"] == second["image/svg+xml"]
    assert first["text/plain"] == second["text/plain"]
    assert explorer.says() in first["text/plain"]
    root = ElementTree.fromstring(first["image/svg+xml"])
    assert json.loads(root.get("data-state")) == explorer.state
    assert explorer.says() in root.find("{*}desc").text
    for broken in ("undefined", "NaN", "Infinity"):
        assert broken not in first["image/svg+xml"]


def pixels(picture: bytes) -> np.ndarray:
    """Return a PNG's pixels, (H, W, 4)."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA"))
