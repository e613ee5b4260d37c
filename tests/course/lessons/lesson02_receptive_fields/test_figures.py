"""What lesson 02's figures and sentences say of fields, paths and stacks without holes."""

import itertools
import math

import torch

from dlv3.course.lessons.lesson02_receptive_fields import figures
from dlv3.receptive_field import Layer, count_holes, count_paths, layers_of, places_read, receptive_field
from dlv3.resnet import BACKBONES, ResNet


def backbone(name: str, **options) -> ResNet:
    with torch.device("meta"):
        return ResNet(BACKBONES[name], **options)


def chain(output_stride: int) -> list[tuple[int, int, int]]:
    layers = layers_of(backbone("resnet50", output_stride=output_stride))
    return [(layer.kernel_size, layer.stride, layer.rate) for layer in layers]


def test_fields_along_a_resnet_are_the_windows_and_the_curves_of_the_text():
    along = figures.field_sizes(chain(32))
    assert [along[place] for place in figures.PARTS] == [1, 7, 11, 35, 99, 291, 483]
    for output_stride, without_rates in ((16, 387), (8, 243)):
        assert figures.field_sizes(chain(output_stride)) == along
        assert figures.field_sizes(chain(output_stride), rates=False)[-1] == without_rates


def test_curves_part_where_the_words_below_them_say():
    along, at_8 = figures.field_sizes(chain(32)), figures.field_sizes(chain(8), rates=False)
    assert next(i for i, (a, b) in enumerate(zip(along, at_8, strict=True)) if a != b) == 10
    labels = [
        line.get_label()
        for line in figures.growth_with_and_without_rates({jump: chain(jump) for jump in (32, 16, 8)})
        .axes[0]
        .lines
    ]
    assert [label.split(": ")[1] for label in labels] == ["483 px", "387 px", "243 px"]


def test_strides_and_doubled_rates_see_equally_far():
    for n in range(1, 9):
        for layers in ([Layer(3, stride=2)] * n, [Layer(3, rate=2**i) for i in range(n)]):
            assert receptive_field(layers).size == 2 ** (n + 1) - 1


def test_bell_is_as_wide_as_the_root_of_the_depth():
    for depth in (2, 8, 32):
        assert math.isclose(figures.deviation(count_paths([Layer(3)] * depth)), (2 * depth / 3) ** 0.5)


def test_without_holes_three_layers_see_27_pixels_and_six_729():
    solid = {
        rates
        for rates in itertools.combinations_with_replacement(range(1, 11), 3)
        if not count_holes([Layer(3, rate=rate) for rate in rates])
    }
    assert max(solid, key=sum) == (1, 3, 9)
    assert set(places_read((1, 3, 9)).values()) == {1}
    assert len(places_read((1, 3, 9, 27, 81, 243))) == 729


def test_a_whole_resnet_reads_every_pixel_with_gridding_unit_rates_too():
    network = backbone("resnet101", output_stride=16, multi_grid=(2, 2, 2))
    assert count_holes(layers_of(network)) == 0
    assert receptive_field(layers_of(backbone("resnet101"))).size == 1027


def test_numbers_of_the_recap():
    assert Layer(3, rate=4).reach * 8 == 64
    stacks = ((1, 2, 5), (1, 2, 7), (1, 2, 8), (3, 1, 2), (2, 2, 2, 2, 2))
    assert [r for r in stacks if count_holes([Layer(3, rate=rate) for rate in r])] == [stacks[2], stacks[4]]


def test_resnet14_sees_what_the_explorers_sentences_say():
    network = backbone("resnet14", output_stride=32)
    sizes = []
    for grid in ((1, 1, 1), (2, 2, 2), (1, 2, 4)):
        network.set_multi_grid(grid)
        sizes.append(receptive_field(layers_of(network)).size)
    assert sizes == [503, 887, 1015]
