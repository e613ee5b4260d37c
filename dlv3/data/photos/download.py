"""Downloading VOC 2012 and SBD: complete parts are not fetched again, and a broken download is resumed."""

import http.client
import os
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from torchvision.datasets import SBDataset
from torchvision.datasets.utils import check_integrity
from torchvision.datasets.voc import DATASET_YEAR_DICT
from tqdm import tqdm

from dlv3 import printed
from dlv3.data.errors import DataError
from dlv3.files import missing_folders, remove_empty

_CHUNK = 1 << 20  # bytes
_TIMEOUT = 30  # seconds without an answer


@dataclass(frozen=True)
class Archive:
    """An archive to fetch, and the files that must be there afterwards.

    `inside` is the wanted folder of the archive, `target` its place below the root, and `contents` the least number of
    files in a folder, or of lines in a list.
    """

    title: str
    url: str
    filename: str
    md5: str
    inside: str
    target: str
    contents: tuple[tuple[str, int], ...]

    def lacking(self, root: Path) -> list[str]:
        """Return what is missing, one line for each folder or list; empty if nothing is."""
        found = [(path, _count(root / path), wanted) for path, wanted in self.contents]
        return [f"{path}: {count:,} of {wanted:,}" for path, count, wanted in found if count < wanted]


VOC_2012 = Archive(
    title="PASCAL VOC 2012",
    url=DATASET_YEAR_DICT["2012"]["url"],
    filename=DATASET_YEAR_DICT["2012"]["filename"],
    md5=DATASET_YEAR_DICT["2012"]["md5"],
    inside="VOCdevkit/VOC2012",
    target="VOCdevkit/VOC2012",
    contents=(
        ("VOCdevkit/VOC2012/JPEGImages", 17_125),
        ("VOCdevkit/VOC2012/SegmentationClass", 2_913),
        ("VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt", 1_464),
        ("VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt", 1_449),
        ("VOCdevkit/VOC2012/ImageSets/Segmentation/trainval.txt", 2_913),
    ),
)
SBD = Archive(
    title="Semantic Boundaries Dataset",
    url=SBDataset.url,
    filename=SBDataset.filename,
    md5=SBDataset.md5,
    inside="benchmark_RELEASE/dataset",
    target="sbd",
    contents=(("sbd/img", 11_355), ("sbd/cls", 11_355), ("sbd/train.txt", 8_498), ("sbd/val.txt", 2_857)),
)


def download_voc(
    root: str | PathLike[str],
    *,
    archives: Sequence[Archive] = (VOC_2012, SBD),
    keep_archives: bool = False,
    say: Callable[[str], object] = printed.say,
) -> None:
    """Fetch VOC 2012 (2 GB) and SBD (1.4 GB) into a folder; complete parts are not fetched again.

    Args:
        root: the folder; it is made if it does not exist.
        archives: the archives to fetch; VOC alone is enough to train on its own 1,464 pictures.
        keep_archives: keep the archives once they are unpacked.
        say: is called with a line for each step.

    Raises:
        DataError: no network, a damaged or short archive, no space. The downloaded part is kept, and the next call
            resumes there.
    """
    root = Path(root)
    for archive in archives:
        if not archive.lacking(root):
            say(f"{archive.title}: complete in {root}")
            continue
        say(f"{archive.title}: {'; '.join(archive.lacking(root))}")
        missing = missing_folders(root)
        try:
            root.mkdir(parents=True, exist_ok=True)
            packed = _fetch(archive, root)
            _unpack(packed, archive, root)
        except OSError as error:
            raise DataError(
                f"{root}: {archive.title} cannot be stored ({error.strerror or error})"
            ) from error
        finally:
            # Where nothing arrived, no empty folder stays.
            remove_empty(missing)
        if lacking := archive.lacking(root):
            raise DataError(
                f"{root}: {archive.filename} is unpacked, but files are missing: {'; '.join(lacking)}; delete the "
                "archive and run this again"
            )
        if not keep_archives:
            packed.unlink()
        say(f"{archive.title}: complete in {root}")


def _fetch(archive: Archive, root: Path) -> Path:
    """Return the whole archive, checked by its MD5; a part from an earlier download is resumed."""
    whole, part = root / archive.filename, root / f"{archive.filename}.part"
    if whole.is_file() and check_integrity(whole, archive.md5):
        return whole
    try:
        _receive(archive.url, part)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"{archive.url} cannot be fetched ({reason}); check the network and run this again, which resumes where "
            f"it stopped, or put {archive.filename} into {root} by hand"
        ) from error
    if not check_integrity(part, archive.md5):
        part.unlink()
        raise DataError(
            f"{archive.url}: the download is damaged (its MD5 is not {archive.md5}); run this again"
        )
    os.replace(part, whole)
    return whole


def _receive(url: str, part: Path) -> None:
    """Append the missing rest of a URL to `part`; from the start if the server cannot resume."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        # Nothing is missing: the MD5 decides.
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return
        raise
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=part.stem)
        with bar, part.open("ab" if have else "wb") as file:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    arrived = part.stat().st_size
    if total is not None and arrived < total:
        raise ConnectionError(f"the connection broke after {arrived:,} of {total:,} bytes")


def _unpack(packed: Path, archive: Archive, root: Path) -> None:
    prefix = f"{archive.inside}/"
    try:
        with tarfile.open(packed) as tar:
            for member in tqdm(tar, desc=f"unpacking {packed.name}", unit="file"):
                if member.name.startswith(prefix):
                    moved = member.replace(
                        name=f"{archive.target}/{member.name.removeprefix(prefix)}", deep=False
                    )
                    # The filter "data" writes nothing outside root, whatever the archive says.
                    tar.extract(moved, root, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{packed}: cannot be unpacked ({error}); delete it and run this again") from error


def _count(path: Path) -> int:
    """Count the files in a folder or the lines in a list; 0 if it does not exist."""
    if path.is_dir():
        return sum(entry.is_file() for entry in os.scandir(path))
    return len(path.read_bytes().split()) if path.is_file() else 0
