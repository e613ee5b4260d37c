"""True labels that pass through a coarse map keep their values at the samples."""

import torch

from dlv3.course.kit.sampled_labels import upsampled_truth


def test_labels_at_the_samples_come_back_and_stride_1_changes_nothing():
    masks = torch.randint(0, 5, (2, 33, 33), generator=torch.Generator().manual_seed(0))
    assert torch.equal(upsampled_truth(masks, 1, 5), masks)
    for stride in (2, 4, 8, 16, 32):
        assert torch.equal(
            upsampled_truth(masks, stride, 5)[:, ::stride, ::stride], masks[:, ::stride, ::stride]
        )


def test_border_between_two_samples_lies_half_way():
    masks = torch.zeros(1, 17, 17, dtype=torch.int64)
    masks[:, :, 9:] = 1  # the samples at 0 and 8 say 0, the one at 16 says 1
    got = upsampled_truth(masks, 8, 2)
    assert (got[..., :12] == 0).all()
    assert (got[..., 13:] == 1).all()


def test_sides_that_are_not_multiples_keep_their_size():
    assert upsampled_truth(torch.zeros(1, 50, 37, dtype=torch.int64), 16, 3).shape == (1, 50, 37)
