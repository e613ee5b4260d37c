"""Wrong answers to lesson 03's exercises, and what its checks must say to them."""

_TRUTH = """
def upsampled_truth(masks, stride, num_classes):
    {body}
"""
_ONE_HOT = "F.one_hot(masks[:, ::stride, ::stride], num_classes).permute(0, 3, 1, 2).float()"
_LOOP = """
def strides_and_rates(strides, output_stride):
    reached, rate, result = 1, 1, []
    for stride in strides:
        if {keep} <= output_stride:
            reached *= stride
            result.append((stride, rate))
        else:
            {lose}
    return result
"""
_LOSE = "result.append((1, rate)); rate *= stride"


def _truth(body: str) -> str:
    return _TRUTH.format(body=body)


def _cost(formula: str) -> str:
    return f"def multiply_adds(kernel_size, rate, channels_in, channels_out, side):\n    return {formula}"


MISTAKES = {
    "03/map-side": [
        ("def map_side(size, output_stride):\n    return size // output_stride", "rounded down"),
        ("def map_side(size, output_stride):\n    return size / output_stride", "whole number of samples"),
        ("def map_side(size, output_stride):\n    return size // output_stride + 1", "one too many"),
        ("def map_side(size, output_stride):\n    return (size - 1) / output_stride + 1", "with `//`"),
        (
            "def map_side(size, output_stride):\n    return ((size - 1) // output_stride + 1) ** 2",
            "Give its side",
        ),
    ],
    "03/upsampled-truth": [
        (
            _truth(
                f"x = F.interpolate({_ONE_HOT}, size=masks.shape[1:], mode='bilinear', align_corners=True); "
                "return x.argmax(-1)"
            ),
            "over the classes, axis 1",
        ),
        (_truth("return masks"), "Sample them first"),
        (_truth("return masks[:, ::stride, ::stride]"), "own height and width"),
        (
            _truth(f"return F.interpolate({_ONE_HOT}, size=masks.shape[1:], mode='bilinear')"),
            "`.argmax(1)`",
        ),
        (
            _truth(f"return F.interpolate({_ONE_HOT}, size=masks.shape[1:], mode='bilinear').argmax(1)"),
            "half a cell off",
        ),
        (_truth(f"return F.interpolate({_ONE_HOT}, size=masks.shape[1:]).argmax(1)"), "mode='bilinear'"),
        (
            _truth(
                "x = masks[:, None, ::stride, ::stride].float(); "
                "x = F.interpolate(x, size=masks.shape[1:], mode='bilinear', align_corners=True); "
                "return x[:, 0].round().long()"
            ),
            "interpolate the classes' numbers",
        ),
        (_truth("masks[:, ::stride, ::stride]"), "Did you forget `return`?"),
        (
            "def upsampled_truth(masks, stride, num_classes):\n"
            "    scores = F.one_hot(masks[:, ::stride, ::stride], num_classes).permute(0, 3, 1, 2)\n"
            "    return F.interpolate(scores, size=masks.shape[1:], mode='bilinear', align_corners=True).argmax(1)",
            "make the maps floats with `.float()`",
        ),
        (
            "def upsampled_truth(masks, stride, num_classes):\n"
            "    scores = F.one_hot(masks[:, ::8, ::8], num_classes).permute(0, 3, 1, 2).float()\n"
            "    return F.interpolate(scores, size=masks.shape[1:], mode='bilinear', align_corners=True).argmax(1)",
            "The shape is right, the labels are not",
        ),
    ],
    "03/strides-and-rates": [
        (_LOOP.format(keep="1 + reached * stride", lose=_LOSE), "may be as large as `output_stride`"),
        (_LOOP.format(keep="reached * stride", lose="result.append((1, 1))"), "take the rate that it left"),
        (
            _LOOP.format(keep="reached * stride", lose=_LOSE).replace(
                "return result", "return [(rate, stride) for stride, rate in result]"
            ),
            "the stride comes first",
        ),
        (
            _LOOP.format(keep="reached * stride", lose="rate *= stride; result.append((1, rate))"),
            "from before its stride",
        ),
        (_LOOP.format(keep="reached", lose=_LOSE), "one stride too many"),
        (_LOOP.format(keep="reached * stride", lose="result.append((1, rate)); rate = 2"), "Rates multiply"),
        (_LOOP.format(keep="reached * stride", lose="rate *= stride"), "2 pairs for 3 layers"),
        (
            "def strides_and_rates(strides, output_stride):\n"
            "    reached, rate, result = 1, 1, []\n    for stride in strides:\n"
            "        if reached * stride <= output_stride:\n            reached *= stride\n"
            "            result.append((stride, rate))\n        else:\n"
            "            result.append((1, rate))\n            rate *= 2 if stride > 1 else 1\n"
            "    return result",
            "You double the rate whatever the stride was",
        ),
        ("def strides_and_rates(strides, output_stride):\n    return list(strides)", "a list of pairs"),
    ],
    "03/first-unit": [
        ('exact = {"own": (1, 2, 2), "before": (2, 2, 2)}', "has two units"),
        ('exact = {"own": (2, 2), "before": (2, 2)}', "from before it"),
        ('exact = {"own": (1, 2), "before": (1, 2)}', "from after it"),
        ("exact = (1, 2)", "Keep the dictionary"),
    ],
    "03/multiply-adds": [
        (_cost("kernel_size * channels_in * channels_out * side**2"), "k² taps"),
        (_cost("kernel_size**2 * rate * channels_in * channels_out * side**2"), "It adds none"),
        (_cost("kernel_size**2 * channels_out * side**2"), "both numbers are factors"),
        (_cost("kernel_size**2 * (channels_in + channels_out) * side**2"), "multiply the two"),
        (
            _cost("kernel_size**2 * channels_in * channels_out * (side - kernel_size + 1)**2"),
            "side of the output already",
        ),
        (_cost("kernel_size**2 * channels_in * channels_out"), "number of weights"),
        (_cost("2 * kernel_size**2 * channels_in * channels_out * side**2"), "twice too much"),
        (
            _cost("(kernel_size + (kernel_size - 1) * (rate - 1))**2 * channels_in * channels_out * side**2"),
            "nothing is multiplied",
        ),
        (_cost("kernel_size**2 * channels_in * channels_out * side"), "two axes"),
    ],
}
IGNORED_CELLS: dict[str, str] = {}
