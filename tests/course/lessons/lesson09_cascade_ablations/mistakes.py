"""Wrong answers to lesson 09's exercises, and what its checks must say to them."""

_SPREAD = """
def mean_and_spread(scores):
    n, mean = len(scores), sum(scores) / len(scores)
    squares = sum((score - mean) ** 2 for score in scores)
    return {}
"""
_INTERVAL = """
def interval(differences):
    n = len(differences)
    {alone}
    mean, spread = statistics.fmean(differences), {spread}
    half = {half}
    return {ends}
"""
_VERDICT = """
def verdict(differences):
    low, high = bounds_of(differences)
    n = len(differences)
    if {reproduced}:
        return "reproduced"
    if {opposite}:
        return "opposite"
    return "same direction" if {same} else "within noise"
"""
_SEEDS = """
def seeds_needed(effect, spread):
    n = {start}
    while {t} * spread / n**0.5 {above} effect:
        n += 1
    return n
"""


def _interval(**changes: str) -> str:
    right = {
        "alone": "if n == 1: return -math.inf, math.inf",
        "spread": "statistics.stdev(differences)",
        "half": "T_975[n - 2] * spread / math.sqrt(n)",
        "ends": "mean - half, mean + half",
    }
    return _INTERVAL.format(**right | changes)


def _verdict(**changes: str) -> str:
    right = {
        "reproduced": "n >= 3 and low > 0",
        "opposite": "n >= 3 and high < 0",
        "same": "min(differences) > 0",
    }
    return _VERDICT.format(**right | changes)


def _seeds(start: str = "3", t: str = "T_975[min(n - 2, 29)]", above: str = ">=") -> str:
    return _SEEDS.format(start=start, t=t, above=above)


def _pairs(body: str) -> str:
    return f"def paired_differences(better, worse):\n    return {body}"


MISTAKES = {
    "09/mean-and-spread": [
        (_SPREAD.format("mean, (squares / n) ** 0.5"), "divide by n − 1"),
        (_SPREAD.format("mean, squares / (n - 1)"), "take its square root"),
        (_SPREAD.format("mean, (squares / (n - 1) / n) ** 0.5"), "do not divide by √n"),
        (_SPREAD.format("mean, max(scores) - min(scores)"), "That is the range"),
        (_SPREAD.format("mean, sum(abs(s - mean) for s in scores) / n"), "mean deviation"),
        (_SPREAD.format("mean"), "should be 2 numbers"),
        (_SPREAD.format("(squares / (n - 1)) ** 0.5, mean"), "mean comes first"),
    ],
    "09/paired": [
        (_pairs("[b - w for b, w in zip(better.values(), worse.values())]"), "do not have equal seeds"),
        (_pairs("[better[seed] - worse[seed] for seed in sorted(better)]"), "only one of the rows"),
        (_pairs("[worse[s] - better[s] for s in sorted(better.keys() & worse.keys())]"), "sign is wrong"),
        (_pairs("[abs(better[s] - worse[s]) for s in sorted(better.keys() & worse.keys())]"), "Keep the sign"),
        (_pairs("sum(better.values()) / len(better) - sum(worse.values()) / len(worse)"), "should be 2 numbers"),
        (_pairs("{s: better[s] - worse[s] for s in better if s in worse}"), "the differences alone"),
    ],
    "09/interval": [
        (_interval(half="1.96 * spread / math.sqrt(n)"), "1.96 is for a known spread"),
        (_interval(half="T_975[n - 1] * spread / math.sqrt(n)"), "One entry too far"),
        (_interval(half="T_975[n - 2] * spread"), "divide by the root"),
        (_interval(half="T_975[n - 2] * spread / n"), "not with n"),
        (_interval(spread="statistics.pstdev(differences)"), "n − 1 below the squares"),
        (_interval(alone=""), "Its interval is infinite"),
        (

            "def interval(differences):\n"
            "    n, mean = len(differences), sum(differences) / len(differences)\n"
            "    half = T_975[n - 2] * torch.tensor(differences).std().item() / n**0.5\n"
            "    return mean - half, mean + half",
            "one difference alone",
        ),
        (_interval(ends="-half, half"), "not around 0"),
        (_interval(ends="half"), "should be 2 numbers"),
    ],
    "09/verdict": [
        (_verdict(reproduced="low > 0"), "too few for that word"),
        (_verdict(reproduced="n >= 2 and low > 0"), "too few for that word"),
        (_verdict(reproduced="n >= 3 and sum(differences) > 0"), "0 lies in it"),
        (_verdict(opposite="False"), "whole interval lies below 0"),
        (_verdict(same="min(differences) > 0 or max(differences) < 0"), "the opposite of the claim"),
        (_verdict(same="sum(differences) > 0"), "every single difference"),
        (_verdict(reproduced="n >= 3 and low >= 0"), "0 lies in it"),
        (_verdict(same="min(differences) >= 0"), "every single difference"),
        (_verdict(opposite="n >= 3 and high <= 0"), "ends at 0.00"),
        ("def verdict(differences):\n    return 'yes'", "The four words are"),
    ],
    "09/seeds-needed": [
        (_seeds(t="1.96"), "right for a known spread"),
        (_seeds(start="1", t="T_975[max(min(n - 2, 29), 0)]"), "begin at three"),
        (_seeds(t="T_975[min(n - 1, 29)]"), "One entry"),
        (_seeds(t="T_975[n - 2]"), "past the end"),
        ("def seeds_needed(effect, spread):\n    return effect / spread", "a whole number"),
        (
            "def seeds_needed(effect, spread):\n    n = 3\n"
            "    while T_975[min(n - 2, 29)] * spread / math.sqrt(n) >= effect:\n        pass\n"
            "    return n", 'Interrupted'),
    ],
}  # fmt: skip
IGNORED_CELLS: dict[str, str] = {}
