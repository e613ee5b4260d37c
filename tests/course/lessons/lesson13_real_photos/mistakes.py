"""Wrong answers to lesson 13's exercises, and what its checks must say to them."""

_PROBLEMS = """
def find_problems(root, allowed):
    found = {{}}
    for path in (root / "images").iterdir():
        mask = root / "masks" / {mask}
        if {missing}:
            found[{name}] = "no mask"
            continue
        values = np.asarray({opened})
        if values.ndim != 2:
            found[{name}] = "channels"
        elif {size}:
            found[{name}] = "size"
        elif {label}:
            found[{name}] = "label"
    return found
"""
_RIGHT_PROBLEMS = {
    "mask": 'f"{path.stem}.png"',
    "missing": "not mask.exists()",
    "name": "path.stem",
    "opened": "Image.open(mask)",
    "size": "values.shape[::-1] != Image.open(path).size",
    "label": "not set(np.unique(values).tolist()) <= allowed",
}
_PAD = """
def pad(image, labels, side, label):
    height, width = labels.shape
    return {image}, {labels}
"""
_IMAGE = "F.pad(image, (0, side - width, 0, side - height))"
_LABELS = "F.pad(labels, (0, side - width, 0, side - height), value=label)"


def _problems(**changes: str) -> str:
    return _PROBLEMS.format(**(_RIGHT_PROBLEMS | changes))


def _remap(body: str) -> str:
    return f"def remap(numbers, table):\n    {body}"


def _pad(image: str = _IMAGE, labels: str = _LABELS) -> str:
    return _PAD.format(image=image, labels=labels)


def _hours(formula: str) -> str:
    return f"def gpu_hours(multiply_adds, batch, iterations, teraflops):\n    return {formula}"


MISTAKES = {
    "13/problems": [
        (_problems(missing="False"), "ask `mask.exists()`"),
        (_problems(name="path.name"), "report it by its stem"),
        (_problems(mask="path.name"), "the picture's stem"),
        (_problems(label="not set(np.unique(values).tolist()) < allowed"), "may hold each of them"),
        (_problems(mask='path.name.replace(".jpg", ".png")'), "compare the stems"),
        (_problems(opened='Image.open(mask).convert("L")'), "turns them into greys"),
        (_problems(size="values.shape != Image.open(path).size"), "Pillow's `size` (width, height)"),
        (_problems(size="values.size != np.prod(Image.open(path).size)"), "`turned` is not reported"),
        (_problems(size="False"), "has another size"),
        (_problems(label="False"), "holds a number that is not allowed"),
        (_problems(label="values.max() > 2"), "all numbers of its mask are allowed"),
        (
            "def find_problems(root, allowed):\n"
            "    return [path.stem for path in (root / 'images').iterdir()]",
            "return a dictionary",
        ),
    ],
    "13/remap": [
        (
            _remap(
                "mask = numbers.copy()\n    for old, new in table.items():\n        mask[mask == old] = new\n"
                "    mask[~np.isin(numbers, list(table))] = 255\n    return mask"
            ),
            "read from the mask as it came",
        ),
        (
            _remap(
                "mask = numbers * 0\n    for old, new in table.items():\n        mask[numbers == old] = new\n"
                "    return mask"
            ),
            "They are not a class: write 255",
        ),
        (
            _remap(
                "mask = numbers.copy()\n    for old, new in table.items():\n"
                "        mask[numbers == old] = new\n"
                "    return mask"
            ),
            "Numbers that are not in the table became [99]",
        ),
        (
            _remap(
                "mask = np.full_like(numbers, 255)\n    for old, new in table.items():\n"
                "        mask[numbers == old] = new\n    numbers[:] = mask\n    return numbers"
            ),
            "`remap` changes `numbers`",
        ),
        (_remap("return np.vectorize(lambda n: table.get(n, 255))(numbers)"), "a mask file holds bytes"),
        (_remap("return [[table.get(int(n), 255) for n in row] for row in numbers]"), "should be an array"),
    ],
    "13/pad": [
        (_pad(labels="F.pad(labels, (0, side - width, 0, side - height))"), "claims to be background"),
        (_pad(labels="F.pad(labels, (0, side - width, 0, side - height), value=255)"), "Fill with `label`"),
        (_pad(image=_IMAGE[:-1] + ", value=label)"), "the mean colour is 0"),
        (_pad(image="F.pad(image, (side - width, 0, side - height, 0))"), "stays at the top left"),
        (_pad(image="F.pad(image, (0, side - height, 0, side - width))"), "Width and height are mixed up"),
        (_pad(image=_IMAGE, labels="labels"), "should be (6, 6)"),
        (_pad(labels=_LABELS + ".float()"), "wants int64"),
    ],
    "13/gpu-hours": [
        (_hours("multiply_adds * 3 * batch * iterations / teraflops / 1e12 / 3600"), "is two operations"),
        (
            _hours("multiply_adds * 2 * batch * iterations / teraflops / 1e12 / 3600"),
            "the forward pass alone",
        ),
        (_hours("multiply_adds * batch * iterations / teraflops / 1e12 / 3600"), "as one operation"),
        (_hours("multiply_adds * 6 * batch * iterations / teraflops / 1e12"), "in seconds"),
        (_hours("multiply_adds * 6 * batch * iterations / teraflops / 1e9 / 3600"), "a teraflop for 10^9"),
        (_hours("multiply_adds * 6 * iterations / teraflops / 1e12 / 3600"), "a batch has `batch` of them"),
    ],
}
IGNORED_CELLS = {
    "train": "loss and pictures a second differ from machine to machine",
    "evaluate": "scores of a training's last digits, and seconds",
    "explorer": "its sentence gives the share of right pixels to the percent",
}
