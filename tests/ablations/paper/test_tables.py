"""The paper's tables as data."""

import pytest

from dlv3.ablations import TABLES


@pytest.mark.parametrize("name", list(TABLES))
def test_every_claim_agrees_with_the_papers_numbers(name):
    table = TABLES[name]
    assert table.claims
    for claim in table.claims:
        assert table.row(claim.better).paper > table.row(claim.worse).paper, claim.text
