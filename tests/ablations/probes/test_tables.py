"""The probes' tables: what they compare, what they must come to, and their way through runner and report."""

import json
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from dlv3.ablations import EVERY_TABLE, PROBES, Record, read, runner, table_report
from dlv3.ablations.probes.cell import ProbeCell
from dlv3.ablations.probes.expectation import MAP_SIDE, ground_score, reached, score, stack_score
from dlv3.ablations.probes.net import ProbeConfig, ProbeNet, task_tensors
from dlv3.atrous import AtrousConv2d
from dlv3.cli.ablate import AblateArguments, ablate_command
from dlv3.data.made.cells import CELL, SIDE
from dlv3.data.made.ground import GREY_REACH, Ground
from dlv3.data.made.markers import DISC_RADIUS, SIZE

STACKS = sorted({row.setting.stack for name in ("P5", "P7") for row in PROBES[name].rows})
TINY = ProbeConfig("cells:far", stack=(1,), pictures=8, iterations=2)


def influence(config: ProbeConfig, side: int, row: int, column: int) -> torch.Tensor:
    """Which pixels (side, side) have a say in the logits of one, with weights of which none cancels another."""
    net = ProbeNet(config, 4).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_()
    images = torch.rand(1, 3, side, side, requires_grad=True)
    net(images)[0, :, row, column].sum().backward()
    return images.grad[0].sum(dim=0) > 0


def parameters(config: ProbeConfig) -> int:
    return sum(p.numel() for p in ProbeNet(config, 4).parameters())


@pytest.mark.parametrize("name", list(PROBES))
def test_every_probe_has_rows_that_run_and_claims_about_them(name):
    table = PROBES[name]
    names = [row.name for row in table.rows]
    assert len(set(names)) == len(names)
    assert len({(c.better, c.worse) for c in table.claims}) == len(table.claims) > 0
    for claim in table.claims:
        assert {claim.better, claim.worse} <= set(names)
        assert claim.better != claim.worse
        assert claim.score == table.score == "accuracy"
    for row in table.rows:
        assert row.paper is None
        ProbeNet(row.setting, 4)  # raises where the configuration makes no network
    trainings = {
        replace(row.setting, rates=(), stack=(), output_stride=None, image_pooling=False)
        for row in table.rows
    }
    assert len(trainings) == 1  # rows of a table differ in the mechanism alone


def test_rows_that_are_compared_have_as_many_parameters():
    for name in ("P1", "P2", "P5", "P6"):
        assert len({parameters(row.setting) for row in PROBES[name].rows}) == 1, name
    assert {parameters(row.setting) for row in PROBES["P2"].rows} == {37_460}
    assert len({parameters(row.setting) for row in PROBES["P7"].rows[-4:]}) == 1
    plain, pooled = (parameters(row.setting) for row in PROBES["P3"].rows[:2])
    assert pooled - plain == 6272


@pytest.mark.parametrize("stack", STACKS)
def test_offsets_that_a_stack_sees_are_those_from_which_its_output_has_a_gradient(stack):
    centre = SIDE // 2 * CELL
    by_cell = F.max_pool2d(
        influence(ProbeConfig("cells:near", stack=stack), SIDE * CELL, centre, centre)[None].float(), CELL
    )
    seen = {tuple(offset) for offset in (by_cell[0].nonzero() - SIDE // 2).tolist()}
    along = [offset for offset in reached(stack) if 0 <= SIDE // 2 + offset < SIDE]
    assert seen == {(y, x) for y in along for x in along}


def test_expected_scores_of_stacks():
    def near(*stack: int) -> float:
        return stack_score(ProbeConfig("cells:near", stack=stack))

    # Of 168 offsets, all as likely: 48 seen by (1, 1, 1) and by (2, 2, 2), 80 by (1, 2, 1). Markers that would
    # leave the picture are drawn again, so that near offsets are likelier.
    assert near(1, 2, 3) == near(1, 2, 4) == 100
    assert score(48 / 168) < near(1, 1, 1) < score(48 / 168) + 5
    assert near(2, 2, 2) == pytest.approx(score(48 / 168), abs=2)
    assert score(80 / 168) < near(1, 2, 1) < score(80 / 168) + 6
    far = {row.name: stack_score(row.setting) for row in PROBES["P7"].rows}
    assert [name for name, expected in far.items() if expected == 100] == ["(4, 4, 4, 4)", "(1, 2, 4, 8)"]
    assert set(far.values()) == {25, 100}


@pytest.mark.parametrize("rate", [16, 20, 24, 28, 33])
def test_expected_score_on_the_ground_is_the_share_of_disc_pixels_with_an_outer_weight_on_the_map(rate):
    layer = AtrousConv2d(1, 1, 3, rate=rate)
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.weight[:, :, 1, 1] = 0
        valid = layer(torch.ones(1, 1, MAP_SIDE, MAP_SIDE)) > 0
    on_pixels = F.interpolate(valid.float(), size=(SIZE, SIZE), mode="nearest-exact")[0, 0]
    ground = Ground("test")
    labelled = [on_pixels[ground[index][1] != 255] for index in range(len(ground))]
    share = float(torch.cat(labelled).mean())
    assert ground_score(ProbeConfig("ground", rates=(rate,))) == pytest.approx(score(share))
    assert (share == 0) == (rate >= MAP_SIDE)


def test_rate_1_does_not_see_past_the_grey_and_rate_16_does():
    for rate in (1, 16):
        seen = influence(ProbeConfig("ground", rates=(rate,)), SIZE, 64, 64).nonzero() - 64
        assert (int(seen.abs().max()) + DISC_RADIUS <= GREY_REACH) == (rate == 1)


def test_a_rate_as_large_as_the_map_makes_the_filter_a_1x1():
    net = ProbeNet(ProbeConfig("ground", rates=(MAP_SIDE,)), 4).eval()
    images = torch.rand(2, 3, SIZE, SIZE)
    before = net(images)
    weight = net.branches[0][0].weight
    with torch.no_grad():
        weight[:, :, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2]] = 9.0
    assert torch.equal(net(images), before)
    net.branches[0][0].set_rate(MAP_SIDE - 1)
    assert not torch.equal(net(images), before)


@pytest.mark.parametrize(("preset", "probes"), [("tiny", False), ("laptop", True)])
def test_all_tables_means_those_that_the_preset_has(tmp_path, capsys, preset, probes):
    ablate_command(AblateArguments((), preset=preset, seeds=1, results=tmp_path, dry_run=True))
    planned = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert (planned == set(EVERY_TABLE)) == probes
    assert bool(planned & set(PROBES)) == probes


def test_a_probe_goes_through_the_runner_and_its_record_comes_back(tmp_path):
    cell = ProbeCell("P7", "(1,)", "laptop", 0, TINY)
    [record] = runner.run([cell], tmp_path, tmp_path / "work", progress=False)
    assert read(tmp_path) == [record]
    assert set(record.groups) == {"accuracy"}
    assert record.score("accuracy") == 100 * record.groups["accuracy"]
    assert record.config == json.loads(json.dumps(record.config)) == cell.values()
    assert (record.split, record.seconds > 0, set(record.iou)) == (
        "test",
        True,
        {"red", "green", "blue", "yellow"},
    )
    assert runner.run([cell], tmp_path, tmp_path / "work", progress=False) == []
    assert not runner.is_done(replace(cell, config=replace(TINY, iterations=3)), tmp_path)


def test_a_task_is_drawn_once_a_process(monkeypatch):
    task_tensors("cells:far", 48, "train", 9)
    monkeypatch.setattr("dlv3.ablations.probes.net.open_task", lambda *_: pytest.fail("drawn again"))
    images, labels = task_tensors("cells:far", 48, "train", 9)
    assert (len(images), len(labels)) == (9, 9)


def test_report_of_a_probe_sets_what_must_come_out_beside_what_did():
    def record(row: str, seed: int, accuracy: float) -> Record:
        return Record(
            "P7", row, "laptop", seed, "test", 0.1, {}, {"accuracy": accuracy}, {}, "cpu", {}, "abc", 1.0
        )

    runs = [record("(1, 2, 4, 8)", s, 0.99 + s / 1000) for s in range(3)]
    runs += [record("(1,)", s, 0.25) for s in range(3)]
    text = table_report(PROBES["P7"], runs, "laptop")
    assert "|  | by construction | accuracy | seeds |" in text
    assert "| (1, 2, 4, 8) | 100.0 | 99.1 ± 0.1 | 3 |" in text
    assert "| (1,) | 25.0 | 25.0 ± 0.0 | 3 |" in text
    assert "| claim | score | ours, 95% interval | seeds | verdict |" in text
    assert "| (1, 2, 4, 8) beats (1,) | accuracy | +74.1 [+73.9, +74.3] | 3 | reproduced |" in text
    assert "guessing gives 25" in text
    assert "by construction" not in table_report(PROBES["P1"], [], "laptop")
