"""Wrong answers to lesson 00's exercises, and what its checks must say to them."""

_COUNT = "def count_classes(mask):\n    {body}"
_MIOU = """
def miou(prediction, truth, num_classes):
    ious = []
    for c in range(num_classes):
        both = ((prediction == c) & (truth == c)).sum().item()
        either = ((prediction == c) | (truth == c)).sum().item()
        {append}
    {result}
"""


def _by_hand(zero: str, one: str, mean: str) -> str:
    return f'by_hand = {{"IOU of class 0": {zero}, "IOU of class 1": {one}, "mIOU": {mean}}}'


MISTAKES = {
    "00/logits-shape": [
        ("logits_shape = (8, 129, 129)", "The batch counts too"),
        ("logits_shape = (2, 3, 129, 129)", "a score for each class"),
        ("logits_shape = model.coarse_logits(images).shape", "before it is upsampled"),
        ("logits_shape = model(images).argmax(1).shape", "all eight scores are kept"),
        ("logits_shape = 4", "it should be four numbers"),
        ("logits_shape = model(images)", "Its shape is `.shape`"),
    ],
    "00/count-classes": [
        (_COUNT.format(body="return int(mask.max()) + 1"), "some may not occur"),
        (_COUNT.format(body="return len(mask.unique())"), "255 is not a class"),
        (_COUNT.format(body="return mask.numel()"), "That counts pixels"),
        (_COUNT.format(body="return len(mask.unique()) - 1"), "one too few"),
        (_COUNT.format(body="len(mask.unique())"), "Did you forget `return`?"),
        (
            "def count_classes(mask):\n    return len(torch.where(mask == 255, 0, mask).unique())",
            "Turned into 0 they",
        ),
        (
            "def count_classes(mask):\n    mask[mask == 255] = 0\n    return len(mask.unique())",
            "`count_classes` changes `mask`",
        ),
    ],
    "00/miou-by-hand": [
        (_by_hand("4 / 5", "2 / 4", "7 / 12"), "in *either*"),
        (_by_hand("4 / 6", "2 / 6", "7 / 12"), "counted twice"),
        (_by_hand("4 / 6", "2 / 4", "6 / 8"), "share of right pixels"),
        (_by_hand("4 / 6", "2 / 4", "0.6"), "Each class counts the same"),
        ("by_hand = 7 / 12", "Keep the dictionary"),
        ('by_hand = {"IOU of class 0": "4 / 6", "IOU of class 1": 1 / 2, "mIOU": 7 / 12}', "without quotes"),
    ],
    "00/miou": [
        (
            _MIOU.format(
                append="if c > 0 and either > 0: ious.append(both / either)",
                result="return sum(ious) / len(ious)",
            ),
            "the background, is missing",
        ),
        (
            _MIOU.format(
                append="ious.append(both / either if either else float('nan'))",
                result="return sum(ious) / num_classes",
            ),
            "with classes 3 and 4 in neither mask, is not a number",
        ),
        (
            "def miou(prediction, truth, num_classes):\n"
            "    return (prediction == truth).float().mean().item()",
            "share of right pixels",
        ),
        (
            _MIOU.format(
                append="ious.append(both / max(either, 1))", result="return sum(ious) / num_classes"
            ),
            "its union is empty",
        ),
        (
            _MIOU.format(
                append="ious.append(torch.tensor(both) / either)", result="return sum(ious) / num_classes"
            ),
            "divides 0 by 0",
        ),
        (
            _MIOU.format(append="if either: ious.append(both / either)", result="return sum(ious)"),
            "That is the sum",
        ),
        (
            _MIOU.format(append="ious.append(both / either)", result="return sum(ious) / len(ious)"),
            "ZeroDivisionError",
        ),
        (
            "def miou(prediction, truth, num_classes):\n    ious = []\n"
            "    for c in truth.unique():\n        p, t = prediction == c, truth == c\n"
            "        ious.append((p & t).sum() / (p | t).sum())\n"
            "    return sum(ious) / len(ious)",
            "A class that only the prediction has counts too",
        ),
        (
            "def miou(prediction, truth, num_classes):\n    return [0.5] * num_classes",
            "but it should be one number",
        ),
    ],
}
IGNORED_CELLS = {"machine": "it describes the machine that it runs on"}
