import ast
from pathlib import Path

import pytest

from dlv3 import fields


@pytest.mark.parametrize(
    ("value", "minimum", "whole"),
    [(1, 1, True), (0, 1, False), (0, 0, True), (-1, 0, False), (2.0, 1, False), (True, 1, False), ("3", 1, False)],
)  # fmt: skip
def test_a_whole_number_is_an_int_of_at_least_the_minimum(value, minimum, whole):
    assert fields.is_whole(value, minimum) is whole
    if whole:
        fields.require_whole("n", value, minimum)
    else:
        with pytest.raises(ValueError, match=f"^n={value!r}: expected a whole number of at least {minimum}$"):
            fields.require_whole("n", value, minimum)


def test_an_error_names_field_value_and_what_is_allowed():
    fields.require("training.flip", 0.5, True, "a number from 0 to 1")
    with pytest.raises(ValueError, match=r"^training\.flip=2: expected a number from 0 to 1$"):
        fields.require("training.flip", 2, False, "a number from 0 to 1")


def test_a_choice_is_equal_in_type_too():
    fields.require_choice("blocks", 4, (4, 5))
    with pytest.raises(ValueError, match=r"^blocks=4\.0: expected one of 4, 5$"):
        fields.require_choice("blocks", 4.0, (4, 5))
    with pytest.raises(ValueError, match=r"^rule='first': expected one of 'stage', 'previous'$"):
        fields.require_choice("rule", "first", ("stage", "previous"))
    with pytest.raises(ValueError, match="blocks=True"):
        fields.require_choice("blocks", True, (1,))


def test_a_long_value_is_cut_in_the_message():
    for value in (10**5000, (2,) * 10**5, "x" * 10**6):
        with pytest.raises(ValueError, match=r"^n=.*: expected something else$") as raised:
            fields.require("n", value, False, "something else")
        assert len(str(raised.value)) < 200


def test_it_imports_nothing_of_dlv3():
    tree = ast.parse(Path(fields.__file__).read_text())
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in imported if name is None or name.split(".")[0] == "dlv3"]
