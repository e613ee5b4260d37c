"""Wrong answers to lesson 11's exercises, and what its checks must say to them."""

_STRETCHED = """
def stretched_truth(labels, output_stride, num_classes):
    size = [{rounded} for side in labels.shape[1:]]
    sampled = F.interpolate(labels[:, None].float(), size=size, mode="{mode}")[:, 0].long()
    maps = F.one_hot(sampled, num_classes).permute(0, 3, 1, 2).float()
    return {back}
"""
_FAR = """
def how_far(mask):
    places = mask.nonzero()
    first, last = places.amin(0), places.amax(0)
    return {}
"""
_REACH = """
def score_by_reach(seen, classes):
    right = {right}
    iou = {iou}
    return {mean}
"""
_CREDIT = """
def credit(row, plain, control):
    rates = difference([row[s] - {below}[s] for s in row]).{end} > 0
    weights = difference([control[s] - plain[s] for s in row]).{end} > 0
    {words}
"""


def _stretched(
    rounded: str = "-(-side // output_stride)",
    mode: str = "nearest-exact",
    back: str = "upsample(maps, labels.shape[1:]).argmax(1)",
) -> str:
    return _STRETCHED.format(rounded=rounded, mode=mode, back=back)


def _reach(
    right: str = "seen + (1 - seen) / classes",
    iou: str = "right / (2 - right)",
    mean: str = "(1 + classes * iou) / (classes + 1)",
) -> str:
    return _REACH.format(right=right, iou=iou, mean=mean)


def _credit(
    below: str = "control",
    end: str = "low",
    words: str = "return 'both' if rates and weights else 'rates' if rates else 'weights' if weights else 'open'",
) -> str:
    return _CREDIT.format(below=below, end=end, words=words)


MISTAKES = {
    "11/stretched-truth": [
        (_stretched(back="upsample(maps, labels.shape[1:])"), "take the `argmax`"),
        (_stretched(mode="nearest"), "rounds down"),
        (_stretched(rounded="side // output_stride"), "round up"),
        (_stretched(back="F.interpolate(maps, size=labels.shape[1:]).argmax(1)"), "bilinearly"),
        (
            _stretched(
                back='F.interpolate(maps, size=labels.shape[1:], mode="bilinear", align_corners=True).argmax(1)'
            ),
            "corners are not aligned",
        ),
        (
            _stretched(
                back='F.interpolate(sampled[:, None].float(), size=labels.shape[1:], mode="bilinear")[:, 0].round()'
            ),
            "is not class 2",
        ),
        (
            "def stretched_truth(labels, output_stride, num_classes):\n"
            "    maps = F.one_hot(labels[:, ::output_stride, ::output_stride], num_classes)\n"
            "    return upsample(maps.permute(0, 3, 1, 2).float(), labels.shape[1:]).argmax(1)",
            "not `[::stride]`",
        ),
        (_stretched(back="maps.argmax(1)"), "has the shape"),
    ],
    "11/how-far": [
        (_FAR.format("torch.maximum(places - first, last - places).amin(1)"), "Take the larger one"),
        (_FAR.format("torch.maximum(places - first, last - places).sum(1)"), "not their sum"),
        (_FAR.format("torch.maximum(places - first, last - places)"), "one number for each pixel"),
        (_FAR.format("torch.maximum(places - first, last - places)[:, 0]"), "rows alone"),
        (_FAR.format("torch.minimum(places - first, last - places).amax(1)"), "nearer side"),
        (_FAR.format("(places - first).amax(1)"), "up and left only"),
        (_FAR.format("(places - (first + last) / 2).abs().amax(1)"), "not to its middle"),
        (_FAR.format("torch.maximum(places - first, last - places).double().norm(dim=1)"), "not a disc"),
        (_FAR.format("torch.maximum(places - first, last - places).amax()"), "one number for each pixel"),
    ],
    "11/by-reach": [
        (_reach(right="seen"), "A guess is right"),
        (_reach(iou="right"), "not an IOU"),
        (_reach(mean="iou"), "the mean with the ground's"),
        (_reach(mean="(1 + classes * iou) / classes"), "divide by classes + 1"),
        (_reach(mean="classes * iou / (classes + 1)"), "its IOU is 1"),
        (_reach(mean="100 * (1 + classes * iou) / (classes + 1)"), "from 0 to 1"),
        (_reach(mean="(1 + iou) / 2"), "weigh them"),
    ],
    "11/credit": [
        (_credit(below="plain"), "it should be 'weights'"),
        (_credit(end="mean"), "should be"),
        (
            _credit(words="return 'rates' if rates else 'weights' if weights else 'open'"),
            "it should be 'both'",
        ),
        (
            _credit(words="return 'weights' if weights else 'rates' if rates else 'open'"),
            "it should be 'both'",
        ),
        (_credit(words="return rates, weights"), "should be one of"),
        (
            "def credit(row, plain, control):\n"
            "    rates = difference([a - b for a, b in zip(row.values(), control.values())]).low > 0\n"
            "    weights = difference([a - b for a, b in zip(control.values(), plain.values())]).low > 0\n"
            "    return 'both' if rates and weights else 'rates' if rates else 'weights' if weights else 'open'",
            "it should be 'rates'",
        ),
    ],
}
IGNORED_CELLS: dict[str, str] = {}
