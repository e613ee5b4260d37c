"""What lesson 11 compares: the library's claims, the library's yardsticks, and objects as the data sets have them."""

import pytest
import torch

from dlv3.ablations.catalogue import EVERY_TABLE
from dlv3.ablations.paper.ceiling import sampling_ceiling
from dlv3.ablations.paper.reach import far_distances, outline_score
from dlv3.course.kit.recorded import above, recorded
from dlv3.course.lessons.lesson11_where_it_shows import checks, contrast
from dlv3.data.made.outline import Outline


@pytest.fixture(scope="module")
def records():
    return recorded("quarter", "T2", "T3", "T5") + recorded("laptop", "T2", "T3", "T5")


def test_gains_are_those_of_the_tables(records):
    quarter = [record for record in records if record.preset == "quarter"]
    for step in (*contrast.STEPS, *contrast.CONTROLS):
        ours = contrast.gain(records, step, "quarter")
        assert ours == above(quarter, step.table, step.row, contrast.PLAIN[step.table])


def test_every_step_is_a_row_that_the_paper_has_and_no_control_is():
    assert all(contrast.in_paper(step) > 0 for step in contrast.STEPS)
    assert [contrast.in_paper(step) for step in contrast.CONTROLS] == [None, None]


def test_aspp_on_the_scenes_is_compared_by_the_shapes(records):
    step = next(step for step in contrast.STEPS if step.label == "ASPP")
    claim = next(
        c for c in EVERY_TABLE["T5"].claims if (c.better, c.worse) == (step.row, contrast.PLAIN["T5"])
    )
    assert claim.score == "shapes"
    assert (
        abs(contrast.gain(records, step, "laptop").mean) < 3
    )  # by mIOU, which has other classes, it would be −11


def test_a_row_that_was_not_run_has_no_gain_and_says_nothing_of_it(records):
    control = contrast.CONTROLS[0]
    assert contrast.gain(records, control, "laptop") is None
    assert "small shapes" not in contrast.line(records, control)
    assert "large objects" in contrast.line(records, control)


def test_seeds_are_those_that_all_rows_have():
    assert contrast.of_equal_seeds({0: 1.0, 2: 3.0, 1: 2.0}, {1: 5.0, 2: 6.0}) == [
        {1: 2.0, 2: 3.0},
        {1: 5.0, 2: 6.0},
    ]


@pytest.mark.parametrize("preset", contrast.WORLDS)
def test_stretched_labels_score_the_librarys_ceiling(preset):
    labels = contrast.labels_of(preset, 6)
    classes = contrast.dataset_of(preset).num_classes
    counts = contrast.ConfusionMatrix(classes)
    counts.update(checks.stretched(labels, 16, classes), labels)
    assert counts.miou() == sampling_ceiling(contrast.dataset_of(preset, 6), 16)


def test_large_objects_are_as_far_across_as_the_library_says():
    ours = torch.cat([checks.needed(mask) for mask in contrast.objects("quarter", 5)])
    assert torch.equal(ours, far_distances(Outline("test", pictures=5)))


def test_small_shapes_are_where_the_labels_have_them():
    labels = contrast.labels_of("laptop", 3)
    covered = torch.zeros(129, 129, dtype=torch.bool)
    for mask in contrast.objects("laptop", 1):
        covered |= mask
    shapes = (labels[0] > 0) & (labels[0] < 6)  # 6 is wire
    assert covered[shapes].all()


def test_reach_gives_what_the_report_says(records):
    distances = far_distances(Outline("test", pictures=20))
    expected, found = contrast.rows_by_reach(distances, checks.by_reach, records)
    model = contrast.configuration(EVERY_TABLE["T2"].row("resnet50 block5").setting, "quarter").model
    assert expected["T2", "resnet50 block5"] == pytest.approx(100 * outline_score(model, pictures=20))
    assert set(expected) == set(found)
    assert not any("twice" in row for _, row in expected)
