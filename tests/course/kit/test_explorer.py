"""Every explorer finds its JavaScript and needs nothing from the network."""

import re

import pytest

from dlv3 import course
from dlv3.course.kit import javascript
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


# What an explorer says wherever one control moves, and again from the ends of each.
_ALL_IT_SAYS = """(() => {
  const explorer = %s, said = new Set();
  const walk = (from, deep) => explorer.controls(from).forEach((control) => {
    const { min, max, step = 1, options } = control;
    const places = options ? [] : [...Array(Math.min(40, Math.floor((max - min) / step) + 1)).keys()];
    const values = options ? options.map(([value]) => value) : places.map((i) => min + i * step);
    for (const value of values) {
      const state = explorer.repair({ ...from, ...control.set(from, value) }, control.key).state;
      said.add(explorer.says(state));
      for (const tile of explorer.tiles(state)) said.add(tile.value).add(tile.formula);
      if (deep && (value === values[0] || value === values.at(-1))) walk(state, false);
    }
  });
  walk(state, true);
  return [...said];
})()"""
_VERBS = "is|as|has|this|across|reads|gives|sees|stands|lies|plus|minus"
_ONE_OF_MANY = rf"(?<![\d.,\u202f /×x−-])\b1 (?!(?:{_VERBS})\b)[a-z]+s\b"
_MANY_OF_ONE = r"\b(?:[2-9]|\d\d+) (?:pixel|sample|tap|place|weight|seed|unit|block|branch)\b(?! side)"


@EACH
def test_one_is_followed_by_no_plural(explorer):
    it = explorer()
    said = it.evaluate(_ALL_IT_SAYS % javascript.variable(explorer.script), state=it.state)
    wrong = f"{_ONE_OF_MANY}|{_MANY_OF_ONE}"
    assert [words for words in said if re.search(wrong, str(words))] == []


def test_share_is_a_count_where_percent_would_say_none_or_all():
    shares = "[[0, 50], [1, 5000], [4999, 5000], [50, 50], [1, 8]].map(([a, b]) => shareOf(a, b, 'places'))"
    assert Explorer.__subclasses__()[0].evaluate(shares) == [
        "0.0% of the places",
        "1 of 5\u202f000 places",
        "4\u202f999 of 5\u202f000 places",
        "100.0% of the places",
        "12.5% of the places",
    ]
