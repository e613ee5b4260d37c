"""The page that derives the faster convolutions computes what it says, and its modules are there."""

import doctest
import re
from pathlib import Path

import torch
from torch.nn import functional as F

from dlv3.fast.short_convolutions import OVERLAPPING, WHOLE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "pages" / "reference" / "fewer-multiplications.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_example_gives_what_the_page_shows():
    examples = "\n".join(re.findall(r"```pycon\n(.*?)```", TEXT, re.DOTALL))
    parsed = doctest.DocTestParser().get_doctest(examples, {}, PAGE.name, str(PAGE), 0)
    assert len(parsed.examples) > 25
    assert doctest.DocTestRunner().run(parsed).failed == 0


def test_its_table_is_that_of_the_schemes():
    rows = re.findall(r"^\| (\d) \| (none|one)[^|]*\| (\d+) \| (\d+) \| (\d+)% \|$", TEXT, re.MULTILINE)
    said = [(int(tile), kind, int(direct), int(products)) for tile, kind, direct, products, _ in rows]
    schemes = [(s.tile, "none", 3 * s.tile - 2, s.points) for s in WHOLE]
    schemes += [(s.tile, "one", 3 * s.tile, s.points) for s in OVERLAPPING]
    assert said == schemes
    assert [round(100 * products / direct) for _, _, direct, products in said] == [
        int(row[-1]) for row in rows
    ]


def test_the_example_of_both_axes_is_torchs_convolution():
    image = torch.tensor([[[[1.0, 2], [3, 4]]]])
    weight = torch.arange(1.0, 10).view(1, 1, 3, 3)
    assert F.conv2d(image, weight, padding=1).flatten().tolist() == [77, 67, 47, 37]


def test_the_modules_that_it_names_are_there():
    named = set(re.findall(r"`(dlv3/fast/\w+\.py)`", TEXT))
    assert len(named) == 9
    assert all((ROOT / name).is_file() for name in named)
