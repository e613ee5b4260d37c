"""Wrong answers to lesson 06's exercises, and what its checks must say to them."""

_COUNT = """
def valid_weights(size, rate):
    along = [sum({test} for step in ({taps})) for i in range(size)]
    shares = {{}}
    for rows in along:
        for columns in along:
            shares[{key}] = shares.get({key}, 0) + {each}
    return shares
"""
_ASPP = """
class ASPP(nn.Module):
    def __init__(self, in_channels, channels, rates):
        super().__init__()
        branches = [conv_bn_relu(in_channels, channels, 1)]
        branches += [conv_bn_relu(in_channels, channels, 3, rate) for rate in {rates}]
        branches += [{last}]
        self.branches = {held}(branches)
        self.project = conv_bn_relu({width}, channels, {kernel})

    def forward(self, features):
        answers = [branch(features) for branch in self.branches]
        {end}
"""
_POOLING = """
class ImagePooling(nn.Module):
    def __init__(self, in_channels, channels):
        super().__init__()
        self.look = conv_bn_relu(in_channels, channels, 1)

    def forward(self, features):
        {end}
"""


def _count(
    test: str = "0 <= i + step < size",
    taps: str = "-rate, 0, rate",
    key: str = "rows * columns",
    each: str = "1 / size**2",
) -> str:
    return _COUNT.format(test=test, taps=taps, key=key, each=each)


def _aspp(
    rates: str = "rates",
    last: str = "aspp.ImagePooling(in_channels, channels)",
    held: str = "nn.ModuleList",
    width: str = "len(branches) * channels",
    kernel: str = "1",
    end: str = "return self.project(torch.cat(answers, dim=1))",
) -> str:
    return _ASPP.format(rates=rates, last=last, held=held, width=width, kernel=kernel, end=end)


def _pooling(end: str) -> str:
    return _POOLING.format(end=end)


def _rates(formula: str) -> str:
    return f"def rates_at(rates, output_stride):\n    return {formula}"


_BRANCHES = "        self.branches = nn.ModuleList(branches)\n"
_HERE = "*features.shape[2:]"
MISTAKES = {
    "06/valid-weights": [
        (
            _count(each="1 / size**2").replace(
                "return shares", "return {n: f'{s:.1%}' for n, s in shares.items()}"
            ),
            "not texts",
        ),
        (_count(each="1"), "Divide each by all 81"),
        (_count(test="0 <= i + step <= size"), "past the far end"),
        (_count(test="0 < i + step < size"), "leave out row 0"),
        (_count(test="0 <= i + step"), "Taps fall off at both"),
        (_count(test="i + step < size"), "Taps fall off at both"),
        (_count(taps="-1, 0, 1"), "They lie `rate` apart"),
        (_count(key="9 - rows * columns"), "Count those that meet the map"),
        (
            "def valid_weights(size, rate):\n    return max(0, size - 2 * rate) ** 2 / size**2",
            "should be a dictionary",
        ),
        ("def valid_weights(size, rate):\n    {9: 1.0}", "Did you forget `return`?"),
        (_count(key="rows + columns"), "a position has rows × columns"),
    ],
    "06/image-pooling": [
        (_pooling("return self.look(features.mean((2, 3), keepdim=True))"), "Give it to every position"),
        (
            _pooling(f"return self.look(features).mean((2, 3), keepdim=True).expand(-1, -1, {_HERE})"),
            "average first",
        ),
        (
            _pooling(f"return self.look(features.amax((2, 3), keepdim=True)).expand(-1, -1, {_HERE})"),
            "largest value",
        ),
        (
            _pooling(
                f"return self.look(features.mean((0, 2, 3), keepdim=True)).expand(len(features), -1, {_HERE})"
            ),
            "keep axis 0",
        ),
        (
            _pooling(f"return self.look(features.sum((2, 3), keepdim=True)).expand(-1, -1, {_HERE})"),
            "take the mean",
        ),
        (_pooling("return self.look(features)"), "Nothing is averaged"),
        (
            _pooling(f"return self.look(features.mean(1, keepdim=True)).expand(-1, -1, {_HERE})"),
            "axes 2 and 3",
        ),
        (_pooling("self.look(features)"), "Did you forget `return`?"),
        (
            "class ImagePooling(nn.Module):\n    def __init__(self, in_channels, channels):\n"
            "        super().__init__()\n"
            "        self.look = conv_bn_relu(in_channels, channels, 1)\n\n"
            "    def forward(self, features):\n"
            "        return self.look(features.mean((2, 3))).expand(-1, -1, *features.shape[2:])",
            "`keepdim=True`",
        ),
    ],
    "06/aspp": [
        (_aspp(held="list"), "nn.ModuleList"),
        (_aspp(last=""), "has 3 branches"),
        (
            _aspp().replace(_BRANCHES, "").replace("channels, 1)\n\n", f"channels, 1)\n{_BRANCHES}\n\n"),
            "then `self.project`",
        ),
        (_aspp(last="conv_bn_relu(in_channels, channels, 1)"), "last branch is a plain 1×1"),
        (_aspp(rates="[2 * rate for rate in rates]"), "have rates (2, 4)"),
        (_aspp(width="channels", end="return self.project(sum(answers))"), "concatenated, not added"),
        (_aspp(end="return torch.cat(answers, dim=1)"), "Project it"),
        (_aspp(end="return self.project(torch.cat(answers[::-1], dim=1))"), "in reverse"),
        (_aspp(kernel="3"), "is a 1×1 convolution"),
        (_aspp(end="self.project(torch.cat(answers, dim=1))"), "Did you forget `return`?"),
        (
            "class ASPP(nn.Module):\n    def __init__(self, in_channels, channels, rates):\n"
            "        super().__init__()\n"
            "        middle = [conv_bn_relu(in_channels, channels, 3, rate) for rate in rates]\n"
            "        last = aspp.ImagePooling(in_channels, channels)\n"
            "        self.branches = nn.ModuleList([conv_bn_relu(in_channels, channels, 1), *middle, last])\n"
            "        self.project = conv_bn_relu(len(self.branches) * channels, channels, 1)\n"
            "\n    def forward(self, features):\n"
            "        return self.project(torch.cat([branch(features) for branch in self.branches]))",
            "`torch.cat(maps, dim=1)`",
        ),
    ],
    "06/rates": [
        (_rates("tuple(rate * output_stride // 16 for rate in rates)"), "other way round"),
        (_rates("tuple(2 * rate for rate in rates) if output_stride != 16 else rates"), "another factor"),
        (_rates("rates"), "rates for output stride 16"),
        (_rates("tuple(rate * 16 / output_stride for rate in rates)"), "divide with `//`"),
    ],
}
IGNORED_CELLS: dict[str, str] = {}
