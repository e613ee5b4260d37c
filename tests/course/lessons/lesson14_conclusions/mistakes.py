"""Wrong answers to lesson 14's exercises, and what its checks must say to them."""

_STANDS = """
def stands(p_values, level=0.05):
    m = len(p_values)
    found = [False] * m
    for rank, index in enumerate({order}):
        if p_values[index] > {bound}:
            {fall}
        else:
            found[index] = True
    return {result}
"""
_SORTED = "sorted(range(m), key=lambda i: p_values[i])"
_BAND = """
def boundary_band(masks, width):
    values, window = masks[:, None].float(), {window}
    highest = F.max_pool2d(values, window, stride=1, padding={padding})
    lowest = {lowest}
    return {result}
"""
_LOWEST = "-F.max_pool2d(-values, window, stride=1, padding=width)"
_NARROW = _LOWEST.replace("padding=width", "padding=(width + width % 2) // 2")
_EDGES = """
def boundary_band(masks, width):
    edges = torch.zeros_like(masks, dtype=torch.bool)
    edges[:, 1:] |= masks[:, 1:] != masks[:, :-1]
    edges[:, :, 1:] |= masks[:, :, 1:] != masks[:, :, :-1]
    return F.max_pool2d(edges[:, None].float(), 2 * width - 1, stride=1, padding=width - 1)[:, 0] > 0
"""
_STEP = """
def mean_field_step(q, unary, weights, offsets):
    message = torch.zeros_like(q)
    for weight, (down, right) in zip(weights, offsets):
        message {adds} weight * {heard}
    return {result}
"""
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


def _head(formula: str) -> str:
    return f"def head(kernel_size, in_channels, out_channels, rate, output_stride):\n    return {formula}"


def _shares(formula: str) -> str:
    return f"def fair_shares(neither, first, second, both):\n    return {formula}"


def _stands(
    order: str = _SORTED, bound: str = "level / (m - rank)", fall: str = "break", result: str = "found"
) -> str:
    return _STANDS.format(order=order, bound=bound, fall=fall, result=result)


def _band(
    window: str = "2 * width + 1",
    padding: str = "width",
    lowest: str = _LOWEST,
    result: str = "(highest != lowest)[:, 0]",
) -> str:
    return _BAND.format(window=window, padding=padding, lowest=lowest, result=result)


def _step(
    adds: str = "+=",
    heard: str = "shifted(q, down, right)",
    result: str = "F.softmax(unary + message, dim=1)",
) -> str:
    return _STEP.format(adds=adds, heard=heard, result=result)


def _decoder(
    reduce: str = "conv_bn_relu(low_channels, reduced, 1)",
    joined: str = "high_channels + reduced",
    classifier: str = "nn.Conv2d(channels, num_classes, 1)",
    stretch: str = _STRETCH,
    order: str = "high, low",
) -> str:
    return _DECODER.format(reduce=reduce, joined=joined, classifier=classifier, stretch=stretch, order=order)


_WEIGHTS, _REACH = "kernel_size**2 * in_channels * out_channels", "(kernel_size - 1) * rate * output_stride"
_PADDED = "F.pad(values, (width,) * 4)"

MISTAKES = {
    "14/head": [
        (_head(f"kernel_size * in_channels * out_channels, {_REACH}"), "The kernel has two sides"),
        (_head(f"{_WEIGHTS} + out_channels, {_REACH}"), "Leave the biases out"),
        (_head(f"kernel_size**2 * out_channels, {_REACH}"), "reads all input channels"),
        (
            _head(f"(kernel_size + (kernel_size - 1) * (rate - 1))**2 * in_channels * out_channels, {_REACH}"),
            "A rate adds no weights",
        ),
        (_head(f"{_WEIGHTS}, (kernel_size - 1) * rate"), "That is in samples of the map"),
        (_head(f"{_WEIGHTS}, kernel_size * rate * output_stride"), "k − 1 steps"),
        (_head(f"{_WEIGHTS}, (kernel_size + (kernel_size - 1) * (rate - 1)) * output_stride"), "one sample less"),
        (_head(_WEIGHTS), "it should be two numbers"),
    ],
    "14/fair-shares": [
        (_shares("first - neither, second - neither"), "what each adds on its own"),
        (_shares("both - second, both - first"), "what each adds after the other"),
        (_shares("first - neither, both - first"), "the first before the second"),
        (_shares("both - second, second - neither"), "the second before the first"),
        (_shares("first - neither + both - second, second - neither + both - first"), "divide by 2"),
        (_shares("both - neither"), "it should be two numbers"),
    ],
    "14/holm": [
        (_stands(bound="level"), "as if it were the only one"),
        (_stands(bound="level / m"), "Bonferroni's rule"),
        (_stands(fall="continue"), "Once one falls"),
        (_stands(order="range(m)"), "Take the smallest p-value first"),
        (_stands(result="sorted(found, reverse=True)"), "in its claim's place"),
        (
            "def stands(p_values, level=0.05):\n    m = len(p_values)\n"
            "    return [p <= level / (m - rank) for rank, p in enumerate(sorted(p_values))]",
            "goes through the sorted p-values",
        ),
        (_stands(bound="level / (m - rank + 1)"), "count ranks from 0"),
        (_stands(bound="level / (rank + 1)"), "go the other way"),
        (_stands(result="sum(found)"), "one a claim"),
        (
            "def stands(p_values, level=0.05):\n"
            "    m, found = len(p_values), [False] * len(p_values)\n"
            "    for rank, i in enumerate(sorted(range(m), key=lambda i: p_values[i])):\n"
            "        if p_values[i] > 0.05 / (m - rank):\n            break\n"
            "        found[i] = True\n    return found", 'whatever `level` is'),
    ],
    "14/band": [
        (_band(window="width + 1 + width % 2", padding="(width + width % 2) // 2", lowest=_NARROW), "reaches `width`"),
        (_band(window="2 * width - 1"), "`2 * width + 1` wide"),
        (_band(padding="0", lowest="-F.max_pool2d(-values, window, stride=1)"), "keeps the size"),
        (_band(result="(highest == lowest)[:, 0]"), "the band is the rest"),
        (_band(result="(highest - lowest)[:, 0]"), "a mask of `torch.bool`"),
        (
            _band(padding="width", lowest=f"-F.max_pool2d(-{_PADDED}, window, stride=1)"),
            "The picture's border is not an outline",
        ),
        (_EDGES, "A boundary has two sides"),
        (_band(result="None"), "Did you forget `return`?"),
    ],
    "14/mean-field": [
        (_step(result="unary + message"), "These are still scores"),
        (_step(result="F.softmax(q + message, dim=1)"), "Start from `unary`"),
        (_step(result="F.softmax(unary + q.log() + message, dim=1)"), "counts the present belief twice"),
        (_step(result="F.softmax(message, dim=1)"), "is missing"),
        (_step(adds="-="), "The sign is wrong"),
        (_step(heard="q"), "The message is the *neighbours'*"),
        (_step(heard="shifted(q, -down, -right)"), "You look the other way"),
        (_step(adds="="), "Only one neighbour is heard"),
        (_step(result="F.softmax(unary + message, dim=-1)"), "not over the columns"),
        (
            "def mean_field_step(q, unary, weights, offsets):\n"
            "    for weight, (down, right) in zip(weights, offsets):\n"
            "        unary += weight * shifted(q, down, right)\n"
            "    return F.softmax(unary, dim=1)", '`mean_field_step` changes `unary`'),
    ],
    "14/decoder": [
        (_decoder(reduce="nn.Conv2d(low_channels, reduced, 1)"), "`reduce` is a 1×1 `conv_bn_relu`"),
        (_decoder(reduce="conv_bn_relu(low_channels, reduced, 3)"), "`reduce` is a 1×1 `conv_bn_relu`"),
        (_decoder(joined="high_channels"), "`refine` is two 3×3"),
        (_decoder(classifier="conv_bn_relu(channels, num_classes, 1)"), "with nothing after it"),
        (_decoder(classifier="nn.Conv2d(channels, num_classes, 1, bias=False)"), "with a bias"),
        (_decoder(stretch="pass"), "Stretch ASPP's answer to the early map's height"),
        (_decoder(stretch=_STRETCH.replace("high", "\0").replace("low", "high").replace("\0", "low")), "You shrink"),
        (_decoder(stretch=_STRETCH.replace("False", "True")), "with `align_corners=False`"),
        (_decoder(stretch="high = F.interpolate(high, size=low.shape[2:])"), "nearest neighbour"),
        (_decoder(order="low, high"), "ASPP's answer goes first"),
        (_decoder().replace("reduced=48", "reduced=32"), "keep the defaults"),
        (_decoder().replace("self.reduce", "self.shrink"), "has no `reduce`"),
    ],
}  # fmt: skip
IGNORED_CELLS = {
    "board-table": "more seeds of the paper's tables may be recorded",
    "board-stands": "more seeds of the paper's tables may be recorded",
    "decoded": "a training's last digits differ from processor to processor",
    "crf-behind": "a training's last digits differ from processor to processor",
}
