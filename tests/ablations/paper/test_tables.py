"""The paper's tables as data."""

import pytest

from dlv3.ablations import TABLES
from dlv3.ablations.report import claims_at


@pytest.mark.parametrize("name", list(TABLES))
def test_every_claim_agrees_with_the_papers_numbers(name):
    table = TABLES[name]
    assert table.claims
    for claim in claims_at(table, "paper"):
        assert table.row(claim.better).paper > table.row(claim.worse).paper, claim.text
