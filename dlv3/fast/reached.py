"""Leave out the taps that meet nothing but padding (section 3.3).

A 3-tap filter (u, v, w) at rate 2 on the two samples a, b, with two zeros of padding at each end, gives

    u 0 + v a + w 0,  u 0 + v b + w 0

which is the 1-tap filter (v). In general a tap that lies `rate * i` samples off the centre meets the map somewhere only
if that is less than the map's side. From a rate of the map's side on, a 3×3 filter is computed as the 1×1 filter that
it has become. The gradients agree too: they are zero for the taps that were left out.
"""

from collections.abc import Sequence

from torch import Tensor


def reached_taps(weight: Tensor, size: Sequence[int], rate: int) -> tuple[Tensor, tuple[int, int]]:
    """Return the part of a filter that meets a map, and the padding that this part needs to keep the map's size.

    Args:
        weight: (C_out, C_in, k, k), k odd.
        size: (H, W) of the map.
        rate: atrous rate.

    Returns:
        The weights, (C_out, C_in, k', k'') around the centre tap, and the padding along both axes. It is `weight`
        itself where every tap meets the map.
    """
    centre = weight.shape[2] // 2
    rows, columns = (min(centre, (side - 1) // rate) for side in size)  # reached on each side of the centre
    padding = (rows * rate, columns * rate)
    if rows == columns == centre:
        return weight, padding
    reached = weight[:, :, centre - rows : centre + rows + 1, centre - columns : centre + columns + 1]
    return reached, padding
