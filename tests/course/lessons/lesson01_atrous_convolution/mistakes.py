"""Wrong answers to lesson 01's exercises, each with the words that must tell the learner what is wrong."""

IGNORED_CELLS: dict[str, str] = {}

_CONV1D = """
def atrous_conv1d(x, w, rate):
    outputs = len(x) - {room}
    return torch.stack([sum(x[{sample}] * w[{tap}] for k in range(len(w))) for i in range(outputs)])
"""

_CONV2D = """
def atrous_conv2d(images, weight, rate):
    k = weight.shape[-1]
    h, w = (side - {room} for side in images.shape[2:])
    total = 0
    for a in range(k):
        for b in range(k):
            piece = images[:, :, {rows} : {rows} + h, {columns} : {columns} + w]
            total = total + torch.einsum("oc,nchw->nohw", weight[:, :, {tap}], piece)
    return total
"""
_SPAN = "rate * (k - 1)"


def _conv1d(room="rate * (len(w) - 1)", sample="i + rate * k", tap="k"):
    return _CONV1D.format(room=room, sample=sample, tap=tap)


def _conv2d(room=_SPAN, rows="a * rate", columns="b * rate", tap="a, b"):
    return _CONV2D.format(room=room, rows=rows, columns=columns, tap=tap)


def _phases(body, size=_SPAN):
    return f"""
def atrous_by_phases(images, weight, rate):
    (N, _, H, W), (C, _, k, _) = images.shape, weight.shape
    output = torch.zeros(N, C, H - {size}, W - {size})
    for i in range(rate):
        for j in range(rate):
            {body}
    return output
"""


MISTAKES = {
    "01/by-hand": [
        ("y = [0, 6, 10, -2, 8, 8]", "That is rate 1"),
        ("y = [6, 10, -2, 8]", "is reversed"),
        ("y = [10, 2, 2, 12, 7, 2]", "how far can `i` go"),
        ("y = torch.tensor([10, 2, 3, 12])", "`y[2]` is not 3"),
        ("y = 10", "a list of numbers"),
    ],
    "01/equation": [
        (_conv1d(sample="i - rate * k"), "A minus looks back"),
        (_conv1d(room="len(w) + 1", sample="i + k"), "ignores the rate"),
        (_conv1d(sample="i + k"), "ignores the rate"),
        (_conv1d(tap="len(w) - 1 - k"), "is reversed"),
        (_conv1d(room="len(w) + 1"), "IndexError"),
        ("def atrous_conv1d(x, w, rate):\n    y = x[0]", "Did you forget `return`?"),
        (
            "def atrous_conv1d(x, w, rate):\n"
            "    return F.conv1d(x[None, None], w[None, None], stride=rate)[0, 0]",
            "apart, not the taps",
        ),
    ],
    "01/effective-kernel": [
        ("def effective_kernel(k, rate):\n    return k * rate", "no gap after the last tap"),
        ("def effective_kernel(k, rate):\n    return k + (k - 1) * rate", "at rate 1 the taps touch"),
        ("def effective_kernel(k, rate):\n    return (k - 1) * rate", "both ends"),
        ("def effective_kernel(k, rate):\n    return k + rate - 1", "counts one gap only"),
    ],
    "01/output-size": [
        (
            "def output_size(n, k, rate, stride):\n    return round((n - rate * (k - 1) - 1) / stride) + 1",
            "round down with `//`",
        ),
        ("def output_size(n, k, rate, stride):\n    return (n - k) // stride + 1", "rate is missing"),
        ("def output_size(n, k, rate, stride):\n    return n - rate * (k - 1)", "stride is missing"),
        (
            "def output_size(n, k, rate, stride):\n    return (n - rate * (k - 1) - 1) // stride",
            "one more start",
        ),
        (
            "def output_size(n, k, rate, stride):\n    return (n - rate * (k - 1) - 1) / stride + 1",
            "round down",
        ),
        ("def output_size(n, k, rate, stride):\n    return (n - rate * (k - 1)) // stride", "after that"),
    ],
    "01/slices": [
        (_conv2d(room="(k - 1)", rows="a", columns="b"), "ignores the rate"),
        (_conv2d(rows="b * rate", columns="a * rate"), "Rows and columns are swapped"),
        (_conv2d(tap="k - 1 - a, k - 1 - b"), "is reversed"),
        (_conv2d(room="k * (rate - 1)"), "RuntimeError"),
        (
            "def atrous_conv2d(images, weight, rate):\n    pad = rate * (weight.shape[-1] // 2)\n"
            "    return F.conv2d(images, weight, dilation=rate, padding=pad)",
            "padded with zeros",
        ),
        (
            "def atrous_conv2d(images, weight, rate):\n    k = weight.shape[-1]\n    e = rate * (k - 1)\n"
            "    h, w = images.shape[2] - e, images.shape[3] - e\n"
            "    return images[:, :, :h, :w]",
            "right shape, but",
        ),
    ],
    "01/phases": [
        ("atrous_by_phases = lambda x, w, rate: F.conv2d(x, w, dilation=rate)", "ordinary convolutions only"),
        ("atrous_by_phases = lambda x, w, rate: F.conv2d(x, w)", "ignores the rate"),
        (
            _phases("output[:, :, i::rate, j::rate] = F.conv2d(images[:, :, j::rate, i::rate], weight)"),
            "right shape, but",
        ),
        (
            _phases("output[:, :, 0::rate, 0::rate] = F.conv2d(images[:, :, 0::rate, 0::rate], weight)"),
            "right shape, but",
        ),
        (
            _phases(
                "output[:, :, i::rate, j::rate] = F.conv2d(images[:, :, i::rate, j::rate], weight)",
                "rate * k",
            ),
            "RuntimeError",
        ),
    ],
}
