"""Wrong answers to lesson 04's exercises, and what its checks must say to them."""


def _rates(formula: str, blocks: str = "range(4, blocks + 1)") -> str:
    return f"def cascade_rates(blocks, output_stride):\n    return [{formula} for block in {blocks}]"


def _weights(formula: str) -> str:
    return f"def copied_weights(channels, width, units):\n    return {formula}"


def _cascade(blocks: str) -> str:
    return f"import copy\ndef make_cascade(block4, copies):\n    return {blocks}"


def _replica(block: str) -> str:
    return f"import copy\ndef replica(block4):\n    return {block}"


_RATE = "max(1, 2 ** (block + 1) // output_stride)"

MISTAKES = {
    "04/copied-weights": [
        (_weights("2 * channels * width + 9 * width**2"), "That is one unit"),
        (_weights("units * (channels * width + 9 * width**2)"), "One 1×1 is missing"),
        (_weights("units * 27 * width**2"), "outer two convolutions are 1×1"),
        (_weights("units * (2 * channels * width + width**2)"), "one in the middle is 3×3"),
        (_weights("units * (2 * channels * width + 9 * width**2) + channels**2"), "needs no projection"),
        (_weights("units * 11 * channels * width"), "reads `width` channels"),
        (_weights("print(units)"), "Did you forget `return`?"),
    ],
    "04/make-cascade": [
        (_cascade("nn.Sequential(*[block4] * (copies + 1))"), "same module as one before it"),
        (_cascade("nn.Sequential(block4, *[copy.copy(block4) for _ in range(copies)])"), "copy.deepcopy"),
        (
            _cascade("nn.Sequential(block4, *[copy.deepcopy(block4)] * copies)"),
            "same module as one before it",
        ),
        (_cascade("nn.Sequential(*[copy.deepcopy(block4) for _ in range(copies)])"), "3 blocks, but"),
        (_cascade("nn.Sequential(*[copy.deepcopy(block4) for _ in range(copies + 1)])"), "block4 itself"),
        (_cascade("[block4] + [copy.deepcopy(block4) for _ in range(copies)]"), "gives a list"),
        (
            "import copy\ndef make_cascade(block4, copies):\n"
            "    blocks = [copy.deepcopy(block4) for _ in range(copies)]\n"
            "    [block[0].reset_parameters() for block in blocks]\n"
            "    return nn.Sequential(block4, *blocks)",
            "starts with other weights",
        ),
    ],
    "04/replica": [
        (_replica("copy.deepcopy(block4)"), "takes block3's channels"),
        (_replica("nn.Sequential(*[copy.deepcopy(unit) for unit in block4[1:]])"), "has 2 units"),
        (_replica("nn.Sequential(block4[1], *copy.deepcopy(block4[1:]))"), "the same tensors"),
        (_replica("copy.deepcopy(nn.Sequential(block4[1], *block4[1:]))"), "the same tensors"),
        (_replica("nn.Sequential(*[copy.deepcopy(block4[1]) for _ in block4])"), "copy of block4's unit 3"),
        (_replica("[copy.deepcopy(unit) for unit in (block4[1], *block4[1:])]"), "gives a list"),
    ],
    "04/cascade-rates": [
        (_rates("2 ** (block + 1) // output_stride"), "at least 1"),
        (_rates("max(1, 32 // output_stride) * 2 ** (block - 4)"), "nothing has to double"),
        (_rates(_RATE, "range(1, blocks + 1)"), "Begin with block4"),
        (_rates(_RATE, "range(5, blocks + 1)"), "block4 is missing"),
        (_rates("max(1, 32 // output_stride)"), "not its rate"),
        (_rates(_RATE, "range(4, blocks)"), "`range` stops before its end"),
        (_rates(_RATE, "range(4, blocks + 2)"), "one block too many"),
        (_rates("max(1, 2 ** block // output_stride)"), "half of it"),
        (_rates("max(1, 2 ** (block + 2) // output_stride)"), "twice too much"),
        (_rates("max(1, 2 ** (block + 1) / output_stride)"), "divide with `//`"),
        ("def cascade_rates(blocks, output_stride):\n    return 2 ** (blocks + 1) // output_stride", "list of rates"),
    ],
}  # fmt: skip
IGNORED_CELLS: dict[str, str] = {}
