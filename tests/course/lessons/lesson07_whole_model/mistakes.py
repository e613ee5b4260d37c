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
_PLAN = """
def plan(strides, output_stride, multi_grid):
    reached, rate, rows = {start}, 1, []
    for block, row in enumerate(strides, 1):
        rows.append([])
        for unit, stride in enumerate(row):
            lost = reached * stride > output_stride
            {before}
            factor = multi_grid[unit % 3] if block >= {first_block} else 1
            rows[-1].append((1 if lost else stride, {pair}))
            {after}
            reached *= 1 if lost else stride
    return rows
"""
_ASPP = """
class ASPP(nn.Module):
    def __init__(self, in_channels, channels, rates):
        super().__init__()
        branches = [conv_bn_relu(in_channels, channels, 1)]
        branches += [conv_bn_relu(in_channels, channels, 3, rate) for rate in {rates}]
        pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), *conv_bn_relu(in_channels, channels, 1))
        self.convs = nn.ModuleList({branches})
        self.project = nn.Sequential(*conv_bn_relu(5 * channels, channels, 1){dropout})

    def forward(self, features):
        maps = [branch(features) for branch in self.convs]
        maps[-1] = maps[-1].expand_as(maps[0])
        {result}
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


def _plan(**parts: str) -> str:
    right = dict(
        start="4", before="pass", first_block="4", pair="rate * factor", after="rate *= stride if lost else 1"
    )
    return _PLAN.format(**right | parts)


def _aspp(**parts: str) -> str:
    right = dict(rates="rates", branches="[*branches, pool]", dropout=", nn.Dropout(0.1)",
                 result="return self.project(torch.cat(maps, dim=1))")  # fmt: skip
    return _ASPP.format(**right | parts)


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
    "07/plan": [
        (_plan(pair="rate"), "each unit's rate is multiplied"),
        (_plan(pair="factor if block >= 4 else rate"), "do not replace it"),
        (_plan(first_block="1"), "Multi-grid starts at block4"),
        (_plan(before="rate *= stride if lost else 1", after="pass"), "still reads the map from before it"),
        (_plan(start="1"), "already reached a stride of 4"),
        (
            "def plan(strides, output_stride, multi_grid):\n    return [[(1, 1)] for _ in strides]",
            "pairs in its blocks",
        ),
    ],
    "07/aspp": [
        (_aspp(branches="[pool, *branches]"), "then the pooling branch"),
        (_aspp(rates="(1, 1, 1)"), "have the rates [1, 1, 1]"),
        (_aspp(branches="branches"), "Branch 4 is the image pooling"),
        (_aspp(dropout=""), "one `nn.Dropout(0.1)`"),
        (
            _aspp(result="return self.project(torch.cat([maps[-1], *maps[:-1]], dim=1))"),
            "You put the pooling first",
        ),
        (_aspp(result="self.project(torch.cat(maps, dim=1))"), "Did you forget `return`?"),
        (_aspp(result="return torch.cat(maps, dim=1)"), "has the shape (2, 20, 7, 9)"),
        (
            "class ASPP(nn.Module):\n    def __init__(self, in_channels, channels, rates):\n"
            "        super().__init__()\n"
            "        branches = [conv_bn_relu(in_channels, channels, 1)]\n"
            "        branches += [conv_bn_relu(in_channels, channels, 3, rate) for rate in rates]\n"
            "        branches.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), *conv_bn_relu(in_channels, channels, 1)))\n"
            "        self.convs = nn.ModuleList(branches)\n"
            "        self.project = nn.Sequential(\n"
            "            *conv_bn_relu(len(branches) * channels, channels, 1), nn.Dropout(0.1)\n        )\n"
            "\n    def forward(self, features):\n"
            "        return self.project(torch.cat([branch(features) for branch in self.convs], dim=1))",
            "repeats a 1×1 map at every position",
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
IGNORED_CELLS = {"time-shares": "shares of the time differ from machine to machine"}
