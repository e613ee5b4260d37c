"""The command line: `dlv3 train | evaluate | predict | ablate | data | lab`.

Options are made from the library's own dataclasses by tyro. A command's module is imported when it is called, so
that `dlv3 --help` does not wait for torch. What a user can cause ends in one line on stderr, `dlv3: error: …`, and
exit status 2; DLV3_DEBUG=1 shows the traceback as well.
"""

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130
_ERROR = "dlv3: error: "


def _train(argv: Sequence[str]) -> int:
    from dlv3.cli.train import TrainArguments, defaults, train_command

    return train_command(parse(TrainArguments, argv, "dlv3 train", defaults(argv)), argv)


def _evaluate(argv: Sequence[str]) -> int:
    from dlv3.cli.evaluate import EvaluateArguments, evaluate_command

    return evaluate_command(parse(EvaluateArguments, argv, "dlv3 evaluate"))


def _predict(argv: Sequence[str]) -> int:
    from dlv3.cli.evaluate import PredictArguments, predict_command

    return predict_command(parse(PredictArguments, argv, "dlv3 predict"))


def _ablate(argv: Sequence[str]) -> int:
    from dlv3.cli.ablate import AblateArguments, ablate_command

    return ablate_command(parse(AblateArguments, argv, "dlv3 ablate"))


def _voc(argv: Sequence[str]) -> int:
    from dlv3.cli.voc import VocArguments, voc_command

    return voc_command(parse(VocArguments, argv, "dlv3 data voc"))


def _pretrain(argv: Sequence[str]) -> int:
    from dlv3.training.pretrain import PretrainConfig, pretrain_command

    return pretrain_command(parse(PretrainConfig, argv, "dlv3 data pretrain"))


def _lab(argv: Sequence[str]) -> int:
    from dlv3.cli.lab import LabArguments, lab_command, own_and_jupyters

    own, jupyters = own_and_jupyters(argv)
    return lab_command(parse(LabArguments, own, "dlv3 lab"), jupyters)


def _data(argv: Sequence[str]) -> int:
    return _dispatch(DATA_COMMANDS, argv, "dlv3 data", "Fetch or make what trainings start from.")


Commands = dict[str, tuple[str, Callable[[Sequence[str]], int]]]
COMMANDS: Commands = {
    "train": ("train a model on made scenes, a folder of photos and masks, or PASCAL VOC", _train),
    "evaluate": ("score a trained model on whole images", _evaluate),
    "predict": ("colour photos by class", _predict),
    "ablate": ("run the paper's tables, and report what was recorded", _ablate),
    "data": ("fetch or make what trainings start from", _data),
    "lab": ("open the course in JupyterLab", _lab),
}
DATA_COMMANDS: Commands = {
    "voc": ("download PASCAL VOC 2012 and the Semantic Boundaries Dataset", _voc),
    "pretrain": ("make the small backbone's weights that trainings on scenes start from", _pretrain),
}


def parse(arguments: type, argv: Sequence[str], prog: str, default: Any = None) -> Any:
    """Parse a command's arguments.

    Args:
        arguments: a dataclass; its fields are the options.
        argv: what follows the command's name.
        prog: the command as typed.
        default: an instance with other defaults.

    Raises:
        SystemExit: after printing help, or one line about what is wrong.
    """
    import tyro

    if any(a in ("-h", "--help") for a in argv):
        return tyro.cli(arguments, args=argv, prog=prog, default=default)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint), _wide():
            return tyro.cli(arguments, args=argv, prog=prog, default=default)
    except SystemExit as stop:
        _print_error(f"{_first_paragraph(complaint.getvalue())} (see {prog} --help)")
        raise SystemExit(BAD_INPUT) from stop


@contextlib.contextmanager
def _wide() -> Any:
    """Let tyro believe in a terminal so wide that it breaks no line."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "4000"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _first_paragraph(box: str) -> str:
    """What tyro's complaint says, without its frame and what follows its first rule.

    Where the output knows only ASCII (a pipe in an old locale), there is no frame: a title stands above a rule of "-".
    """
    paragraphs: list[list[str]] = [[]]
    for line in box.splitlines():
        text = line.strip("│╭╮╰╯─ ")
        if line.startswith("╭"):
            continue
        if text.strip("-"):
            paragraphs[-1].append(text)
        else:
            paragraphs.append([])
    found = [" ".join(lines) for lines in paragraphs if lines]
    title = 0 if "╭" in box else 1
    return found[min(title, len(found) - 1)] if found else "the arguments cannot be read"


def _print_error(message: str) -> None:
    print(_ERROR + " ".join(message.split()), file=sys.stderr)


def _help(commands: Commands, prog: str, summary: str) -> str:
    width = max(map(len, commands))
    lines = "\n".join(f"  {name:<{width}}  {what}" for name, (what, _) in commands.items())
    return (
        f"usage: {prog} COMMAND [OPTIONS]\n\n{summary}\n\ncommands:\n{lines}\n\n"
        f"Each has its own options: {prog} COMMAND --help\n"
    )


def _dispatch(commands: Commands, argv: Sequence[str], prog: str, summary: str) -> int:
    """Call the command that `argv` begins with, or print which there are."""
    if not argv or argv[0] in ("-h", "--help"):
        print(_help(commands, prog, summary), end="")
        return 0 if argv else BAD_INPUT
    if argv[0] not in commands:
        _print_error(f"{argv[0]!r} is no command; there are {', '.join(commands)} (see {prog} --help)")
        return BAD_INPUT
    return commands[argv[0]][1](argv[1:])


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments; those of the process when left out.

    Returns:
        The exit status: 0, or 2 for bad input, 1 where some of it failed, 128 plus a signal's number.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv[:1] == ["--version"]:
        from dlv3 import __version__

        print(f"dlv3 {__version__}")
        return 0
    try:
        return _dispatch(COMMANDS, argv, "dlv3", "DeepLabv3: train, evaluate and predict.")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else BAD_INPUT
    except KeyboardInterrupt:
        print("dlv3: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("DLV3_DEBUG"):
            traceback.print_exc()
        status = _status(error)
        if status is None:
            raise
        return status


def _status(error: Exception) -> int | None:
    """Print what a person should know of an error. None where it is none that a person can cause."""
    import torch

    from dlv3.training.loop import TrainingDiverged
    from dlv3.training.stopping import TrainingStopped

    if isinstance(error, TrainingStopped):
        print(f"dlv3: {error}", file=sys.stderr)
        return 128 + error.signal
    if isinstance(error, TrainingDiverged):
        _print_error(str(error))
        return FAILED
    if isinstance(error, torch.OutOfMemoryError):
        _print_error(
            f"the GPU's memory is not enough ({_one_line(error)}): lower training.batch_size or training.crop_size, "
            "or raise training.accumulate"
        )
        return BAD_INPUT
    if isinstance(error, ValueError | OSError):
        _print_error(_one_line(error))
        return BAD_INPUT
    return None


def _one_line(error: Exception) -> str:
    """The message; of an error from a loader's worker, which carries its traceback along, only its own."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if lines[0].startswith("Caught "):  # torch: "Caught DataError in DataLoader worker process 0."
        return lines[-1].partition(": ")[2] or lines[-1]
    return " ".join(lines)
