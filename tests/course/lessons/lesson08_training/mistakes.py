"""Wrong answers to lesson 08's exercises, and what its checks must say to them."""

_LOSS = """
def masked_loss(logits, labels):
    kept = labels != 255
    target = torch.where(kept, labels, 0)
    log_p = {log_p}.gather(1, target[:, None])[:, 0]
    return {result}
"""
_LOG_P = "F.log_softmax(logits, 1)"
_RIGHT_LOSS = "-(log_p * kept).sum() / kept.sum().clamp(min=1)"
_FROZEN = """
class FrozenDeepLabV3(DeepLabV3):
    def __init__(self, config):
        super().__init__(config)
        for module in self.modules():
            {init}

    def train(self, mode=True):
        {train}
"""
_BN = "isinstance(module, nn.BatchNorm2d)"
_HELD = f"{_BN} and module.requires_grad_(False)"
_EVAL = f"[module.eval() for module in self.modules() if {_BN}]"
_LOOP = """
def train(model, optimizer, batches, schedule, after):
    {before}
    for i, (images, labels) in enumerate(batches):
        {update}
        after(i, {loss})
"""
_TRAIN, _SET = (
    "model.train(); ",
    "[group.update(lr=schedule(i)) for group in optimizer.param_groups]; ",
)
_STEP = "loss = loss_of(model(images), labels); optimizer.zero_grad(); loss.backward(); optimizer.step()"


def _rate(formula: str) -> str:
    return f"def learning_rate(iteration, iterations, base, warmup=0):\n    return {formula}"


def _loss(result: str = _RIGHT_LOSS, log_p: str = _LOG_P) -> str:
    return _LOSS.format(log_p=log_p, result=result)


def _frozen(train: str, init: str = _HELD) -> str:
    return _FROZEN.format(init=init, train=train)


def _loop(update: str, before: str = "pass", loss: str = "loss.item()") -> str:
    return _LOOP.format(update=update, before=before, loss=loss)


def _copies(body: str) -> str:
    return f"def bootstrap(classes_in, hard, copies):\n    {body}"


_POLY = "base * (1 - iteration / iterations) ** 0.9"
_WARM = "(min(1, (iteration + 1) / warmup) if warmup else 1)"
_ANY = "found = [i for i, classes in enumerate(classes_in) if classes & hard]; "

MISTAKES = {
    "08/learning-rate": [
        (_rate(_POLY), "The warm-up is missing"),
        (_rate(f"base * (1 - iteration / iterations) * {_WARM}"), "straight line"),
        (_rate(f"base * (1 - (iteration / iterations) ** 0.9) * {_WARM}"), "The power belongs outside"),
        (_rate(f"{_POLY} / base * {_WARM}"), "Multiply it by `base`"),
        (_rate(f"{_POLY} * min(1, (iteration + 1) / warmup)"), "a warm-up of 0 iterations means none"),
        (_rate(f"{_POLY} * (min(1, iteration / warmup) if warmup else 1)"), "Count the warm-up from 1"),
        (_rate(f"{_POLY} * ((iteration + 1) / warmup if warmup else 1)"), "stays 1"),
    ],
    "08/masked-loss": [
        (_loss("-(log_p * kept).mean()"), "divide by all pixels"),
        (_loss("-(log_p * kept).sum()"), "That is the sum"),
        (_loss("-log_p.mean()"), "trained on as class 0"),
        (_loss("-log_p.sum() / kept.sum()"), "multiply by the mask"),
        (_loss("(log_p * kept).sum() / kept.sum()"), "The sign is wrong"),
        (_loss("-(log_p * kept).sum() / kept.sum()"), "0 / 0"),
        (_loss(log_p="(logits.exp() / logits.exp().sum(1, keepdim=True)).log()"), "logits near 1000"),
        (_loss("(-(log_p * kept).sum((1, 2)) / kept.sum((1, 2))).mean()"), "mean of the pictures' losses"),
        (_loss(f"({_RIGHT_LOSS}).detach()"), "lost its gradient"),
        (

            "def masked_loss(logits, labels):\n"
            "    p = F.log_softmax(logits, 1).gather(1, labels[:, None])[:, 0]\n"
            "    return -p[labels != 255].mean()",
            "A label of 255 is not the number of a class",
        ),
        (
            "def masked_loss(logits, labels):\n"
            "    return F.cross_entropy(logits, labels, ignore_index=255)", "0 / 0"),
        (
            "def masked_loss(logits, labels):\n    kept = labels != 255\n"
            "    target = torch.where(kept, labels, 0)\n"
            "    log_p = F.log_softmax(logits, 2).gather(1, target[:, None])[:, 0]\n"
            "    return -(log_p * kept).sum() / kept.sum().clamp(min=1)",
            "The softmax runs over axis 2",
        ),
        (
            "def masked_loss(logits, labels):\n    kept = labels != 255\n"
            "    labels[~kept] = 0\n"
            "    return (F.cross_entropy(logits, labels, reduction='none') * kept).sum() / kept.sum().clamp(min=1)",
            "`masked_loss` changes `labels`",
        ),
    ],
    "08/freeze": [
        (_frozen("super().train(mode); return self"), "averages again"),
        (_frozen(f"super().train(mode); {_EVAL}"), "end it with `return self`"),
        (_frozen("super().train(False); return self"), "dropout does nothing"),
        (_frozen(f"super().train(mode); {_EVAL}; return self", init="pass"), "still learn"),
        (
            _frozen(f"super().train(mode); {_EVAL}; return self", init="module.requires_grad_(False)"),
            "outside batch normalization",
        ),
        (_frozen(f"super().train(True); {_EVAL}; return self"), "pass `mode` on"),
    ],
    "08/training-loop": [
        (_loop(_TRAIN + _SET + _STEP.replace("optimizer.zero_grad(); ", "")), "zero_grad"),
        (_loop(_TRAIN + _STEP), "has no effect"),
        (_loop(_TRAIN + "optimizer.param_groups[0].update(lr=schedule(i)); " + _STEP), "Only the first group"),
        (_loop(_SET + _STEP, before="model.train()"), "in evaluation mode"),
        (_loop(_TRAIN + _SET.replace("(i)", "(i + 1)") + _STEP), "one update late or early"),
        (_loop(_TRAIN + _SET + _STEP, loss="loss"), "`loss.item()`"),
        (_loop(_TRAIN + _SET + _STEP.replace("; optimizer.step()", "")), "no weight has changed"),
        (
            _loop(_TRAIN + _SET + _STEP.replace("zero_grad(); loss.backward()", "x")
                  .replace("optimizer.x", "loss.backward(); optimizer.zero_grad()")),
            "no weight has changed",
        ),
        (
            "def train(model, optimizer, batches, schedule, after):\n"
            "    for i, (images, labels) in enumerate(batches):\n        model.train()\n"
            "        for group in optimizer.param_groups:\n"
            "            group['lr'] = schedule(i)\n"
            "        loss = loss_of(model(images), labels)\n        loss.backward()\n"
            "        optimizer.zero_grad()\n        optimizer.step()\n"
            "        after(i, loss.item())", '`zero_grad()` behind `backward()`'),
    ],
    "08/bootstrap": [
        (_copies(_ANY + "return found * copies"), "in front"),
        (_copies(_ANY + "return [*range(len(classes_in)), *found * (copies - 1)]"), "added to the picture itself"),
        (
            _copies("return [*range(len(classes_in)), *[i for i, c in enumerate(classes_in) if hard <= c] * copies]"),
            "*all* the hard classes",
        ),
        (
            _copies(
                "return [*range(len(classes_in)), "
                "*[i for i, c in enumerate(classes_in) for _ in range(copies * len(c & hard))]]"
            ),
            "two hard classes is copied twice",
        ),
        ("def bootstrap(classes_in, hard, copies):\n    return set(range(len(classes_in)))", 'holds each number once'),
    ],
}  # fmt: skip
IGNORED_CELLS: dict[str, str] = {}
EXCUSED_MUTANTS = {
    "08/bootstrap": {
        "line 4: `[*range(len(classes_in)), *found * copies]` the other way round": "the order of the pictures is free",
    }
}
