"""Each broken setting changes what its name says and nothing else; what is broken does not show."""

import torch
from torch import nn

from dlv3.course.lessons.lesson08_training.broken import SETTINGS, TOP, one_broken


def schedule(i):
    return 0.2 * (1 - i / 240)


def training():
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
    stream = [
        (torch.rand(2, 3, 4, 4, generator=generator), torch.randint(0, 2, (2, 4, 4), generator=generator))
        for _ in range(3)
    ]
    return model, stream, schedule


def changed(setting):
    """Which of model, pictures, labels and schedule differ from those given."""
    model, stream, _ = training()
    other, batches, rates = setting.applied(model, iter(stream), schedule)
    batches = list(batches)
    assert other is model
    assert len(batches) == len(stream)
    found = set()
    if model[1].momentum != 0.1:
        found.add("momentum")
    for (images, labels), (had, told) in zip(batches, stream, strict=True):
        found |= {
            name
            for name, a, b in (("pictures", images, had), ("labels", labels, told))
            if not torch.equal(a, b)
        }
    if any(rates(i) != schedule(i) for i in range(240)):
        found.add("schedule")
    return found


def test_each_changes_what_it_says():
    assert [changed(setting) for setting in SETTINGS] == [
        {"schedule"},
        {"schedule"},
        {"momentum"},
        {"labels"},
        {"pictures", "labels"},
        {"pictures"},
    ]


def test_the_rates_of_the_broken_schedules():
    slow, constant = (setting.applied(*training())[2] for setting in SETTINGS[:2])
    assert slow(100) == schedule(100) / 100
    assert constant(5) == schedule(5)
    assert {constant(i) for i in (TOP, 100, 239)} == {schedule(TOP)}


def test_every_batch_is_the_first():
    _, stream, _ = training()
    batches = list(SETTINGS[4].applied(*training())[1])
    assert all(torch.equal(images, stream[0][0]) for images, _ in batches)


def test_one_is_drawn_and_its_name_does_not_show():
    drawn = {one_broken(seed).name for seed in range(60)}
    assert drawn == {setting.name for setting in SETTINGS}
    assert one_broken(3) == one_broken(3)
    assert repr(one_broken(3)) == "Broken()"
