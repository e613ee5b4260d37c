"""Checks of lesson 03 on strides that turn into rates: a chain of layers, the first unit."""

from collections.abc import Callable
from typing import TypedDict

from dlv3.course.kit import answers
from dlv3.course.kit.exercises import Wrong, exercise, require, written


def strides_into_rates(
    strides: tuple[int, ...],
    output_stride: int,
    *,
    own: bool = False,
    late: bool = False,
    most: int = 10**6,
    factor: int | None = None,
) -> list[tuple[int, int]]:
    """Return the pair (stride, rate) of each layer; the options bring in the usual mistakes."""
    reached, rate, result = 1, 1, []
    for stride in strides:
        if (reached if late else reached * stride) <= output_stride:
            reached *= stride
            result.append((stride, rate))
        else:
            result.append((1, rate * stride if own else rate))
            rate = min(rate * (stride if factor is None or stride == 1 else factor), most)
    return result


class _Slip(TypedDict, total=False):
    """An option of `strides_into_rates`."""

    own: bool
    late: bool
    most: int
    factor: int


def _mistake(pairs: list[tuple[int, int]], strides: tuple[int, ...], output_stride: int) -> str:
    mistakes: dict[str, _Slip] = {
        "There is one stride too many: compare `output_stride` with what the stride would lead to, not with what "
        "is reached before it.": {"late": True},
        "The layer that loses its stride takes the doubled rate at once. But it reads the map from before its "
        "stride, where nothing has changed: double the rate for the layers after it.": {"own": True},
        "Rates multiply: after two lost strides of 2 the samples lie 4 times as close.": {"most": 2},
        "You double the rate whatever the stride was. A lost stride of 3 makes it three times as large.": {
            "factor": 2
        },
    }
    for message, options in mistakes.items():
        if pairs == strides_into_rates(strides, output_stride, **options):
            return message
    right = strides_into_rates(strides, output_stride)
    if pairs == [(rate, stride) for stride, rate in right]:
        return "Those are the right numbers the other way round: the stride comes first."
    if pairs == [(stride, 1) for stride, _ in right]:
        return "The strides are right. The layers after a lost one take the rate that it left."
    if strides[0] == output_stride and pairs[0][0] == 1:
        return "The product of the strides may be as large as `output_stride`: this stride can stay."
    return ""


@exercise("03/strides-and-rates", title="Strides into rates", difficulty=3, minutes=7, gives=answers.as_pairs)
def strides_and_rates(attempt: Callable[[tuple[int, ...], int], list[tuple[int, int]]]) -> str:
    cases = [((2, 1, 1), 1), ((2, 1, 1), 2), ((1, 2, 1, 2, 1), 1), ((2, 2, 1, 2, 1, 2, 1), 4)]
    others = [((2, 2, 1, 2, 1, 2, 1), 8), ((3, 1, 2, 1), 1), ((4, 1, 2, 1, 3, 1), 8)]
    for strides, output_stride in [*cases, *others]:
        want = strides_into_rates(strides, output_stride)
        call = written("strides_and_rates", (strides, output_stride))
        wanted = "a list of pairs, (stride, rate) for each layer"
        pairs = answers.pairs(attempt(strides, output_stride), call, wanted)
        require(
            len(pairs) == len(want),
            f"{call} gives {len(pairs)} pairs for {len(want)} layers: each needs one, even if its stride is lost.",
        )
        if pairs != want:
            hint = _mistake(pairs, strides, output_stride)
            raise Wrong(f"{call} gives {pairs}, but it should be {want}. {hint}".rstrip())
    return "This loop is all there is to the output stride: timm, torchvision and dlv3 all contain it in some form."


@exercise("03/first-unit", title="Which rate the first unit takes", difficulty=2, minutes=4)
def first_unit(attempt: dict[str, tuple[int, int]]) -> str:
    given = answers.entries(attempt, ("own", "before"))
    where = {
        "own": "B1 itself has the stride, so B1 reads the map from before it",
        "before": "A2 has the stride, so B1 already reads the map from after it",
    }
    for layout, right in (("own", (1, 2)), ("before", (2, 2))):
        wanted = "the rates of B1 and B2, such as (1, 1)"
        rates = answers.sequence(given[layout], f'`exact["{layout}"]`', wanted)
        require(
            len(rates) == 2,
            f'`exact["{layout}"]` has {len(rates)} rates. This network\'s block B has two units: {wanted}.',
        )
        require(
            rates == right,
            f"With the layout `{layout}` the rates {rates} are not exact: look at what "
            f'`gap("{layout}", {rates})` gives. {where[layout]}.',
        )
    return "There is one rule: a layer's rate is the product of the strides lost before it, not counting its own."
