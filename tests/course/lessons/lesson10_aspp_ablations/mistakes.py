"""Wrong answers to lesson 10's exercises, and what its checks must say to them."""

_PEAK = """
def could_be_best(curve):
    best = max(curve, key=lambda rate: statistics.fmean(curve[rate]))
    behind = {{rate: difference([a - b for a, b in zip(curve[best], curve[rate])]) for rate in curve}}
    return {result}
"""
_UNPAIRED = """
def could_be_best(curve):
    spans = {rate: difference(scores) for rate, scores in curve.items()}
    best = max(spans.values(), key=lambda span: span.mean)
    return {rate for rate in curve if spans[rate].high >= best.low}
"""


def _peak(result: str) -> str:
    return _PEAK.format(result=result)


def _largest(condition: str, last: str = "size") -> str:
    return (
        "def largest_rate(size, share):\n"
        f"    return max((rate for rate in range(1, {last}) if {condition}), default=0)"
    )


def _widths(formula: str) -> str:
    return f"def equal_widths(channels, branches):\n    return {formula}"


def _reading(
    gain: str = "low > 0", reversal: str = "high < 0", null: str = "-matters < low < high < matters"
) -> str:
    return (
        "def reading(low, high, matters):\n"
        f'    return "gain" if {gain} else "reversal" if {reversal} else "null" if {null} else "open"'
    )


MISTAKES = {
    "10/could-be-best": [
        (_peak("{best}"), "highest mean alone"),
        (_UNPAIRED, "differences seed by seed"),
        (_peak("{rate for rate in curve if behind[rate].high > 0}"), "if the lower end is above 0"),
        (_peak("{rate for rate in curve if rate != best and behind[rate].low <= 0}"), "highest one itself"),
        (_peak("{rate for rate in curve if behind[rate].low > 0}"), "Give the others"),
        (_peak("best"), "should be a set of rates"),
        (_peak("None"), "Did you forget `return`?"),
        (
            "def could_be_best(curve):\n    return set(max(curve.values(), key=sum))",
            "give the rates themselves",
        ),
    ],
    "10/largest-rate": [
        (_largest("(size - 2 * rate) / size >= share", "size // 2"), "the share is a square"),
        (_largest("max(0, size - rate) ** 2 >= share * size**2"), "to *both* sides"),
        (_largest("max(0, size - 2 * rate) ** 2 >= share / 100 * size**2"), "from 0 to 1"),
        (_largest("max(0, size - 2 * rate) ** 2 > share * size**2"), "exactly the share is enough"),
        (_largest("max(0, size - 2 * (rate - 1)) ** 2 >= share * size**2"), "already below the bound"),
        (
            "def largest_rate(size, share):\n    return size * (1 - share**0.5) / 2",
            "A rate is a whole number",
        ),
        (_largest("(size - 2 * rate) ** 2 >= share * size**2"), "Beyond half the map"),
    ],
    "10/equal-widths": [
        (_widths("[channels] * branches"), "That head is wider as well"),
        (_widths("[channels // branches] * branches"), "leaves a remainder"),
        (_widths("[channels / branches] * branches"), "whole number"),
        (_widths("[channels - branches + 1] + [1] * (branches - 1)"), "may differ by one channel"),
        (_widths("channels // branches"), "should be a list"),
        (_widths("[channels]"), "but there are 4 branches"),
    ],
    "10/reading": [
        (_reading(gain="low > matters"), "it is a gain"),
        (_reading(null="low < 0 < high"), "these runs cannot tell"),
        (_reading(null="high < matters"), "these runs cannot tell"),
        (_reading(null="False"), "is ruled out"),
        (_reading(reversal="high < -matters"), "the opposite of the claim"),
        ("def reading(low, high, matters):\n    return low > 0", "should be one of"),
    ],
}
IGNORED_CELLS: dict[str, str] = {}
_EDGE = "an end that lies exactly on 0 or on the bound is not defined, and does not occur"
EXCUSED_MUTANTS = {
    "10/reading": {
        "line 3: `low > 0` with GtE": _EDGE,
        "line 5: `high < 0` with LtE": _EDGE,
        "line 7: `-matters < low` with LtE": _EDGE,
        "line 7: `high < matters` with LtE": _EDGE,
    }
}
