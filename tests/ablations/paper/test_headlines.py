"""The rows and claims that stand for the paper's headline findings are those of its tables."""

import pytest

from dlv3.ablations import TABLES
from dlv3.ablations.paper.configure import rows_at
from dlv3.ablations.paper.headlines import GROUPS, HEADLINES
from dlv3.ablations.paper.tables import is_control
from dlv3.ablations.paper.traits import traits_at


@pytest.mark.parametrize("headline", HEADLINES, ids=lambda h: f"{h.table} {h.better} {h.worse}")
def test_a_headline_is_a_claim_that_was_fixed_beforehand(headline):
    assert (headline.better, headline.worse) in {(c.better, c.worse) for c in TABLES[headline.table].claims}


def test_a_control_has_no_fewer_parameters_than_the_row_that_it_controls():
    for headline in HEADLINES:
        if headline.control is not None:
            rows = [TABLES[headline.table].row(name) for name in (headline.better, headline.control)]
            ours, controls = (traits_at(row, "quarter").parameters for row in rows)
            assert controls >= ours
            assert is_control(rows[1])


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.title)
def test_a_groups_rows_are_those_of_its_table(group):
    names = {row.name for row in rows_at(TABLES[group.table], "quarter")}
    assert {group.plain, *group.rows.values()} <= names
