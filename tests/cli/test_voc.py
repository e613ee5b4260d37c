"""`dlv3 data voc` from the words of the command line to what is downloaded."""

from pathlib import Path

import pytest

from dlv3.cli import main
from dlv3.data.photos import download


@pytest.mark.parametrize(
    ("words", "names", "kept"),
    [
        ([], ["VOC_2012", "SBD"], False),
        (["--no-sbd"], ["VOC_2012"], False),
        (["--keep-archives"], ["VOC_2012", "SBD"], True),
    ],
)
def test_options_decide_what_is_downloaded(
    words: list[str], names: list[str], kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    calls = []
    monkeypatch.setattr(download, "download_voc", lambda root, **options: calls.append((root, options)))
    assert main(["data", "voc", "--root", str(tmp_path), *words]) == 0
    archives = tuple(getattr(download, name) for name in names)
    assert calls == [(tmp_path, {"archives": archives, "keep_archives": kept})]
