import pytest

from dlv3.ablations import TABLES
from dlv3.ablations.table import Claim, Row, beats, name_of_rates, rows_of


def test_a_row_is_found_by_its_name_and_others_are_refused():
    assert TABLES["T9"].row("batch 8").paper == 75.76
    with pytest.raises(ValueError, match="row='batch 2': table T9 has batch 4, batch 8, batch 12, batch 16"):
        TABLES["T9"].row("batch 2")


def test_rows_of_settings_have_no_number_of_the_papers():
    assert rows_of({"a": 1, "b": 2}) == (Row("a", None, 1), Row("b", None, 2))


def test_a_claim_is_worded_after_its_rows():
    assert beats("a", "b", "small", " on small shapes") == Claim(
        "a", "b", "a beats b on small shapes", "small"
    )


def test_rates_name_a_row():
    assert name_of_rates((3,)) == "rate 3"
    assert name_of_rates((1, 2, 4)) == "rates 1, 2, 4"
