"""Wrong answers to lesson 12's exercises, and what its checks must say to them."""

_MIRRORED = """
def mirrored(logits_of, images):
    a, b = logits_of(images), logits_of({flipped})
    return {result}
"""
_SCALES = """
def multi_scale(logits_of, images, scales):
    size, total = (images.shape[2], images.shape[3]), 0
    for scale in scales:
        logits = logits_of(resize_images(images, scaled_size(size, scale)))
        total = total + {view}
    return {result}
"""
_UP = "F.interpolate({what}, size=size, mode='bilinear', align_corners={align})"
_FOLD = """
def fold(weight, gamma, beta, mean, variance, eps):
    scale = {scale}
    return weight * {shaped}, {bias}
"""


def _mirror(result, flipped="images.flip(3)"):
    return _MIRRORED.format(result=result, flipped=flipped)


def _scaled(view, result="total / len(scales)"):
    return _SCALES.format(view=view, result=result)


def _up(what="logits", align=False):
    return _UP.format(what=what, align=align)


def _fold(
    scale="gamma / torch.sqrt(variance + eps)",
    bias="beta - mean * scale",
    shaped="scale[:, None, None, None]",
):
    return _FOLD.format(scale=scale, bias=bias, shaped=shaped)


_SOFT = "(F.softmax(a, 1) + F.softmax(b, 1){back}){half}"
_FRONT = """
def worth_it(ways):
    kept, best = [], float("-inf")
    for name in sorted(ways, key=lambda name: (ways[name][0], -ways[name][1])):
        if ways[name][1] >= best:
            kept.append(name)
            best = ways[name][1]
    return kept
"""


MISTAKES = {
    "12/mirrored": [
        (_mirror(_SOFT.format(back="", half=" / 2")), "mirrored the second answer back"),
        (_mirror("F.softmax((a + b.flip(3)) / 2, 1)"), "mean of the logits"),
        (_mirror("(a + b.flip(3)) / 2"), "These are logits"),
        (_mirror(_SOFT.format(back=".flip(3)", half="")), "sum of two views"),
        (_mirror(_SOFT.format(back=".flip(2)", half=" / 2"), "images.flip(2)"), "top to bottom"),
        (
            "def mirrored(logits_of, images):\n"
            "    a, b = logits_of(images), logits_of(images.flip(3))\n"
            "    return (F.softmax(a, 3) + F.softmax(b, 3).flip(3)) / 2",
            "The softmax runs over axis 3",
        ),
    ],
    "12/multi-scale": [
        (_scaled(_up("F.softmax(logits, 1)")), "upsample probabilities"),
        (_scaled(_up(), "F.softmax(total / len(scales), 1)"), "mean of the logits"),
        (_scaled(f"F.softmax({_up()}, 1)", "total"), "divide by the number of scales"),
        (_scaled(f"F.softmax({_up(align=True)}, 1)"), "moves each view"),
        (
            "def multi_scale(logits_of, images, scales):\n"
            "    size, total = (images.shape[2], images.shape[3]), 0\n"
            "    for scale in scales:\n"
            "        small = resize_images(images, (int(size[0] * scale), int(size[1] * scale)))\n"
            "        logits = F.interpolate(logits_of(small), size=size, mode='bilinear', align_corners=False)\n"
            "        total = total + F.softmax(logits, 1)\n    return total / len(scales)",
            "You round sizes down",
        ),
        (
            "def multi_scale(logits_of, images, scales):\n"
            "    size, total = (images.shape[2], images.shape[3]), 0\n"
            "    for scale in scales:\n"
            "        total = total + F.softmax(logits_of(resize_images(images, scaled_size(size, scale))), 1)\n"
            "    return total / len(scales)",
            "upsample it to the pictures' own",
        ),
        (
            "def multi_scale(logits_of, images, scales):\n"
            "    size, total = (images.shape[2], images.shape[3]), 0\n"
            "    for scale in scales:\n"
            "        small = F.interpolate(images, size=scaled_size(size, scale), mode='bilinear')\n"
            "        logits = F.interpolate(logits_of(small), size=size, mode='bilinear', align_corners=False)\n"
            "        total = total + F.softmax(logits, 1)\n    return total / len(scales)",
            "smooths first",
        ),
    ],
    "12/fold": [
        (_fold(shaped="scale[None, :, None, None]"), "*input* channels"),
        (_fold("gamma / (variance + eps)"), "standard deviation"),
        (_fold("gamma / torch.sqrt(variance)"), "`eps` is missing"),
        (_fold("1 / torch.sqrt(variance + eps)"), "`gamma` is missing"),
        (_fold(bias="beta"), "running mean is missing"),
        (_fold(bias="beta - mean"), "passes through the scale"),
        (_fold(bias="beta + mean * scale"), "*subtracted*"),
        (_fold(bias="(beta - mean) * scale"), "not scaled"),
        (
            "def fold(weight, gamma, beta, mean, variance, eps):\n"
            "    scale = gamma / torch.sqrt(variance + eps)\n"
            "    weight *= scale[:, None, None, None]\n    return weight, beta - mean * scale",
            "`fold` changes `weight`",
        ),
    ],
    "12/worth-it": [
        ("def worth_it(ways):\n    return [max(ways, key=lambda n: ways[n][1])]", "worth its price too"),
        ("def worth_it(ways):\n    return sorted(ways, key=lambda n: ways[n][0])", "do not score more"),
        ("def worth_it(ways):\n    return set(ways)", "has no order"),
        (_FRONT, "only as high"),
    ],
}
IGNORED_CELLS = {"seconds": "times differ from machine to machine"}
