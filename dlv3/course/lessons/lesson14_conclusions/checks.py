"""Check of lesson 14: a fair share of a gain."""

from collections.abc import Callable

from dlv3.course.kit.answers import as_rates, hint_for, number, several
from dlv3.course.kit.exercises import exercise, require, written


def fair_shares_of(neither: float, first: float, second: float, both: float) -> tuple[float, float]:
    """Return the share of each: the mean, over the two orders, of what it adds."""
    of_first = (first - neither) + (both - second)
    of_second = (second - neither) + (both - first)
    return of_first / 2, of_second / 2


@exercise("14/fair-shares", title="A fair share of the gain", difficulty=2, minutes=6, gives=as_rates)
def fair_shares(attempt: Callable[[float, float, float, float], tuple[float, float]]) -> str:
    for case in ((60.0, 66.0, 64.0, 67.0), (50.0, 50.0, 50.0, 58.0), (40.0, 45.0, 41.0, 44.0)):
        neither, first, second, both = case
        call = written("fair_shares", case)
        got = several(attempt(*case), call, 2, "two numbers, a share of each")
        alone, last, want = (
            (first - neither, second - neither),
            (both - second, both - first),
            fair_shares_of(*case),
        )
        slips = [
            (
                alone,
                "That is what each adds on its own. In the other order it comes second and adds another amount; take "
                "the mean of the two orders.",
            ),
            (last, "That is what each adds after the other. It may come first as well; take the mean."),
            (
                (alone[0], last[1]),
                "That is one of two orders, the first before the second. Take the mean of both.",
            ),
            (
                (last[0], alone[1]),
                "That is one of two orders, the second before the first. Take the mean of both.",
            ),
            ((2 * want[0], 2 * want[1]), "There are two orders: divide by 2."),
            (want[::-1], "The first thing's share comes first."),
        ]
        values = [float(number(value, call)) for value in got]
        hint = hint_for(values, slips, 1e-9) or hint_for(
            values[:1], [((a[0],), words) for a, words in slips], 1e-9
        )
        if not hint and abs(sum(values) - (both - neither)) < 1e-9:
            hint = "They add up to the gain, but these are not the means over the two orders."
        for value, right in zip(values, want, strict=True):
            shown = ["(" + ", ".join(f"{one:g}" for one in pair) + ")" for pair in (values, want)]
            require(
                abs(value - right) < 1e-9,
                f"{call} gives {shown[0]}, but it should be {shown[1]}. {hint}".rstrip(),
            )
    return "Whatever the interaction is, the two shares add up to the whole gain."
