"""A file is whole at any moment: the old one or the new one."""

import ast
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from dlv3 import files
from dlv3.files import (
    is_there,
    missing_folders,
    remove_empty,
    require_not_read,
    require_writable,
    write_atomically,
    write_with,
)


def test_content_is_written_and_replaced(tmp_path: Path):
    path = tmp_path / "a.bin"
    # More than one piece of what is written at a time.
    large = os.urandom((1 << 20) + 5)
    for content in (b"first", large, b""):
        write_atomically(path, content)
        assert path.read_bytes() == content
    write_atomically(path, memoryview(b"view"))
    assert path.read_bytes() == b"view"
    assert list(tmp_path.iterdir()) == [path]


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=rf"No space left on device: '{path}'$"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_does_not_exist_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "a.bin", b"")


def test_what_a_library_saves_is_written(tmp_path: Path):
    write_with(tmp_path / "a.bin", lambda file: file.write(b"saved"))
    assert (tmp_path / "a.bin").read_bytes() == b"saved"


def test_error_of_a_library_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")

    def fails(file: BinaryIO) -> None:
        file.write(b"half")
        raise ValueError("no such format")

    with pytest.raises(ValueError, match="no such format"):
        write_with(path, fails)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_link_is_replaced_and_its_target_stays(tmp_path: Path):
    target, link = tmp_path / "mine.txt", tmp_path / "a.txt"
    target.write_bytes(b"mine")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert target.read_bytes() == b"mine"
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"


def test_link_at_the_place_aside_is_not_followed(tmp_path: Path):
    target = tmp_path / "mine.txt"
    target.write_bytes(b"mine")
    (tmp_path / ".a.txt.part").symlink_to(target)
    write_atomically(tmp_path / "a.txt", b"new")
    assert target.read_bytes() == b"mine"
    assert (tmp_path / "a.txt").read_bytes() == b"new"


def test_what_a_killed_process_left_is_taken_over(tmp_path: Path):
    (tmp_path / ".a.txt.part").write_bytes(b"half of something longer")
    write_atomically(tmp_path / "a.txt", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.txt", b"new")]


def test_what_a_killed_process_left_is_removed_and_the_file_stays(tmp_path: Path):
    write_atomically(tmp_path / "a.txt", b"whole")
    (tmp_path / ".a.txt.part").write_bytes(b"half")
    for _ in range(2):
        files.remove_half(tmp_path / "a.txt")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.txt", b"whole")]


def test_several_writers_of_one_file_leave_the_content_of_one(tmp_path: Path):
    path = tmp_path / "a.bin"
    contents = [bytes([number]) * 3_000_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_atomically(path, content), contents))
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_name_as_long_as_a_name_may_be(tmp_path: Path):
    path = tmp_path / ("ü" * 125 + ".txt")
    write_atomically(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_those_of_a_new_file(tmp_path: Path):
    write_atomically(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_folder_that_can_be_written_to_is_left_as_it_was(tmp_path: Path):
    require_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "there").mkdir()
    require_writable(tmp_path / "there")
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        require_writable(tmp_path / "file" / "folder")
    with pytest.raises(OSError, match="name too long"):
        require_writable(tmp_path / "new" / ("x" * 300))
    assert not (tmp_path / "new").exists()


def test_only_empty_folders_that_were_made_are_removed(tmp_path: Path):
    folder = tmp_path / "a" / "b" / "c"
    missing = missing_folders(folder)
    assert missing == [folder, folder.parent, tmp_path / "a"]
    folder.mkdir(parents=True)
    (tmp_path / "a" / "kept").touch()
    remove_empty(missing)
    assert list(tmp_path.rglob("*")) == [tmp_path / "a", tmp_path / "a" / "kept"]


def test_what_is_not_a_file_is_not_passed_over(tmp_path: Path):
    path = tmp_path / "train.txt"
    assert not is_there(path)
    path.symlink_to("gone.txt")
    with pytest.raises(
        OSError, match=r"train\.txt: not a file that can be read, but .* a broken link; mend or remove"
    ):
        is_there(path)
    (tmp_path / "gone.txt").touch()
    assert is_there(path)


def test_file_that_is_read_is_not_written_to(tmp_path: Path):
    weights, other = tmp_path / "model.safetensors", tmp_path / "other.json"
    weights.touch()
    (tmp_path / "link").symlink_to(weights)
    for path in (weights, tmp_path / "link"):
        with pytest.raises(
            ValueError, match=rf"^--out {path}: would overwrite {weights}, which is read; give"
        ):
            require_not_read(path, [other, weights], "--out")
    require_not_read(other, [weights], "--out")
    require_not_read(other, [tmp_path / "missing"], "--out")


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs files without a name")
def test_trial_of_a_killed_process_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A killed process removes nothing any more.
    monkeypatch.setattr(os, "unlink", lambda *arguments, **options: None)
    monkeypatch.setattr(Path, "unlink", lambda *arguments, **options: None)
    (tmp_path / "folder").mkdir()
    require_writable(tmp_path / "folder")
    assert list((tmp_path / "folder").iterdir()) == []


# Writers that do not go through dlv3.files: the file, the call, and the reason.
EXCEPTIONS = {
    ("cli/main.py", "open"): "the null device, when the reader of what is printed has gone",
    ("files.py", "open"): "the one way itself",
    (
        "training/metrics_file.py",
        "path.open",
    ): "grows by a line at a time; a line that was cut short is cut off",
    ("training/progress.py", "SummaryWriter"): "TensorBoard's own writer, which appends to its own new file",
    (
        "data/photos/download.py",
        "part.open",
    ): "a download that is resumed: NAME.part, moved when its MD5 is right",
    ("data/photos/download.py", "tar.extract"): "unpacks 20,000 files; what is missing is unpacked again",
    ("course/lessons/lesson13_real_photos/checks_folder.py", "save"): "a temporary folder of an exercise",
}
METHODS = {
    "write_text",
    "write_bytes",
    "savefig",
    "imsave",
    "imwrite",
    "tofile",
    "touch",
    "extract",
}
METHODS |= {"extractall", "savez", "savez_compressed", "savetxt", "symlink_to", "hardlink_to", "copyfileobj"}
FUNCTIONS = {
    "SummaryWriter",
    "save_file",
    "save_model",
    "save_image",
    "mkstemp",
    "NamedTemporaryFile",
    "ZipFile",
}
OF_MODULES = {
    ("json", "dump"),
    ("pickle", "dump"),
    ("nbformat", "write"),
    ("shutil", "copy"),
    ("shutil", "copy2"),
}
OF_MODULES |= {
    ("shutil", "copyfile"),
    ("shutil", "copytree"),
    ("shutil", "move"),
    ("os", "rename"),
    ("os", "open"),
}
OURS = ("weights.save", "checkpoint.save")


def writers(source: str) -> list[str]:
    """The calls in a source that write a file by themselves."""
    tree = ast.parse(source)
    # What is saved into memory is not a file yet.
    buffers = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and ast.unparse(node.value) in ("io.BytesIO()", "BytesIO()", "io.StringIO()")
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _writes(node, buffers)
    ]


def _writes(call: ast.Call, buffers: set[str]) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    base = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    if any(isinstance(value, ast.Name) and value.id in buffers for value in values):
        return False
    if name in ("open", "fdopen", "ZipFile"):
        nodes = [node for value in values for node in ast.walk(value)]
        modes = [
            node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        return (base, name) in OF_MODULES or any(set(mode) & set("wax+") and len(mode) <= 3 for mode in modes)
    if name == "save":
        return ast.unparse(call.func) not in OURS
    return name in METHODS or name in FUNCTIONS or (base, name) in OF_MODULES


def test_every_file_is_written_in_the_one_way():
    root = Path(files.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        for call in writers(path.read_text(encoding="utf-8")):
            name = "save" if call.endswith(".save") else call
            found.add((path.relative_to(root).as_posix(), name))
    found.discard(("files.py", "os.open"))
    assert found - EXCEPTIONS.keys() == set(), "write through dlv3.files, or say in EXCEPTIONS why not"
    assert EXCEPTIONS.keys() - found == set(), "these exceptions are not needed any more"


@pytest.mark.parametrize(
    "source",
    [
        "open(path, 'w')",
        "path.open(mode='ab')",
        "open(path, mode='x+')",
        "path.open('ab' if have else 'wb')",
        "path.write_text('a')",
        "path.write_bytes(b'a')",
        "picture.save(path)",
        "json.dump(a, file)",
        "figure.savefig(path)",
        "np.save(path, a)",
        "np.savez(path, a)",
        "torch.save(a, path)",
        "save_file(a, path)",
        "shutil.copyfile(a, b)",
        "nbformat.write(a, path)",
        "SummaryWriter(path)",
    ],
)
def test_writer_is_found(source: str):
    assert len(writers(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "open(path)",
        "path.open('rb')",
        "buffer = BytesIO()\npicture.save(buffer, 'PNG')",
        "buffer = io.BytesIO()\ntorch.save(a, buffer)",
        "write_with(path, partial(picture.save, format='PNG'))",
        "weights.save(model, path)",
        "json.dumps(a)",
    ],
)
def test_what_writes_no_file_is_not_found(source: str):
    assert writers(source) == []
