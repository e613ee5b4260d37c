"""Wrong answers to lesson 07's exercises, and what its checks must say to them."""

_UNIT = """
class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, in_channels, width, stride=1, rate=1):
        super().__init__()
        out = 4 * width
        self.stride, self.downsample = stride, None
        self.conv1 = nn.Conv2d(in_channels, width, 1, {first}bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, {second}, bias={bias})
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, {out}, 1, bias=False)
        self.bn3 = nn.BatchNorm2d({out})
        if {projects}:
            self.downsample = nn.Sequential(nn.Conv2d(in_channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        step = self.stride
        shortcut = self.downsample(x) if self.downsample else {shortcut}
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(out)))))
        return {result}
"""
_MODEL = """
class DeepLab(nn.Module):
    def __init__(self, backbone, aspp, channels, num_classes):
        super().__init__()
        self.backbone = backbone
        self.classifier = nn.Sequential(aspp, nn.Conv2d(channels, num_classes, 1{bias}))

    def forward(self, images):
        logits = self.classifier(self.backbone(images))
        {result}
"""


def _unit(**parts: str) -> str:
    right = dict(first="", second="stride, rate, rate", bias="False", out="out", projects="in_channels != out",
                 shortcut="x[:, :, ::step, ::step]", result="F.relu(out + shortcut)")  # fmt: skip
    return _UNIT.format(**right | parts)


def _model(result: str, bias: str = "") -> str:
    return _MODEL.format(result=result, bias=bias)


def _count(formula: str) -> str:
    return f"def unit_parameters(c, w):\n    projected = c != 4 * w\n    return {formula}"


def _config(**fields: object) -> str:
    right = dict(output_stride=8, aspp_rates=(6, 12, 18), multi_grid=(1, 1, 1), first_unit="previous",
                 extra_conv=True, dropout=0.5)  # fmt: skip
    return f"as_torchvision = {right | fields!r}"


_WEIGHTS = "c * w + 13 * w**2"
_STRETCH = "F.interpolate(logits, size=images.shape[2:]"

MISTAKES = {
    "07/bottleneck": [
        (_unit(second="stride, 1, rate"), "keeps the size with 4"),
        (_unit(second="stride, rate"), "dilation (1, 1)"),
        (_unit(first="stride, ", second="1, rate, rate"), "Your stride is in `conv1`"),
        (_unit(bias="True"), "bias=False"),
        (_unit(out="width"), "widens to `4 * width`"),
        (_unit(projects="True"), "only there"),
        (_unit(projects="False"), "needs a projection"),
        (_unit(shortcut="x"), "takes every second sample"),
        (_unit(result="F.relu(out) + shortcut"), "ReLU comes last"),
        (_unit(result="None"), "Did you forget `return`?"),
        (
            _unit().replace("self.bn3 =", "self.conv4 = nn.Conv2d(width, width, 1)\n        self.bn3 ="),
            "has `conv4.weight`, which does not belong there",
        ),
    ],
    "07/deeplab": [
        (_model("return logits"), "coarse logits"),
        (_model("return F.interpolate(logits, scale_factor=16, mode='bilinear')"), "the map times 16"),
        (_model(f"return {_STRETCH}, mode='bilinear', align_corners=True)"), "align_corners=False"),
        (_model(f"return {_STRETCH})"), "mode='bilinear'"),
        (_model(f"return {_STRETCH}, mode='bilinear').softmax(1)"), "probabilities"),
        (_model(f"return {_STRETCH}, mode='bilinear')", bias=", bias=False"), "with its bias"),
    ],
    "07/unit-parameters": [
        (_count(f"{_WEIGHTS} + projected * c * 4 * w"), "has parameters too"),
        (_count(f"{_WEIGHTS} + 6 * w + projected * 4 * w * (c + 1)"), "two parameters for each channel"),
        (_count(f"{_WEIGHTS} + 24 * w + projected * 4 * w * (c + 4)"), "not parameters"),
        (_count(f"{_WEIGHTS} + 12 * w"), "needs a projection"),
        (_count(f"{_WEIGHTS} + 12 * w + projected * 4 * w * c"), "batch normalization of its own"),
        (_count(f"{_WEIGHTS} - 6 * w**2 + 12 * w + projected * 4 * w * (c + 2)"), "not 3"),
        (_count(f"{_WEIGHTS} + 12 * w + 4 * w * (c + 2)"), "has no projection"),
        (_count(f"{_WEIGHTS} + 18 * w + projected * 4 * w * (c + 2)"), "have no bias"),
    ],
    "07/torchvision": [
        (_config(aspp_rates=(12, 24, 36)), "`aspp_rates` does not fit"),
        (_config(output_stride=16), "`output_stride` does not fit"),
        (_config(multi_grid=(1, 2, 4)), "`multi_grid` does not fit"),
        (_config(first_unit="stage"), "`first_unit` does not fit"),
        (_config(extra_conv=False), "`extra_conv` does not fit"),
        (_config(dropout=0.1), "`dropout` does not fit"),
        (_config(multi_grid=(1, 1)), "does not accept this"),
        ("as_torchvision = {}", "Keep the dictionary"),
    ],
}
IGNORED_CELLS: dict[str, str] = {}
