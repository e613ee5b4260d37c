"""The course's one photo is the file that matplotlib brings along."""

from matplotlib import cbook
from PIL import Image, ImageChops

from dlv3.course.kit.sample_photo import sample_photo


def test_the_photo_is_matplotlibs_own():
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        theirs = Image.open(file).convert("RGB")
    assert sample_photo().size == (512, 600)
    assert ImageChops.difference(sample_photo(), theirs).getbbox() is None
