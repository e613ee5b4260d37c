"""Labels are counted once, and the counts are kept where something can be written."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlv3.data import DataConfig, open_dataset
from dlv3.data.photos import counts as counts_module
from dlv3.data.photos import images


def open_all(root: Path, **options):
    return open_dataset(f"folder:{root}", "train", DataConfig(**options))


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for i in range(10):
        Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / f"images/{i:02}.png")
        mask = np.array([[i % 3, 255], [0, 1]], np.uint8)
        Image.fromarray(mask).save(tmp_path / f"masks/{i:02}.png")
    return tmp_path


def test_labels_are_counted_once_and_kept_beside_the_pictures(ten, monkeypatch):
    dataset = open_all(ten, num_classes=3)
    counts = dataset.label_counts()
    assert (ten / ".dlv3-labels.json").is_file()
    expected = [np.bincount(dataset[i][1].numpy().ravel(), minlength=256) for i in range(len(dataset))]
    assert np.array_equal(counts, expected)

    counts_module._count.cache_clear()
    monkeypatch.setattr(images, "read_mask", lambda *_: pytest.fail("a mask was read again"))
    assert np.array_equal(open_all(ten, num_classes=3).label_counts(), counts)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 1}', '{"format": 1, "reading": 1, "masks": 3}']
)
def test_kept_counts_that_cannot_be_used_are_counted_again(ten, content):
    before = open_all(ten, num_classes=3).label_counts()
    (ten / ".dlv3-labels.json").write_text(content)
    counts_module._count.cache_clear()
    assert np.array_equal(open_all(ten, num_classes=3).label_counts(), before)


def test_counts_of_data_that_cannot_be_written_to_lie_in_the_users_cache(ten, tmp_path_factory, monkeypatch):
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(counts_module, "user_cache_path", lambda name: cache / name)
    ten.chmod(0o555)
    open_all(ten, num_classes=3).label_counts()
    ten.chmod(0o755)
    assert not (ten / ".dlv3-labels.json").exists()
    assert len(list(cache.rglob("*.json"))) == 1
