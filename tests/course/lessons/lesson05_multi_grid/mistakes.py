"""Wrong answers to lesson 05's exercises, and what its checks must say to them."""

_KINDS = """
def two_kinds(multi_grid, base_rate):
    reached = {{0}}
    for unit in multi_grid:
        reached = {{place + step for place in reached for step in (-unit, 0, unit)}}
    grid = 1 + 2 * sum(multi_grid)
    field = 1 + 2 * base_rate * sum(multi_grid)
    return {answer}
"""
_EXPECTED = """
def expected_accuracy(read, asked, colours):
    seen = len(read.intersection(asked)) / len(asked)
    return {answer}
"""
_SET = """
def set_multi_grid(block, base_rate, multi_grid):
    for unit, unit_rate in zip(block, multi_grid):
        rate = base_rate * unit_rate
        {body}
"""


def _rates(formula: str) -> str:
    return f"def block_rates(block, output_stride, multi_grid):\n    return {formula}"


def _kinds(answer: str) -> str:
    return _KINDS.format(answer=answer)


def _expected(answer: str) -> str:
    return _EXPECTED.format(answer=answer)


def _set(body: str) -> str:
    return _SET.format(body=body)


MISTAKES = {
    "05/block-rates": [
        (_rates("tuple(max(1, 2 ** (block + 1) // output_stride) + u for u in multi_grid)"), "multiplies"),
        (_rates("multi_grid"), "Those are the unit rates"),
        (_rates("tuple(2 ** (block + 1) // output_stride * u for u in multi_grid)"), "at least 1"),
        (
            _rates("tuple(max(1, 2 ** (block + 2) // output_stride) * u for u in multi_grid)"),
            "twice too much",
        ),
        (
            _rates("tuple(max(1, 2 ** block // output_stride) * u for u in multi_grid)"),
            "nominal stride is 32",
        ),
        (_rates("(max(1, 2 ** (block + 1) // output_stride),) * 3"), "base rate three times"),
        (_rates("max(1, 2 ** (block + 1) // output_stride)"), "three rates, one for each unit"),
        (
            _rates("tuple(max(1, 2 ** (block + 1) / output_stride) * u for u in multi_grid)"),
            "divide with `//`",
        ),
        (
            "def block_rates(block, output_stride, multi_grid):\n"
            "    return max(1, 2 ** (block + 1) // output_stride) * multi_grid",
            "A tuple times a number repeats it",
        ),
    ],
    "05/two-kinds": [
        (_kinds("field - grid, grid - len(reached)"), "other way round"),
        (_kinds("field - len(reached), field - grid"), "every unread sample"),
        (_kinds("grid - len(reached), field - len(reached)"), "Leave out those on the grid"),
        (_kinds("grid - len(reached), (base_rate - 1) * grid"), "gaps between them"),
        (_kinds("grid - 9, field - grid"), "counts each place once"),
        (_kinds("field - len(reached)"), "two numbers"),
    ],
    "05/expected-accuracy": [
        (_expected("seen"), "it still guesses"),
        (_expected("seen + 1 / colours"), "only the rest"),
        (_expected("(1 - seen) / colours"), "guesses alone"),
        (_expected("100 * (seen + (1 - seen) / colours)"), "not percent"),
        (
            "def expected_accuracy(read, asked, colours):\n    seen = len(read) / len(asked)\n"
            "    return seen + (1 - seen) / colours",
            "Count only those that are in `asked`",
        ),
    ],
    "05/set-multi-grid": [
        (_set("unit.conv2.dilation = (rate, rate)"), "would become 22 samples narrower"),
        (_set("unit.conv2.dilation = (rate, rate)"), "padding equal to its rate"),
        (_set("unit.conv2.dilation = unit.conv2.padding = (unit_rate, unit_rate)"), "unit rate itself"),
        (_set("unit.conv2.dilation = unit.conv2.padding = (base_rate, base_rate)"), "base rate alone"),
        (
            _set(
                "for conv in (unit.conv1, unit.conv2, unit.conv3): conv.dilation = conv.padding = (rate, rate)"
            ),
            "It is 1×1",
        ),
        (
            _set(
                "unit.conv2 = nn.Conv2d(*unit.conv2.weight.shape[:2], 3, padding=rate, dilation=rate, bias=False)"
            ),
            "changes weights",
        ),
        (_set("pass"), "It was not changed"),
    ],
}
IGNORED_CELLS: dict[str, str] = {}
