import subprocess
from pathlib import Path

import torch

from dlv3.ablations import surroundings as module
from dlv3.ablations.surroundings import processor, surroundings

ROOT = Path(__file__).parents[2]


def test_device_versions_and_commit_are_named():
    around = surroundings()
    assert torch.__version__.startswith(around["versions"]["torch"])
    assert set(around["versions"]) == {"python", "torch", "torchvision", "numpy"}
    if not torch.cuda.is_available():
        assert around["device"].endswith(
            f"{processor() or 'unknown processor'}, {torch.get_num_threads()} threads"
        )


def test_the_commit_is_the_source_trees_and_no_other_repositorys(tmp_path, monkeypatch):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setattr(module, "_SOURCE", packages)
    assert surroundings()["commit"] == "unknown"
