"""The one photo of the course: matplotlib's sample, Grace Hopper (US Navy, public domain)."""

from functools import cache
from pathlib import Path

from PIL import Image


@cache
def sample_photo() -> Image.Image:
    """Return the photo in colour, 512 pixels wide and 600 high. It comes with matplotlib, so nothing is downloaded."""
    from matplotlib import get_data_path

    return Image.open(Path(get_data_path(), "sample_data", "grace_hopper.jpg")).convert("RGB")
