"""The package as it is distributed: what wheel and sdist hold, and that the wheel runs from an empty folder."""

import hashlib
import json
import os
import re
import site
import socket
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from PIL import Image

import dlv3

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow

LEFT_OUT = ("__pycache__", ".ipynb_checkpoints")


def quietly(*command: object, **options: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def files_under(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not set(LEFT_OUT) & set(path.parts)
    }


def content(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    quietly(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


def new_environment(folder: Path) -> Path:
    """A fresh environment that sees the packages of the test's own, but not an editable dlv3 among them.

    Python reads no .pth file in a folder that a .pth file names, and editable packages are found through those.

    Returns:
        The environment's site-packages.
    """
    quietly(sys.executable, "-m", "venv", "--without-pip", folder)
    installed = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    borrowed = dict.fromkeys([sysconfig.get_path("purelib"), *site.getsitepackages()])
    (Path(installed) / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return Path(installed)


def pip_install(environment: Path, *what: object) -> None:
    python = environment / "bin" / "python"
    options = ("--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check")
    quietly(sys.executable, "-m", "pip", "--python", python, "install", *options, *what)


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh") / "environment"
    new_environment(folder)
    pip_install(folder, wheel)
    return folder


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment's variables: no other dlv3 on the path, nothing of the user's own in Jupyter."""
    private = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER"))}
    folders = {f"JUPYTER_{part}_DIR": str(private / part.lower()) for part in ("CONFIG", "RUNTIME", "DATA")}
    own = {"HOME": str(private), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    return kept | folders | own


# -- what they hold -----------------------------------------------------------------------------------------------


def test_wheel_holds_the_package_the_lessons_and_the_records_and_nothing_else(wheel: Path):
    wanted = {f"dlv3/{name}" for name in files_under(ROOT / "dlv3")}
    wanted |= {f"dlv3/assets/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    results = ROOT / "data" / "results"
    for preset in ("laptop", "quarter", "folder-camvid"):
        wanted |= {f"dlv3/assets/results/{preset}/{name}" for name in files_under(results / preset)}
    found = {name for name in content(wheel) if ".dist-info/" not in name}
    assert found == wanted
    assert "dlv3/py.typed" in found
    assert any(name.endswith("/explorer.js") for name in found)


def test_tree_builds_the_wheel_that_the_sdist_builds(wheel: Path, tmp_path: Path):
    quietly(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, ROOT)
    assert content(next(tmp_path.glob("*.whl"))) == content(wheel)


def test_sdist_holds_what_git_does(dist: Path):
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        found = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    try:
        tracked = quietly("git", "-C", ROOT, "ls-files", "-z").split("\0")[:-1]
    except (OSError, AssertionError):
        pytest.skip("no git, or not a checkout")
    wanted = {name for name in tracked if not name.startswith(".ci/") and (ROOT / name).exists()}
    assert wanted - found == set()


def test_metadata_names_version_authors_and_the_paper(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    assert metadata["Version"] == dlv3.__version__
    assert metadata["Author"] == "The dlv3 authors"
    assert "Paper, https://arxiv.org/abs/1706.05587" in metadata.get_all("Project-URL")
    assert metadata["License-Expression"] == "MIT"


# -- what the wheel runs ------------------------------------------------------------------------------------------


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file and folder but Python's own caches."""
    return {
        str(path): (path.stat().st_size if path.is_file() else 0, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def nothing_written(environment: Path) -> Iterator[None]:
    """Whatever the tests below run, the environment's folder is afterwards what it was before."""
    before = listing(environment)
    yield
    assert listing(environment) == before


@pytest.fixture(scope="module")
def folder(nothing_written: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The empty folder in which the commands run one after the other."""
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(scope="module")
def trained(environment: Path, variables: dict[str, str], folder: Path) -> str:
    short = [
        "--training.iterations",
        "2",
        "--training.validation-interval",
        "0",
        "--training.batch-size",
        "2",
    ]
    options = ["train", "--preset", "laptop", "--data", "scenes", "--pictures", "8", "--out", "runs/first"]
    return quietly(environment / "bin" / "dlv3", *options, *short, cwd=folder, env=variables)


def test_wheels_own_package_is_imported(environment: Path, variables: dict[str, str], folder: Path):
    code = "import dlv3; print(dlv3.__file__); print(dlv3.__version__)"
    out = quietly(environment / "bin" / "python", "-c", code, cwd=folder, env=variables).split()
    assert Path(out[0]).is_relative_to(environment)
    assert out[1] == dlv3.__version__


def test_small_model_trains_from_the_pretrained_weights(trained: str, folder: Path):
    assert "weights in runs/first/model.safetensors" in trained
    assert json.loads((folder / "runs/first/config.json").read_text())["training"]["pretrained"] == "scenes"


def test_photo_is_predicted(trained: str, environment: Path, variables: dict[str, str], folder: Path):
    Image.new("RGB", (96, 64), (90, 120, 60)).save(folder / "photo.jpg")
    out = quietly(
        environment / "bin" / "dlv3", "predict", "runs/first", "photo.jpg", cwd=folder, env=variables
    )
    assert "1 predicted" in out
    assert (folder / "predictions" / "photo_mask.png").is_file()


def test_recorded_results_are_reported(environment: Path, variables: dict[str, str], folder: Path):
    out = quietly(environment / "bin" / "dlv3", "ablate", "T4", "--report", cwd=folder, env=variables)
    assert "| several scales help | mIOU |" in out


@pytest.fixture(scope="module")
def address(environment: Path, variables: dict[str, str], folder: Path) -> Iterator[str]:
    """The address, with its token, that `dlv3 lab` prints while it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder.with_name("lab.log")
    with log.open("w") as out:
        server = subprocess.Popen(
            [environment / "bin" / "dlv3", "lab", "--no-browser", "--port", str(port)],
            cwd=folder,
            env=variables,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + 120
        found = None
        while not found and server.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
            found = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/\S+\?token=\w+", log.read_text())
        assert found, log.read_text()
        yield found[0]
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def test_lab_serves_the_first_lesson_without_outputs(address: str, folder: Path):
    place, token = address.split("/lab/tree/")[0], address.partition("?token=")[2]
    assert "/lab/tree/00_start_here.ipynb?" in address
    with urllib.request.urlopen(address, timeout=60) as page:
        assert page.status == 200
    lesson = f"{place}/api/contents/00_start_here.ipynb"
    with urllib.request.urlopen(f"{lesson}?token={token}", timeout=60) as answer:
        cells = json.load(answer)["content"]["cells"]
    assert any(cell["cell_type"] == "code" for cell in cells)
    assert not any(cell.get("outputs") for cell in cells)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(lesson, timeout=60)
    assert (folder / "dlv3-lessons" / "glossary.ipynb").is_file()


def test_first_lesson_of_the_working_copy_runs(
    address: str, environment: Path, variables: dict[str, str], folder: Path, tmp_path: Path
):
    convert = ["-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", tmp_path]
    lesson = folder / "dlv3-lessons" / "00_start_here.ipynb"
    quietly(environment / "bin" / "python", *convert, lesson, cwd=folder, env=variables)
    ran = json.loads((tmp_path / lesson.name).read_text())
    assert sum(bool(cell.get("outputs")) for cell in ran["cells"]) > 5


def test_editable_install_runs_from_the_tree(tmp_path: Path, variables: dict[str, str]):
    installed = new_environment(tmp_path / "environment")
    pip_install(tmp_path / "environment", "--no-build-isolation", "--editable", ROOT)
    assert not (installed / "dlv3").exists()
    code = "import dlv3; print(dlv3.__file__)"
    out = quietly(tmp_path / "environment/bin/python", "-c", code, cwd=tmp_path, env=variables)
    assert Path(out.strip()) == ROOT / "dlv3" / "__init__.py"
