"""Wrong answers to lesson 14's exercises, and what its checks must say to them."""

_DECODER = """
class Decoder(nn.Module):
    def __init__(self, low_channels, high_channels, num_classes, reduced=48, channels=256):
        super().__init__()
        self.reduce = {reduce}
        self.refine = nn.Sequential(
            conv_bn_relu({joined}, channels, 3), conv_bn_relu(channels, channels, 3)
        )
        self.classifier = {classifier}

    def forward(self, low, high):
        low = self.reduce(low)
        {stretch}
        return self.classifier(self.refine(torch.cat([{order}], dim=1)))
"""
_STRETCH = 'high = F.interpolate(high, size=low.shape[2:], mode="bilinear", align_corners=False)'


def _shares(formula: str) -> str:
    return f"def fair_shares(neither, first, second, both):\n    return {formula}"


def _decoder(
    reduce: str = "conv_bn_relu(low_channels, reduced, 1)",
    joined: str = "high_channels + reduced",
    classifier: str = "nn.Conv2d(channels, num_classes, 1)",
    stretch: str = _STRETCH,
    order: str = "high, low",
) -> str:
    return _DECODER.format(reduce=reduce, joined=joined, classifier=classifier, stretch=stretch, order=order)


MISTAKES = {
    "14/fair-shares": [
        (_shares("first - neither, second - neither"), "what each adds on its own"),
        (_shares("both - second, both - first"), "what each adds after the other"),
        (_shares("first - neither, both - first"), "the first before the second"),
        (_shares("both - second, second - neither"), "the second before the first"),
        (_shares("first - neither + both - second, second - neither + both - first"), "divide by 2"),
        (_shares("both - neither"), "it should be two numbers"),
        (_shares("first - neither, (second - neither + both - first) / 2"), "what each adds on its own"),
        (_shares("(second - neither + both - first) / 2, (first - neither + both - second) / 2"), "comes first"),
        (
            "def fair_shares(neither, first, second, both):\n    a, b = first - neither, second - neither\n"
            "    return (both - neither) * a / (a + b), (both - neither) * b / (a + b)",
            "add up to the gain",
        ),
    ],
    "14/decoder": [
        (_decoder(reduce="nn.Conv2d(low_channels, reduced, 1)"), "`reduce` is a 1×1 `conv_bn_relu`"),
        (_decoder(reduce="conv_bn_relu(low_channels, reduced, 3)"), "`reduce` is a 1×1 `conv_bn_relu`"),
        (_decoder(joined="high_channels"), "`refine` is two 3×3"),
        (_decoder(classifier="conv_bn_relu(channels, num_classes, 1)"), "with nothing after it"),
        (_decoder(classifier="nn.Conv2d(channels, num_classes, 1, bias=False)"), "with a bias"),
        (_decoder(stretch="pass"), "Upsample ASPP's answer to the early map's height"),
        (_decoder(stretch=_STRETCH.replace("high", "\0").replace("low", "high").replace("\0", "low")), "You shrink"),
        (_decoder(stretch=_STRETCH.replace("False", "True")), "with `align_corners=False`"),
        (_decoder(stretch="high = F.interpolate(high, size=low.shape[2:])"), "nearest neighbour"),
        (_decoder(order="low, high"), "ASPP's answer goes first"),
        (_decoder().replace("reduced=48", "reduced=32"), "keep the defaults"),
        (_decoder().replace("self.reduce", "self.shrink"), "has no `reduce`"),
    ],
}  # fmt: skip
IGNORED_CELLS = {"decoded": "a training's last digits differ from processor to processor"}
