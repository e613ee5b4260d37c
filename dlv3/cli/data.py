"""`dlv3 data`: the commands that check, fetch or make what trainings start from."""

from collections.abc import Sequence

from dlv3.cli.main import Command, dispatch

COMMANDS = {
    "check": Command("open every picture and mask of a folder, and say what does not fit", "check"),
    "voc": Command("download PASCAL VOC 2012 and the Semantic Boundaries Dataset", "voc"),
    "pretrain": Command("make the small backbone's weights that trainings on scenes start from", "pretrain"),
}


def main(argv: Sequence[str]) -> int:
    """Run the command that `argv` begins with. Returns the exit status."""
    return dispatch(COMMANDS, argv, "dlv3 data", "Check, fetch or make what trainings start from.")
