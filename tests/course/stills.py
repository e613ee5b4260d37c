"""What the stored picture of every explorer must be."""

import json
from xml.etree import ElementTree

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
