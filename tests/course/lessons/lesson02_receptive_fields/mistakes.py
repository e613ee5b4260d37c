"""Wrong answers to lesson 02's exercises, and what its checks must say to them."""

_SEEN = """
def seen_by_gradient(network, length, output):
    strip = torch.ones(1, 1, length, requires_grad=True)
    network(strip){output}.backward()
    return {answer}
"""
_UNREAD = """
def unread(rates):
    reached = {{0}}
    for rate in rates:
        reached = {step}
    return {answer}
"""
_STEP = "{distance + tap for distance in reached for tap in (-rate, 0, rate)}"
_HOLES = """
def no_holes(rates):
    window = 1
    for rate in {order}:
        if rate {gap} window:
            return False
        window {grow}
    return True
"""
_SIDE = """
def effective_side(weights, share=0.95):
    middle = weights.shape[0] // 2
    for half in range(middle + 1):
        square = slice({square})
        if weights[square, square].sum() >= {share}:
            return {answer}
"""
_SQUARE = "middle - half, middle + half + 1"


def _grow(size: str = "size + reach * jump", jump: str = "jump * stride", start: str = "start") -> str:
    return (
        "def grow(size, jump, start, kernel_size, stride=1, rate=1, padding=0):\n"
        "    reach = (kernel_size - 1) * rate\n"
        f"    return {size}, {jump}, {start}"
    )


def _layers(rate: str, leave: str) -> str:
    return (
        "def resnet50_layers(output_stride):\n"
        "    layers = [(7, 2, 1), (3, 2, 1)]\n"
        "    for units, nominal in ((3, 4), (4, 8), (6, 16), (3, 32)):\n"
        f"        rate = {rate}\n"
        f"        leave = {leave}\n"
        "        layers += [(3, 1, rate)] * (units - 1) + [(3, leave, rate)]\n"
        "    return layers"
    )


_RATE = "max(1, nominal // output_stride)"
_LEAVE = "2 if 2 * nominal <= output_stride else 1"

MISTAKES = {
    "02/grow": [
        (_grow(size="size + reach * jump * stride"), "in front of the layer"),
        (_grow(size="size + (kernel_size - 1) * jump"), "The rate is missing"),
        (_grow(size="size + kernel_size * rate * jump"), "k - 1 gaps"),
        (_grow(size="size + reach"), "reach in samples by the jump"),
        (_grow(jump="jump * stride * rate"), "depends on the stride"),
        (_grow(jump="stride"), "Jumps multiply"),
        (_grow(start="start + reach / 2 * jump"), "The padding is missing"),
        (_grow(start="start + (reach // 2 - padding) * jump"), "is between two"),
        (_grow(start="start + reach / 2 - padding"), "That is in samples"),
        (_grow().rsplit(",", 1)[0], "three numbers"),
    ],
    "02/seen-by-gradient": [
        (_SEEN.format(output=".sum()", answer="strip.grad[0, 0] != 0"), "not of their sum"),
        (_SEEN.format(output="[0, 0, output]", answer="strip.grad[0, 0]"), "compare the gradient with 0"),
        (_SEEN.format(output="[0, 0, output]", answer="strip.grad != 0"), "two axes of size 1"),
        (_SEEN.format(output="[0, 0, output]", answer="strip.grad[0, 0] == 0"), "is the opposite"),
        (_SEEN.format(output="[0, 0, output]", answer="strip.grad[0, 0] > 1"), "however small"),
        (_SEEN.format(output="[0, 0, output // 2]", answer="strip.grad[0, 0] != 0"), "finds the pixels"),
        (
            "def seen_by_gradient(network, length, output):\n    strip = torch.ones(1, 1, length)\n"
            "    network(strip)[0, 0, output].backward()\n    return strip.grad[0, 0] != 0",
            "`strip.grad` is `None`",
        ),
        (
            "def seen_by_gradient(network, length, output):\n"
            "    for parameter in network.parameters():\n"
            "        parameter.requires_grad_(False)\n    strip = torch.ones(1, 1, length)\n"
            "    network(strip)[0, 0, output].backward()\n    return strip.grad[0, 0] != 0",
            "`requires_grad=True`",
        ),
        (
            "def seen_by_gradient(network, length, output):\n"
            "    strip = torch.ones(1, 1, length, requires_grad=True)\n"
            "    network(strip).backward()\n    return strip.grad[0, 0] != 0",
            "`backward()` starts from one number",
        ),
        (
            "def seen_by_gradient(network, length, output):\n"
            "    strip = torch.ones(1, 1, 21, requires_grad=True)\n"
            "    network(strip)[0, 0, output].backward()\n    return strip.grad[0, 0] != 0",
            "but it should be (24,)",
        ),
    ],
    "02/unread": [
        (_UNREAD.format(step=_STEP, answer="len(reached)"), "How many are not?"),
        (_UNREAD.format(step=_STEP, answer="1 + sum(rates) - len(reached)"), "both sides"),
        (
            _UNREAD.format(
                step=_STEP.replace("(-rate, 0, rate)", "(-rate, rate)"),
                answer="1 + 2 * sum(rates) - len(reached)",
            ),
            "at distance 0",
        ),
        (
            _UNREAD.format(step="{-rate, 0, rate}", answer="1 + 2 * sum(rates) - len(reached)"),
            "every distance reached so far",
        ),
    ],
    "02/no-holes": [
        ("def no_holes(rates):\n    return math.gcd(*rates) == 1", "necessary, but not enough"),
        ("def no_holes(rates):\n    return 1 in rates", "are holes"),
        (_HOLES.format(order="rates", gap=">", grow="+= 2 * rate"), "sort the rates first"),
        (_HOLES.format(order="sorted(rates)", gap=">=", grow="+= 2 * rate"), "only just touch"),
        (_HOLES.format(order="sorted(rates)", gap=">", grow="= rate"), "gives `False`"),
        (_HOLES.format(order="sorted(rates)", gap=">", grow="+= 3 * rate"), "are holes"),
        ("def no_holes(rates):\n    return sum(rates)", "`True` or `False`"),
    ],
    "02/resnet-layers": [
        (_layers("1", _LEAVE), "doubles the rate of every layer behind"),
        (_layers("nominal // output_stride", _LEAVE), "A rate is at least 1"),
        (_layers("max(1, nominal / output_stride)", _LEAVE), "divide with `//`"),
        (_layers(_RATE, "2"), "at a jump of 64"),
        (_layers(_RATE, "2 if nominal <= output_stride else 1"), "at a jump of 64"),
        (_layers(_RATE, "1"), "has strides"),
        (
            "def resnet50_layers(output_stride):\n    layers = [(3, 2, 1), (7, 2, 1)]\n"
            "    for units, nominal in ((3, 4), (4, 8), (6, 16), (3, 32)):\n"
            "        rate = max(1, nominal // output_stride)\n"
            "        leave = 2 if 2 * nominal <= output_stride else 1\n"
            "        layers += [(3, 1, rate)] * (units - 1) + [(3, leave, rate)]\n"
            "    return layers",
            "conv1 and pool1 are",
        ),
        ("def resnet50_layers(output_stride):\n    return [7, 3, 3]", "triples"),
    ],
    "02/effective-side": [
        (_SIDE.format(square=_SQUARE, share="share", answer="half"), "square of side 1"),
        (_SIDE.format(square=_SQUARE, share="share", answer="2 * half"), "square of side 1"),
        (
            _SIDE.format(square="middle - half, middle + half", share="share", answer="2 * half + 1"),
            "should be 1",
        ),
        (_SIDE.format(square=_SQUARE, share="0.95", answer="2 * half + 1"), "share 0.4"),
        (_SIDE.format(square=_SQUARE, share="0", answer="2 * half + 1"), "sum inside the square"),
        (
            "def effective_side(weights, share=0.95):\n    middle = weights.shape[0] // 2\n"
            "    for half in range(middle):\n"
            "        square = slice(middle - half, middle + half + 1)\n"
            "        if weights[square, square].sum() >= share:\n"
            "            return 2 * half + 1",
            "finds no square",
        ),
    ],
}
EXCUSED_MUTANTS = {
    "02/resnet-layers": {
        "line 4: 32 as 33": "four blocks reach an output stride of 32; there is none above it"
    },
}
