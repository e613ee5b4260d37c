"""Places of a picture's discs and markers: random, and such that no marker could be taken for another's."""

from collections.abc import Sequence
from dataclasses import dataclass

from dlv3.data.made.textures import CANONICAL_SIZE, RandomStream

SIZE = CANONICAL_SIZE  # 129 pixels, a map of 33×33 at output stride 4
CLASSES = ("red", "green", "blue", "yellow")
DIRECTIONS = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))

DISCS = 5  # the most in one picture
DISC_RADIUS = 7
MARKER_RADIUS = 3
# No disc and no marker touch: 2 pixels at least between a disc and a marker or another disc.
MARKER_GAP = DISC_RADIUS + MARKER_RADIUS + 2
DISC_GAP = 2 * DISC_RADIUS + 2
# The smallest distance of another disc's marker from the 8 places where a disc may have its own. A tap aimed at a
# place, from any of the disc's pixels (7 off) and through a window of 15 pixels (7 more), would see a marker (3) at 17.
CLEARANCE = 18
# From nearly touching to the far side of the picture.
DISTANCES = (MARKER_GAP, SIZE - 1 - DISC_RADIUS - MARKER_RADIUS)

Place = tuple[int, int]  # row, column


@dataclass(frozen=True)
class Disc:
    """A pale disc and the marker that tells its class."""

    place: Place
    """Its centre: row and column."""
    marker: Place
    """The centre of its marker; with "image", all discs share one."""
    label: int
    """The marker's colour, an index of CLASSES."""
    distance: int | None
    """The larger of the rows and the columns between the two; None with "image", which sets none."""


def with_own_markers(stream: RandomStream, distances: Sequence[int]) -> list[Disc] | None:
    """Draw discs with their markers at these distances; None if they do not fit after many tries."""
    discs: list[Disc] = []
    for distance in distances:
        for _ in range(60):
            disc = _random_disc(stream, distance)
            if all(_apart(disc, other) for other in discs):
                discs.append(disc)
                break
        else:
            return None
    return discs


def around_one_marker(stream: RandomStream) -> list[Disc]:
    """Draw one to five discs anywhere, and one marker for all of them."""
    row, column = (stream.between(MARKER_RADIUS, SIZE - 1 - MARKER_RADIUS) for _ in range(2))
    marker, label = (row, column), stream.below(len(CLASSES))
    discs: list[Disc] = []
    count = stream.between(1, DISCS)
    # Five discs and a marker always fit: they take a tenth of the picture.
    while len(discs) < count:
        place = (_within(stream, 0), _within(stream, 0))
        if chebyshev(place, marker) >= MARKER_GAP and all(
            chebyshev(place, other.place) >= DISC_GAP for other in discs
        ):
            discs.append(Disc(place, marker, label, None))
    return discs


def chebyshev(a: Place, b: Place) -> int:
    """Return the larger of the rows and the columns between two places."""
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))


def _random_disc(stream: RandomStream, distance: int) -> Disc:
    """Draw a disc and its marker, both whole in the picture, each direction equally likely."""
    step_y, step_x = stream.pick(DIRECTIONS)
    row, column = _within(stream, distance * step_y), _within(stream, distance * step_x)
    marker = (row + distance * step_y, column + distance * step_x)
    return Disc((row, column), marker, stream.below(len(CLASSES)), distance)


def _within(stream: RandomStream, offset: int) -> int:
    """Draw a disc's row, or column, such that its marker at `offset` is whole in the picture too."""
    low = max(DISC_RADIUS, MARKER_RADIUS - offset)
    return stream.between(low, min(SIZE - 1 - DISC_RADIUS, SIZE - 1 - MARKER_RADIUS - offset))


def _apart(a: Disc, b: Disc) -> bool:
    """Tell whether two discs do not touch and neither marker could be taken for the other's."""
    return (
        chebyshev(a.place, b.place) >= DISC_GAP
        and chebyshev(a.marker, b.marker) >= MARKER_GAP
        and not _could_be_of(a.marker, b)
        and not _could_be_of(b.marker, a)
    )


def _could_be_of(marker: Place, disc: Disc) -> bool:
    """Tell whether a marker lies near the disc or near one of the 8 places of the disc's own."""
    along = [abs(at - centre) for at, centre in zip(marker, disc.place, strict=True)]
    # Only discs at a set distance are compared.
    places = [0] if disc.distance is None else [0, disc.distance]
    return all(any(abs(apart - place) < CLEARANCE for place in places) for apart in along)
