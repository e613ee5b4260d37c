"""Random numbers, tables and colours: the same on every machine."""

import math

import numpy as np

from dlv3.data.made.scenes import RADII
from dlv3.data.made.textures import SINE, SINE_SCALE, TURN, UNIT, RandomStream, colour


def test_no_table_entry_is_so_near_a_tie_that_a_c_library_could_round_it_otherwise():
    exact = [SINE_SCALE * math.sin(math.tau * k / TURN) for k in range(TURN)]
    exact += [127 * math.sin(math.tau * k / 256) for k in range(256)]
    exact += [5 * UNIT * 8 ** (k / 256) for k in range(257)]
    assert min(abs(value % 1 - 0.5) for value in exact) > 1e-6
    assert (len(SINE), len(RADII)) == (TURN, 257)


def test_random_stream_is_pcg64_as_published():
    """Against O'Neill's PCG64 (XSL-RR 128/64), written out, from the same start."""
    start = np.random.PCG64(np.random.SeedSequence([3, 1, 4])).state["state"]
    state, stream = start["state"], RandomStream(3, 1, 4)
    for limit in (2, 7, 1536, 1 << 20):
        state = (state * 47026247687942121848144207491837523525 + start["inc"]) % (1 << 128)
        folded, turn = (state >> 64) ^ (state & (1 << 64) - 1), state >> 122
        word = (folded >> turn | folded << (64 - turn)) & (1 << 64) - 1
        assert stream.below(limit) == (word >> 32) * limit >> 32


def test_stream_gives_every_number_of_a_range_equally_often():
    stream = RandomStream(0)
    counts = np.bincount([stream.between(3, 8) for _ in range(6000)], minlength=9)
    assert counts[:3].sum() == 0
    assert ((counts[3:] > 880) & (counts[3:] < 1120)).all()  # four standard deviations


def test_colour_turns_hue_saturation_and_value_into_rgb():
    assert [colour(h, 255, 255) for h in (0, 256, 512, 768, 1024, 1280)] == [
        (255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255),
    ]  # fmt: skip
    assert colour(100, 0, 80) == (80, 80, 80)
    assert colour(-1, 255, 255) == colour(1535, 255, 255)
