"""Files that are cut short, changed or empty: one line that names the file, and nothing else is touched.

A changed bit may still say something valid, as a digit of a learning rate does. What has a checksum may not: weights
and checkpoints that were changed are refused, or lead to what they led to before.
"""

import hashlib
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command_lines import one_error_line
from fault_harness import WarmProcess
from profiles import LONG
from scenarios import COMMANDS, TRAIN, make_data

Damage = Callable[[bytes, random.Random], bytes]


def with_changed_bit(content: bytes, moments: random.Random) -> bytes:
    changed = bytearray(content)
    changed[moments.randrange(len(changed))] ^= 1 << moments.randrange(8)
    return bytes(changed)


DAMAGES: dict[str, Damage] = {
    "empty": lambda content, moments: b"",
    "half": lambda content, moments: content[: len(content) // 2],
    "last byte missing": lambda content, moments: content[:-1],
    "a bit changed": with_changed_bit,
    "noise": lambda content, moments: moments.randbytes(len(content)),
}
SEALED = (".safetensors", ".pt")
"""Files with a checksum."""
ON_PHOTOS = ["--data", "folder:photos", "--preset", "tiny", "--training.iterations", "1"]
IN_FOLDERS = ["photos/images/0.png", "photos/masks/1.png", "photos/classes.txt", "photos/val.txt"]
# Each command with the files that it reads.
CASES = {
    "train": (
        [*TRAIN, "--resume", "--training.iterations", "7"],
        ["run/checkpoint.pt", "run/config.json", "run/metrics.jsonl"],
    ),
    "train on photos": (["train", *ON_PHOTOS, "--out", "new"], IN_FOLDERS),
    "train from weights": (
        [*TRAIN[:-1], "new", "--training.initial-weights", "run/model.safetensors"],
        ["run/model.safetensors"],
    ),
    "evaluate": (
        ["evaluate", "run", "--workers", "0", "--pictures", "1", "--out", "scores.json"],
        ["run/model.safetensors", "run/config.json", "scores.json"],
    ),
    "predict": (
        ["predict", "run", "photos/images", "--out", "predictions"],
        ["run/model.safetensors", "run/config.json", "photos/images/0.png"],
    ),
    "export": (
        ["export", "run", "--format", "torch", "--out", "new/model.pt2"],
        ["run/model.safetensors", "run/config.json"],
    ),
    "data check": (["data", "check", "photos"], IN_FOLDERS),
    "ablate": (
        COMMANDS["ablate"],
        ["results/tiny/T4/multi-scale.seed0.json", "work/*/seconds.json", "work/*/model.safetensors"],
    ),
}


@pytest.fixture(scope="module")
def whole(warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, photos with masks, scores, and a sweep of which one record is missing."""
    folder = tmp_path_factory.mktemp("whole")
    make_data(folder / "photos")
    for command in (TRAIN, CASES["evaluate"][0], COMMANDS["ablate"]):
        assert warm.run(command, folder).status == 0
    (folder / "results/tiny/T4/flip.seed0.json").unlink()
    return folder


@pytest.fixture(scope="module")
def undamaged(
    whole: Path, warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[list[str]], dict[str, str]]:
    """Give the files after a command that nothing disturbed; each command is run once."""
    found: dict[tuple[str, ...], dict[str, str]] = {}

    def after(command: list[str]) -> dict[str, str]:
        if tuple(command) not in found:
            folder = shutil.copytree(whole, tmp_path_factory.mktemp("undamaged"), dirs_exist_ok=True)
            assert warm.run(command, folder).status == 0
            found[tuple(command)] = bytes_in(folder)
        return found[tuple(command)]

    return after


def bytes_in(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "name"),
    [
        pytest.param(command, name, id=f"{case}-{name}")
        for case, (command, names) in CASES.items()
        for name in names
    ],
)
def test_damaged_file_is_named_and_nothing_else_is_touched(
    command: list[str],
    name: str,
    whole: Path,
    undamaged: Callable[[list[str]], dict[str, str]],
    warm: WarmProcess,
    tmp_path: Path,
    record_property,
):
    expected, count = undamaged(command), 0
    kinds = DAMAGES if LONG else ("half", "a bit changed")
    for number, kind in enumerate(kinds):
        for seed in range(5 if LONG and kind in ("a bit changed", "noise") else 1):
            folder = shutil.copytree(whole, tmp_path / f"{number}-{seed}")
            [file] = folder.glob(name)
            file.write_bytes(DAMAGES[kind](file.read_bytes(), random.Random(seed)))
            before = bytes_in(folder)
            ended = warm.run(command, folder)
            after, where = bytes_in(folder), f"{kind}, seed {seed}: {ended}"
            assert "Traceback" not in ended.err, where
            assert ended.status in (0, 1, 2), where
            if ended.status == 2:
                assert file.name in one_error_line(ended.err), where
                assert before.items() <= after.items(), where
            elif ended.status == 1:
                assert file.name in ended.out + ended.err, where
                assert before.items() <= after.items(), where
            elif file.suffix in SEALED:
                predictions = {name for name in expected if name.endswith((".png", ".safetensors"))}
                assert all(after[name] == expected[name] for name in predictions - {name}), where
            shutil.rmtree(folder)
            count += 1
    record_property(f"faults: damaged files, {command[0]}", count)
