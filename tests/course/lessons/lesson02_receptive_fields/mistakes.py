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


def _grow(size: str = "size + reach * jump", jump: str = "jump * stride", start: str = "start") -> str:
    return (
        "def grow(size, jump, start, kernel_size, stride=1, rate=1, padding=0):\n"
        "    reach = (kernel_size - 1) * rate\n"
        f"    return {size}, {jump}, {start}"
    )


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
        (
            _SEEN.format(output="[0, 0, output]", answer="strip.grad[0, 0].nonzero()"),
            "not the numbers of those seen",
        ),
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
        (_UNREAD.format(step=_STEP, answer="2 * sum(rates) - len(reached)"), "The pixel in the middle"),
        (_UNREAD.format(step=_STEP, answer="(1 + 2 * sum(rates))**2 - len(reached)**2"), "along one axis"),
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
        (_HOLES.format(order="sorted(rates)", gap=">", grow="*= 3"), "does not always triple"),
        ("def no_holes(rates):\n    return math.gcd(*rates) == 1", "necessary, but not enough"),
        ("def no_holes(rates):\n    return 1 in rates", "are holes"),
        (_HOLES.format(order="rates", gap=">", grow="+= 2 * rate"), "sort the rates first"),
        (_HOLES.format(order="sorted(rates)", gap=">=", grow="+= 2 * rate"), "only just touch"),
        (_HOLES.format(order="sorted(rates)", gap=">", grow="= rate"), "gives `False`"),
        (_HOLES.format(order="sorted(rates)", gap=">", grow="+= 3 * rate"), "are holes"),
        ("def no_holes(rates):\n    return sum(rates)", "`True` or `False`"),
    ],
}
