"""DeepLabv3+'s decoder: the paper's size, and the early map's outlines in its logits."""

import torch

from dlv3.course.lessons.lesson14_conclusions.decoder import Decoder, train_on_frozen
from dlv3.deeplab import upsample


def test_decoder_of_the_paper_has_its_size_and_the_early_maps_shape():
    with torch.device("meta"):
        decoder = Decoder(256, 256, 21).eval()
        logits = decoder(torch.empty(1, 256, 33, 45), torch.empty(1, 256, 9, 12))
    assert logits.shape == (1, 21, 33, 45)
    counted = 256 * 48 + 304 * 256 * 9 + 256 * 256 * 9 + 256 * 21 + 21 + 2 * (48 + 256 + 256)
    assert sum(p.numel() for p in decoder.parameters()) == counted == 1_309_045


def test_each_logit_sees_the_early_map_near_it_and_aspps_answer_stretched():
    torch.manual_seed(0)
    decoder = Decoder(3, 5, 2, reduced=4, channels=6).double().eval()
    low = torch.randn(1, 3, 17, 17, dtype=torch.float64, requires_grad=True)
    high = torch.randn(1, 5, 5, 5, dtype=torch.float64, requires_grad=True)
    of_low, of_high = torch.autograd.grad(decoder(low, high)[0, :, 8, 8].sum(), (low, high))
    rows = of_low[0].abs().sum((0, 2)).nonzero().flatten().tolist()
    assert set(rows) <= set(range(6, 11)), "two 3×3 layers reach two samples to each side"
    assert 8 in rows
    assert of_high[0].abs().sum((0, 2))[2] > 0


def test_training_on_frozen_maps_uses_the_early_ones_only_if_told_to():
    torch.manual_seed(0)
    low, high = torch.randn(8, 3, 8, 8), torch.zeros(8, 5, 2, 2)
    # The early map alone tells the class.
    masks = (low[:, 0] > 0).long().repeat_interleave(2, 1).repeat_interleave(2, 2)
    right = {}
    for use_early in (True, False):
        net = train_on_frozen(Decoder, low, high, masks, use_early=use_early, updates=20)
        assert not net.training
        with torch.no_grad():
            logits = upsample(net(low * use_early, high), (16, 16))
        right[use_early] = (logits.argmax(1) == masks).float().mean().item()
    assert right[True] > right[False] + 0.15
