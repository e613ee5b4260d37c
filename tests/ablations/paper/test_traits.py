"""What is known of a row's network before any training."""

from dlv3 import DeepLabV3
from dlv3.ablations import TABLES
from dlv3.ablations.paper.configure import configuration
from dlv3.ablations.paper.traits import Traits, traits_at


def test_parameters_are_those_of_the_model():
    row = TABLES["T2"].row("resnet50 block4")
    model = DeepLabV3(configuration(row.setting, "quarter").model)
    assert traits_at(row, "quarter").parameters == sum(p.numel() for p in model.parameters())


def test_controls_have_as_many_parameters_and_see_less():
    for table, name, controls in (
        ("T2", "resnet50 block7", ("block7, all rates 1", "block7, rate 2 throughout")),
        ("T5", "(1, 1, 1)", ("(1, 1, 1), rates 1, 1, 1",)),
    ):
        row = traits_at(TABLES[table].row(name), "quarter")
        for control in controls:
            traits = traits_at(TABLES[table].row(control), "quarter")
            assert traits.parameters == row.parameters
            assert row.sees is not None
            assert traits.sees is not None
            assert traits.sees < row.sees


def test_text_says_all_where_the_whole_picture_is_seen():
    assert Traits(57339, 383).as_text() == ("57,339", "383")
    assert Traits(1, None).as_text() == ("1", "all")
