"""The cascade explorer's JavaScript, run in an embedded V8, and its twin give what the backbone itself gives."""

import itertools

import pytest
import torch
import traitlets
from stills import check_still

from dlv3 import receptive_field
from dlv3.course import CascadeExplorer
from dlv3.data.made.scenes import Scenes
from dlv3.data.made.textures import SINE_SCALE, cosine, sine
from dlv3.resnet import BACKBONES, ResNet, map_stride

# The paper's table of base rates, block3 to block7 (section 3.2).
PAPER = {
    8: [2, 4, 8, 16, 32], 16: [1, 2, 4, 8, 16], 32: [1, 1, 2, 4, 8],
    64: [1, 1, 1, 2, 4], 128: [1, 1, 1, 1, 2], 256: [1, 1, 1, 1, 1],
}  # fmt: skip
STRIDES = (4, 8, 16, 32, 64, 128, 256)
REACHED = [(blocks, os) for blocks in (4, 5, 6, 7) for os in STRIDES if os <= 4 * 2 ** (blocks - 1)]
STATES = [
    {"blocks": blocks, "output_stride": os, "traced": traced, "x": x, "y": y}
    for (blocks, os), traced, (x, y) in itertools.product(REACHED, (1, 3, 4, 8, 12), ((0, 0), (250, 512), (391, 77)))
    if traced <= 3 * (blocks - 3)
]  # fmt: skip


@pytest.fixture(scope="module")
def drawn():
    return CascadeExplorer.evaluate("cases.map(cascadeFacts)", cases=STATES)


def backbone(blocks: int, output_stride: int) -> ResNet:
    with torch.device("meta"):
        return ResNet(BACKBONES["resnet50"], blocks=blocks, output_stride=output_stride)


def test_arithmetic_is_its_twins(drawn):
    for state, facts in zip(STATES, drawn, strict=True):
        twin = CascadeExplorer(**state)
        assert (facts["row"], facts["column"]) == twin.sample, state
        assert (facts["places"], facts["valid"]) == twin.places, state
        assert facts["offsets"] == twin.offsets, state
        assert (facts["side"], facts["rate"], facts["field"]) == (
            twin.side, twin.rates[state["blocks"]], twin.field,
        ), state  # fmt: skip


def test_rates_are_the_papers():
    shown = CascadeExplorer.evaluate(
        "strides.map((os) => [3, 4, 5, 6, 7].map((b) => baseRate(b, os)))", strides=list(PAPER)
    )
    for (output_stride, rates), drawn_rates in zip(PAPER.items(), shown, strict=True):
        assert list(CascadeExplorer(output_stride=output_stride).rates.values()) == drawn_rates == rates


@pytest.mark.parametrize(("blocks", "output_stride"), REACHED)
def test_places_and_field_are_those_of_the_backbones_own_layers(blocks, output_stride):
    network = backbone(blocks, output_stride)
    layers = receptive_field.layers_of(network)
    explorer = CascadeExplorer(blocks=blocks, output_stride=output_stride)
    assert explorer.field == receptive_field.receptive_field(layers).size
    spatial = [i for i, layer in enumerate(layers) if layer.kernel_size == 3]
    for traced in range(1, 3 * (blocks - 3) + 1):
        explorer.traced = traced
        first = spatial[-traced]
        apart = receptive_field.growth(layers)[first].jump  # of the map that the deepest traced layer reads
        paths = receptive_field.count_paths(layers[first:])
        reach = (len(paths) - 1) // 2
        assert explorer.offsets == [apart * (int(i) - reach) for i in paths.nonzero()[:, 0]], traced
        assert map_stride(blocks - (traced - 1) // 3, output_stride) == apart


def test_grid_is_the_map_that_the_deepest_traced_block_reads(drawn):
    for state, facts in zip(STATES, drawn, strict=True):
        assert facts["deepest"] == state["blocks"] - (state["traced"] - 1) // 3
        assert facts["grid"] == map_stride(facts["deepest"], state["output_stride"])


def test_samples_are_centred_as_in_the_backbone():
    field = receptive_field.receptive_field(receptive_field.layers_of(backbone(7, 16)))
    # Output 0 is centred on pixel 0, so sample i is centred on pixel i times the stride.
    assert field.start == 0
    assert field.jump == 16
    assert CascadeExplorer(output_stride=16).side == 33


def test_mended_state_is_valid_and_says_why_it_was_mended():
    cases = [
        [{"blocks": blocks, "output_stride": os, "traced": traced, "x": 8, "y": 8}, key]
        for blocks, os, traced in itertools.product((4, 5, 6, 7), STRIDES, (1, 5, 12))
        for key in ("blocks", "output_stride", "traced")
    ]
    mended = CascadeExplorer.evaluate("cases.map(([s, k]) => cascadeRepair(s, k))", cases=cases)
    for (state, key), result in zip(cases, mended, strict=True):
        CascadeExplorer(**result["state"])  # raises if it is impossible
        too_coarse = state["output_stride"] > 4 * 2 ** (state["blocks"] - 1)
        too_deep = key == "traced" and state["traced"] > 3 * (result["state"]["blocks"] - 3)
        assert bool(result["note"]) == (too_coarse or too_deep), (state, key)
        assert result["note"] or key != "traced" or result["state"] == state


@pytest.mark.parametrize("wrong", [
    {"blocks": 4, "output_stride": 64}, {"blocks": 4, "traced": 4}, {"blocks": 8}, {"x": 513}, {"output_stride": 12},
])  # fmt: skip
def test_impossible_values_are_refused_in_python_too(wrong):
    with pytest.raises(traitlets.TraitError):
        CascadeExplorer(**wrong)


def test_scene_is_one_of_the_course():
    scene = Scenes("val").layout(10)
    shapes = [[s.kind, s.x, s.y, s.radius, s.angle] for s in scene.shapes]
    wires = [
        [w.x + w.bend_radius * cosine(w.angle) // SINE_SCALE, w.y + w.bend_radius * sine(w.angle) // SINE_SCALE,
         w.bend_radius, w.width]
        for w in scene.wires
    ]  # fmt: skip
    assert CascadeExplorer.evaluate("SCENE") == {"wires": wires, "shapes": shapes}


def test_marks_on_the_picture_are_as_many_as_the_places_that_lie_on_it():
    states = [state for state in STATES if state["output_stride"] in (8, 256)]
    pictures = CascadeExplorer.evaluate(
        "cases.map((s) => drawReading(s, cascadeFacts(s)).match(new RegExp(mark))[1])",
        cases=states, mark='<path d="([^"]*)" class="dx-tap"',
    )  # fmt: skip
    for state, marks in zip(states, pictures, strict=True):
        assert marks.count("M") == CascadeExplorer(**state).places[1], state


def test_arrow_keys_stay_on_the_map_and_the_pointer_finds_the_nearest_sample():
    state = {"blocks": 7, "output_stride": 16, "traced": 1, "x": 0, "y": 512}
    moved = CascadeExplorer.evaluate(
        "['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'End', 'q'].map((k) => cascade.key(k, state))",
        state=state,
    )  # fmt: skip
    assert moved == [{"x": 0, "y": 512}, {"x": 16, "y": 512}, {"x": 0, "y": 496}, {"x": 0, "y": 512},
                     {"x": 512, "y": 512}, None]  # fmt: skip
    found = CascadeExplorer.evaluate(
        "[[200, 214], [207, 214], [20, 214]].map(([x, y]) => cascade.point(x, y, state))",
        state=state,
    )
    assert found == [{"x": 256, "y": 256}, {"x": 272, "y": 256}, None]


def test_still_picture_is_whole():
    check_still(CascadeExplorer(), CascadeExplorer())
