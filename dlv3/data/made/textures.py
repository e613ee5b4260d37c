"""Random draws, colours and textures of the made pictures, in integers only.

The pictures must be equal to the last byte on every machine, so that scores recorded on one can be compared with those
of another. Three rules ensure it:

- the random numbers are the raw 64-bit output of PCG64, which NumPy promises never to change (the methods
  of `Generator`, such as `normal`, may change between versions);
- positions, lengths and colours are integers: lengths in 1/64 of a pixel of the 129-pixel picture (`UNIT`),
  angles in 1/1024 of a turn, looked up in a table of rounded sines;
- where a square root is needed, its argument is an integer below 2^53, and IEEE 754 rounds the root correctly
  on every processor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")

UNIT = 64  # steps to a pixel of the 129-pixel picture
CANONICAL_SIZE = 129  # side, in pixels, of the picture all lengths refer to
TURN = 1024  # steps to a full turn
SINE_SCALE = 4096

TEXTURES = ("grating", "checks", "noise")  # the bank all objects and grounds are filled from

# 4096·sin, one entry for each angle. No entry lies near a rounding tie (tests check it), so that a last-bit
# difference between C libraries cannot change it.
SINE = tuple(round(SINE_SCALE * math.sin(2 * math.pi * k / TURN)) for k in range(TURN))
_WAVE = np.array([128 + round(127 * math.sin(2 * math.pi * k / 256)) for k in range(256)], dtype=np.int32)
# 256·(3t² − 2t³) for t = k/256, rounded.
_SMOOTH_STEP = np.array([(3 * 256 * k**2 - 2 * k**3 + (1 << 15)) >> 16 for k in range(256)], dtype=np.int32)

Colour = tuple[int, int, int]


def sine(angle: int) -> int:
    """Return 4096 times the sine of `angle` (in 1/1024 of a turn), rounded."""
    return SINE[angle % TURN]


def cosine(angle: int) -> int:
    """Return 4096 times the cosine of `angle` (in 1/1024 of a turn), rounded."""
    return SINE[(angle + TURN // 4) % TURN]


class RandomStream:
    """Integers drawn from the raw output of PCG64: the same on every machine and for every NumPy version."""

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def below(self, limit: int) -> int:
        """Draw an integer from 0 to `limit - 1`."""
        return ((int(self._bits.random_raw()) >> 32) * limit) >> 32

    def between(self, low: int, high: int) -> int:
        """Draw an integer from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, items: Sequence[T]) -> T:
        """Draw one of `items`."""
        return items[self.below(len(items))]

    def bytes(self, count: int) -> np.ndarray:
        """Draw `count` integers from 0 to 255, as (count,) uint8."""
        words = self._bits.random_raw(-(-count // 8))
        # Little-endian on every machine.
        octets: np.ndarray = words.astype("<u8").view(np.uint8)
        return octets[:count]


def colour(hue: int, saturation: int, value: int) -> Colour:
    """Return RGB (0 to 255) of a hue in 0..1535 (six ramps of 256), a saturation and a value in 0..255."""
    ramp, step = divmod(hue % 1536, 256)
    pure = (
        (255, step, 0),
        (255 - step, 255, 0),
        (0, 255, step),
        (0, 255 - step, 255),
        (step, 0, 255),
        (255, 0, 255 - step),
    )[ramp]
    red, green, blue = (value * (255 - saturation * (255 - channel) // 255) // 255 for channel in pure)
    return red, green, blue


def lattice(stream: RandomStream, cell: int) -> np.ndarray:
    """Draw random bytes at the corners of square cells of side `cell` (in 1/64 px) that cover the picture."""
    side = CANONICAL_SIZE * UNIT // cell + 2
    return stream.bytes(side * side).reshape(side, side)


def smooth_noise(corners: np.ndarray, cell: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Value noise interpolates the corners' bytes smoothly.

    Args:
        corners: (side, side) uint8 from `lattice`.
        cell: side of a cell, in 1/64 px.
        x: (W,) and y: (H,) positions, in 1/64 px.

    Returns:
        (H, W) int32, 0 to 255.
    """
    column, row = x // cell, y // cell
    weight_x = _SMOOTH_STEP[(x - column * cell) * 256 // cell]  # (W,)
    weight_y = _SMOOTH_STEP[(y - row * cell) * 256 // cell][:, None]  # (H, 1)
    corners = corners.astype(np.int32)
    # Along x first, on the few rows of the lattice, then along y.
    across = (corners[:, column] * (256 - weight_x) + corners[:, column + 1] * weight_x) >> 8  # (side, W)
    noise: np.ndarray = (across[row] * (256 - weight_y) + across[row + 1] * weight_y) >> 8  # (H, W)
    return noise


@dataclass(frozen=True)
class Fill:
    """A texture between two colours. It is drawn before the object is known, so it says nothing about the class."""

    texture: str  # one of TEXTURES, or "stripes" (the strip alone)
    period: int  # of stripes, grating and checks; the noise's cells are half as long. In 1/64 px
    angle: int  # in 1/1024 of a turn
    phase: int
    corners: np.ndarray | None  # the noise's random bytes
    first: Colour
    second: Colour

    def paint(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the colours at positions x (W,) and y (H,), in 1/64 px: (3, H, W) int32, 0 to 255."""
        mix = self._mix(x, y)  # (H, W), 0 to 255
        first = np.array(self.first, np.int32)[:, None, None]
        second = np.array(self.second, np.int32)[:, None, None]
        colours: np.ndarray = first + ((second - first) * mix >> 8)  # (3, H, W)
        return colours

    def _mix(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if self.corners is not None:
            return smooth_noise(self.corners, self.period // 2, x, y)
        # Phases count 2^20 to a period; they stay below 2^27 in the largest picture.
        along = _steps(self.period, cosine(self.angle), x) + _steps(self.period, sine(self.angle), y)[:, None]
        along += self.phase
        mix: np.ndarray
        if self.texture == "grating":
            mix = _WAVE[(along >> 12) & 255]
            return mix
        if self.texture == "stripes":
            mix = ((along >> 19) & 1) * 255
            return mix
        across = _steps(self.period, cosine(self.angle), y)[:, None] - _steps(
            self.period, sine(self.angle), x
        )
        mix = (((along ^ across) >> 19) & 1) * 255
        return mix


def _steps(period: int, direction: int, position: np.ndarray) -> np.ndarray:
    steps: np.ndarray = direction * 256 // period * position
    return steps


def object_fill(stream: RandomStream) -> Fill:
    """Draw a saturated fill for an object of any class."""
    hue = stream.below(1536)
    first = colour(hue, stream.between(190, 255), stream.between(215, 255))
    second = colour(hue + stream.between(-120, 120), stream.between(190, 255), stream.between(110, 160))
    return _fill(stream, first, second)


def background_fill(stream: RandomStream) -> Fill:
    """Draw a dull, dark fill from the same bank of textures."""
    hue = stream.below(1536)
    first = colour(hue, stream.between(20, 80), stream.between(68, 92))
    second = colour(hue + stream.between(-120, 120), stream.between(20, 80), stream.between(28, 46))
    return _fill(stream, first, second)


def _fill(stream: RandomStream, first: Colour, second: Colour) -> Fill:
    texture = stream.pick(TEXTURES)
    period = stream.between(5 * UNIT, 12 * UNIT)
    angle, phase = stream.below(TURN), stream.below(1 << 20)
    corners = lattice(stream, period // 2) if texture == "noise" else None
    return Fill(texture, period, angle, phase, corners, first, second)
