"""Advice on the errors that torch and Python raise most often in learners' code: what the message means here."""

import re

_ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"does not require grad",
        "Nothing leads back to a tensor whose gradient is wanted: make that one with `requires_grad=True`.",
    ),
    (
        r"can be implicitly created only for scalar",
        "`backward()` starts from one number: pick one output, or take a sum or mean, first.",
    ),
    (
        r"backward through the graph a second time",
        "The graph of an earlier round is used again: compute the loss in each round.",
    ),
    (
        r"must match except in dimension 0",
        "`torch.cat` joins along axis 0, the batch, unless you say otherwise. Channels are axis 1: `dim=1`.",
    ),
    (
        r"must match except in dimension 1",
        "The maps differ in height, width or batch. Bring them to one size first: `.expand(-1, -1, h, w)` repeats a "
        "1×1 map at every position.",
    ),
    (
        r"expected input\[.*\] to have (\d+) channels, but got (\d+) channels",
        "The layer reads {0} channels and was given {1}. Several maps are joined along axis 1: "
        "`torch.cat(maps, dim=1)`.",
    ),
    (
        r"Expected 3D \(unbatched\) or 4D \(batched\) input",
        "A convolution reads (N, C, H, W). A mean over axes 2 and 3 keeps them, with size 1, if you ask for "
        "`keepdim=True`.",
    ),
    (
        r"not implemented for ['\"]?(?:Long|Int|Byte|Bool)",
        "That operation works on floats only: `.float()` first.",
    ),
    (
        r"leaf Variable that requires grad",
        "The line writes into a tensor that is being trained. Make a new one: `w = w * 2` in place of `w *= 2`.",
    ),
    (
        r"truth value of .* ambiguous|Boolean value of Tensor with more than one value",
        "`if`, `and` and `or` need one True or False, and this is a whole tensor. Use `&`, `|`, `torch.where`, or "
        "`.any()` and `.all()`.",
    ),
    (
        r"(?:to have the same dtype|expected scalar type|must have the same dtype|same type).*",
        "Two tensors hold numbers of different types. Make new ones like those that you were given, with "
        "`torch.zeros_like` or `x.new_zeros`.",
    ),
    (
        r"'torch\.Size' object is not callable",
        "`shape` is an attribute: no parentheses after it.",
    ),
    (
        r"'NoneType'",
        "Something here is `None`: a function without `return`, or a gradient that was never computed.",
    ),
    (
        r"'(?:builtin_function_or_method|method)' (?:object is not|and )|and '(?:builtin_function_or_method|method)'",
        "A method is named and not called: the parentheses after it are missing.",
    ),
    (
        r"unsupported operand type.*'(?:tuple|list)'",
        "A tuple or list is not a vector: go through its entries one by one, or make it a tensor.",
    ),
    (
        r"got an unexpected keyword argument|positional arguments? but",
        "Keep the names and the order of the arguments as in the stub.",
    ),
    (
        r"can't multiply sequence by non-int",
        "A list or tuple times a number repeats it. Multiply its entries one by one.",
    ),
    (
        r"cannot access local variable|referenced before assignment",
        "The variable gets its first value only on a path that this call does not take. Give it one before.",
    ),
)


def advice(error: BaseException) -> str:
    """Return a sentence on what an error usually means in an exercise, or an empty string."""
    text = str(error)
    for pattern, sentence in _ADVICE:
        found = re.search(pattern, text)
        if found:
            return sentence.format(*found.groups())
    return ""
