"""Fetching VOC and SBD, from a server on this machine that can be told to misbehave."""

import errno
import hashlib
import io
import tarfile
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dlv3.data import DataError
from dlv3.data.photos.download import SBD, VOC_2012, Archive, download_voc

FILES = {f"release/dataset/img/{i}.jpg": bytes([i]) * 3000 for i in range(5)}
FILES |= {"release/dataset/train.txt": b"0\n1\n2\n", "release/code/tool.m": b"not wanted"}


class Server:
    """Serves one file and keeps the Range of every request; `cut` ends an answer early, `ranges` allows them."""

    def __init__(self, content: bytes) -> None:
        self.content, self.requests, self.cut, self.ranges, self.status = content, [], None, True, None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                outer.requests.append(wanted)
                start = int(wanted[6:-1]) if wanted and outer.ranges else 0
                if outer.status or start >= len(outer.content):
                    self.send_error(outer.status or 416)
                    return
                body = outer.content[start:]
                self.send_response(206 if wanted and outer.ranges else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: outer.cut])

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/data.tgz"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    made = Server(packed(FILES))
    yield made
    made.server.shutdown()
    made.server.server_close()


def archive(server: Server) -> Archive:
    md5 = hashlib.md5(server.content).hexdigest()
    contents = (("sbd/img", 5), ("sbd/train.txt", 3))
    return Archive("Small", server.url, "data.tgz", md5, "release/dataset", "sbd", contents)


def fetch(root: Path, wanted: Archive, **options) -> list[str]:
    said: list[str] = []
    download_voc(root, archives=[wanted], say=said.append, **options)
    return said


def test_it_is_fetched_unpacked_where_it_belongs_and_checked(tmp_path, server):
    said = fetch(tmp_path / "new" / "folder", archive(server))
    root = tmp_path / "new" / "folder"
    found = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    wanted = {n.replace("release/dataset", "sbd"): c for n, c in FILES.items() if "dataset" in n}
    assert found == wanted  # and neither the archive nor a part of it
    assert said == ["Small: sbd/img: 0 of 5; sbd/train.txt: 0 of 3", f"Small: complete in {root}"]


def test_a_download_that_does_not_begin_leaves_no_folder(tmp_path, server):
    nowhere = replace(archive(server), url="http://127.0.0.1:1/data.tgz")
    with pytest.raises(DataError, match="cannot be fetched"):
        fetch(tmp_path / "new" / "folder", nowhere)
    assert not list(tmp_path.iterdir())


def test_what_is_complete_is_not_fetched_again(tmp_path, server):
    fetch(tmp_path, archive(server))
    assert fetch(tmp_path, archive(server)) == [f"Small: complete in {tmp_path}"]
    assert server.requests == [None]


def test_a_file_that_went_missing_is_put_back_from_a_kept_archive(tmp_path, server):
    fetch(tmp_path, archive(server), keep_archives=True)
    (tmp_path / "sbd/img/3.jpg").unlink()
    assert fetch(tmp_path, archive(server))[0] == "Small: sbd/img: 4 of 5"
    assert (tmp_path / "sbd/img/3.jpg").read_bytes() == FILES["release/dataset/img/3.jpg"]
    assert server.requests == [None]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_is_resumed(tmp_path, server, ranges):
    server.cut = 100
    with pytest.raises(
        DataError, match=r"the connection broke after 100 of [\d,]+ bytes.*resumes where it stopped"
    ):
        fetch(tmp_path, archive(server))
    assert (tmp_path / "data.tgz.part").read_bytes() == server.content[:100]
    server.cut, server.ranges = None, ranges
    fetch(tmp_path, archive(server))
    assert server.requests == [None, "bytes=100-"]
    assert (tmp_path / "sbd/train.txt").read_bytes() == b"0\n1\n2\n"


def test_a_part_that_is_already_whole_is_used(tmp_path, server):
    (tmp_path / "data.tgz.part").write_bytes(server.content)
    fetch(tmp_path, archive(server))
    assert len(list((tmp_path / "sbd/img").iterdir())) == 5


def test_a_damaged_archive_is_thrown_away_and_said(tmp_path, server):
    wrong = replace(archive(server), md5="0" * 32)
    with pytest.raises(DataError, match="the download is damaged"):
        fetch(tmp_path, wrong)
    assert not list(tmp_path.iterdir())


def test_no_network_is_one_clear_line(tmp_path, server):
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(
        DataError, match=r"cannot be fetched .*check the network.*put data\.tgz into"
    ) as caught:
        fetch(tmp_path, archive(server))
    assert "\n" not in str(caught.value)


def test_an_answer_that_is_an_error_is_named(tmp_path, server):
    server.status = 404
    with pytest.raises(DataError, match=r"cannot be fetched \(Not Found\)"):
        fetch(tmp_path, archive(server))


def test_an_archive_without_all_files_is_said(tmp_path, server):
    more = replace(archive(server), contents=(("sbd/img", 6),))
    with pytest.raises(DataError, match="is unpacked, but files are missing: sbd/img: 5 of 6"):
        fetch(tmp_path, more)


def test_an_archive_cannot_write_outside_its_folder(tmp_path, server):
    server.content = packed({"release/dataset/../../../escaped": b"x"})
    with pytest.raises(DataError, match="cannot be unpacked"):
        fetch(tmp_path / "inner" / "root", archive(server))
    assert not list(tmp_path.rglob("escaped"))


def test_a_full_disk_is_named(tmp_path, server, monkeypatch):
    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extract", full)
    with pytest.raises(DataError, match=r"Small cannot be stored \(No space left on device\)"):
        fetch(tmp_path, archive(server))


def test_the_real_archives_state_the_published_sizes():
    sizes = dict(VOC_2012.contents) | dict(SBD.contents)
    lists = "VOCdevkit/VOC2012/ImageSets/Segmentation"
    assert (sizes[f"{lists}/train.txt"], sizes[f"{lists}/val.txt"]) == (1464, 1449)
    assert sizes["sbd/train.txt"] + sizes["sbd/val.txt"] == sizes["sbd/cls"] == 11_355
