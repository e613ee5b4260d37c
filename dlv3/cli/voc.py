"""`dlv3 data voc`: its arguments and what it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlv3.cli.parsing import parse


@dataclass(frozen=True)
class VocArguments:
    """Download PASCAL VOC 2012 (2 GB) and the Semantic Boundaries Dataset (1.4 GB), and check what is there already.

    Together they make trainaug, the 10,582 pictures of the paper (§4.1). Train with --data voc:ROOT.
    """

    root: Path = Path("data/voc")
    """The folder to put them in."""
    sbd: bool = True
    """Fetch the Semantic Boundaries Dataset too; VOC alone has 1,464 pictures to train on."""
    keep_archives: bool = False
    """Keep the downloaded archives once they are unpacked."""


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 data voc`. Returns the exit status."""
    return voc_command(parse(VocArguments, argv, "dlv3 data voc"))


def voc_command(arguments: VocArguments) -> int:
    """Download what is missing. Returns the exit status, 0.

    Raises:
        DataError: no network, no space, or a damaged archive.
    """
    from dlv3.data.photos.download import SBD, VOC_2012, download_voc

    archives = (VOC_2012, SBD) if arguments.sbd else (VOC_2012,)
    download_voc(arguments.root, archives=archives, keep_archives=arguments.keep_archives)
    return 0
