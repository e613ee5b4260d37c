"""The lessons' trained network, put together from a backbone like the learner's, gives the library's logits."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlv3 import assets, weights
from dlv3.course.lessons.lesson07_whole_model import small_model, whole_model


class Backbone(nn.Module):
    def __init__(self, unit, rows, widths, channels=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        for block, (row, width) in enumerate(zip(rows, widths, strict=True), 1):
            units = []
            for stride, rate in row:
                units.append(unit(channels, width, stride, rate))
                channels = width * unit.expansion
            self.add_module(f"layer{block}", nn.Sequential(*units))

    def forward(self, images):
        x = self.pool(F.relu(self.bn1(self.conv1(images))))
        for block in range(1, 5):
            x = self.get_submodule(f"layer{block}")(x)
        return x


@pytest.mark.parametrize("output_stride", [16, 8])
def test_logits_are_the_librarys(output_stride):
    trained = weights.load(assets.weights("scenes_laptop")).eval()
    trained.set_output_stride(output_stride)
    ours = small_model.assemble(Backbone, whole_model.DeepLab, trained.state_dict(), output_stride)
    image = torch.rand(1, 3, 65, 65)
    with torch.inference_mode():
        torch.testing.assert_close(ours(image), trained(image), rtol=0, atol=1e-3)
    assert torch.equal(small_model.labels_of(ours, image), trained(image).argmax(1)[0])
