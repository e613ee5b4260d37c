"""Wrong answers to lesson 04's exercises, and what its checks must say to them."""

_PLAN = """
def cascade_plan(blocks, output_stride):
    reached, rate, plan = {start}, 1, []
    for block in range({first}, blocks + 1):
        if {keep} <= output_stride:
            plan.append((2, rate))
            reached *= 2
        else:
            {lose}
    return {answer}
"""


def _plan(**changes: object) -> str:
    right = {
        "start": 4,
        "first": 1,
        "keep": "reached * 2",
        "lose": "plan.append((1, rate)); rate *= 2",
        "answer": "plan",
    }
    return _PLAN.format(**right | changes)


def _weights(formula: str) -> str:
    return f"def copied_weights(channels, width, units):\n    return {formula}"


def _cascade(blocks: str) -> str:
    return f"import copy\ndef make_cascade(block4, copies):\n    return {blocks}"


def _taps(body: str) -> str:
    return f"def taps_on_map(row, column, rate, side):\n    steps = (-rate, 0, rate)\n    return {body}"


_ROWS = "sum(0 <= row + step < side for step in steps)"
_COLUMNS = "sum(0 <= column + step < side for step in steps)"
_STACK = """
def reaches(rates, distance):
    places = {start}
    for rate in rates:
        places = {{place + step for place in places for step in {steps}}}
    return {answer}
"""

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
    "04/cascade-plan": [
        (_plan(keep="reached"), "one stride too many"),
        (_plan(start=1), "have reached 4"),
        (_plan(start=8), "4 when block1 begins"),
        (_plan(lose="rate *= 2; plan.append((1, rate))"), "was at its *end*"),
        (_plan(lose="plan.append((1, rate)); rate = 2"), "double again"),
        (_plan(first=2), "3 pairs for 4 blocks"),
        (_plan(answer="[(rate, stride) for stride, rate in plan]"), "stride comes first"),
        (_plan(answer="rate"), "list of pairs"),
    ],
    "04/taps-on-map": [
        (_taps("9"), "taps on the padding"),
        (_taps(f"{_ROWS} + {_COLUMNS}"), "multiply"),
        (_taps(_ROWS), "one axis"),
        (_taps(f"{_ROWS.replace('< side', '<= side')} * {_COLUMNS.replace('< side', '<= side')}"), "33 is padding"),
        (
            "def taps_on_map(row, column, rate, side):\n    steps = (-rate, 0, rate)\n"
            "    rows = sum(0 <= row + step < side for step in steps)\n"
            "    return rows * sum(0 <= column + step <= side for step in steps)", 'is padding'),
    ],
    "04/reaches": [
        ("def reaches(rates, distance):\n    return abs(distance) <= sum(rates)", "within the field"),
        (_STACK.format(start="{0}", steps="(0, rate)", answer="distance in places"), "can go back"),
        (_STACK.format(start="{0}", steps="(-rate, rate)", answer="distance in places"), "or stay"),
        (_STACK.format(start="{0}", steps="(-rate, 0, rate)", answer="places"), "gives all the places"),
        (_STACK.format(start="{0}", steps="(-1, 0, 1)", answer="distance in places"), "or stay"),
    ],
}  # fmt: skip
IGNORED_CELLS: dict[str, str] = {}
