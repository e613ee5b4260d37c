"""A learner's picture goes through the trained model, whatever its size and kind; the slider stays where it was."""

import io
from datetime import UTC, datetime

import pytest
import torch
from PIL import Image

import dlv3
from dlv3.course.lessons.lesson00_start_here.first_look import FirstLook
from dlv3.course.lessons.lesson00_start_here.own_picture import SIDE, OwnPicture, shares
from dlv3.data.made.scenes import Scenes


@pytest.fixture(scope="module")
def own():
    config = dlv3.DeepLabV3Config(num_classes=8, backbone="resnet14", aspp_channels=8)
    return OwnPicture(FirstLook(dlv3.DeepLabV3(config).eval(), Scenes("val", pictures=1)))


def file(name: str, kind: str, content: bytes) -> dict[str, object]:
    """A file as the browser sends it."""
    modified = datetime(2026, 1, 1, tzinfo=UTC)
    size = len(content)
    return {
        "name": name,
        "type": kind,
        "size": size,
        "content": memoryview(content),
        "last_modified": modified,
    }


def uploaded(image: Image.Image, name: str, kind: str) -> tuple[dict[str, object], ...]:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return (file(name, f"image/{kind}", buffer.getvalue()),)


@pytest.mark.parametrize(
    ("size", "mode", "kind"),
    [((40, 90), "RGB", "png"), ((700, 300), "L", "jpeg"), ((64, 64), "RGBA", "webp"), ((1, 500), "P", "png")],
    ids=["tall", "grey", "clear", "narrow"],
)
def test_uploaded_picture_is_shown_with_what_the_network_sees(own, size, mode, kind):
    before = own.picture.value
    own.upload.value = uploaded(Image.new(mode, size), f"mine.{kind}", kind)
    assert own.picture.value != before
    assert Image.open(io.BytesIO(own.picture.value)).size == (2 * SIDE + 8, SIDE)
    assert own.sentence.startswith(f"mine.{kind}, and what the network sees in it: ")
    assert own.look.model.output_stride == 16


def test_file_that_is_not_a_picture_is_named_and_the_last_picture_stays(own):
    before = own.picture.value
    own.upload.value = (file("notes.txt", "text/plain", b"words"),)
    assert own.sentence == "notes.txt cannot be read as a picture. PNG, JPEG and WebP can."
    assert own.picture.value == before


def test_picture_is_taken_from_a_file(own, tmp_path):
    Image.new("RGB", (50, 50), "red").save(tmp_path / "red.png")
    own.take(tmp_path / "red.png")
    assert own.sentence.startswith("red.png, ")


def test_stored_output_is_the_picture_and_its_sentence(own):
    bundle = own._repr_mimebundle_()
    assert bundle["text/plain"] == f"Figure: {own.sentence}"
    assert bundle["image/png"]


def test_shares_are_named_by_size_and_none_rounds_to_nothing():
    labels = torch.zeros(20, 20, dtype=torch.long)
    labels[:5], labels[19, 19] = 2, 1
    assert shares(labels, ("background", "sun", "coin")) == "background 75%, coin 25%, sun under 1%"
