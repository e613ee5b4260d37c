"""Every explorer finds its JavaScript and needs nothing from the network."""

import pytest

from dlv3 import course
from dlv3.course.kit.explorer import Explorer, explorers

EACH = pytest.mark.parametrize("explorer", explorers().values(), ids=explorers())


def test_the_course_offers_every_explorer():
    offered = {
        value for value in vars(course).values() if isinstance(value, type) and issubclass(value, Explorer)
    }
    assert offered == set(explorers().values())


@EACH
def test_explorer_needs_nothing_from_the_network(explorer):
    assert "http" not in explorer()._esm.replace("http://www.w3.org/2000/svg", "")
    assert "import" not in explorer()._esm.split()
    assert "url(" not in explorer()._css.replace("url(#", "")


@EACH
def test_sentence_and_controls_are_there(explorer):
    assert explorer().says()
    assert f'data-explorer="{explorer.script}"' in explorer().still()
