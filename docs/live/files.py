"""What the live page is served with: the model, made scenes, onnxruntime-web from npm, and the page's own scripts.

The page shows a picture and all its controls before the model is there, so that nothing moves when it comes.
"""

import hashlib
import html
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dlv3 import assets, weights
from dlv3.data.made.scenes import CLASSES, Scenes
from dlv3.data.palette import SCENES_PALETTE, colourise
from dlv3.data.transforms import EvalTransform
from dlv3.files import write_atomically, write_with
from docs.settings import ROOT

LIVE = ROOT / "build" / "live"
HERE = Path(__file__).parent
SCENES = 24
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
OWN = ("live.js", "worker.mjs", "live.css")
_MADE = ("model.onnx", "about.json", "scenes.webp", "labels.png", "poster.webp", *RUNTIME)
BRANCHES = ("1×1", "first rate", "second rate", "third rate", "image pooling")
NEEDED = ("onnx", "onnxscript", "onnxruntime")
ABSENT = (
    "This copy of the book was built without the live model: that needs npm, which comes with Node.js, and "
    "`pip install 'dlv3[export]'`."
)


class MissingToolError(RuntimeError):
    """The live page cannot be made here. The book can, without it."""


def make(folder: Path) -> None:
    """Make the files, unless the same ones are there.

    Args:
        folder: where they go.

    Raises:
        MissingToolError: npm or a package for the export is not installed, or npm could not get what it needs.
    """
    digest = _digest()
    stamp = folder / "digest.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise MissingToolError(
            f"{', '.join(missing)} not installed; call pip install 'dlv3[export]', then repeat the command"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _install(folder)

    from docs.live.model import live_model

    content, about = live_model()
    write_atomically(folder / "model.onnx", content)
    write_atomically(folder / "about.json", about.encode())
    _scenes(folder)
    write_atomically(stamp, digest.encode())


def put(folder: Path, target: Path) -> str:
    """Copy the files into the book, if they were made.

    Args:
        folder: where `make` wrote them.
        target: the book's folder for them.

    Returns:
        The page's part: the live model as HTML, or words that say why it is not there.
    """
    if not (folder / "digest.txt").exists():
        shutil.rmtree(target, ignore_errors=True)
        return ABSENT
    target.mkdir(parents=True, exist_ok=True)
    for source in [*(folder / name for name in _MADE), *(HERE / name for name in OWN)]:
        copy = target / source.name
        if not copy.exists() or copy.stat().st_mtime < source.stat().st_mtime:
            shutil.copyfile(source, copy)
    page = (HERE / "live.html").read_text(encoding="utf-8")
    return re.sub(r"<!-- ([a-z]+) -->", lambda found: "".join(_lists()[found[1]]), page)


def _lists() -> dict[str, list[str]]:
    """Return the page's lists as HTML, by name: what to show, ASPP's branches, the classes."""
    names = [html.escape(name) for name in CLASSES]
    probabilities = [
        f'<option value="class-{c}">probability of {name}</option>' for c, name in enumerate(names)
    ]
    responses = [f'<option value="branch-{b}">response of {name}</option>' for b, name in enumerate(BRANCHES)]
    return {
        "views": [
            '<option value="classes">class map</option><optgroup label="Probability of one class">',
            *probabilities,
            '</optgroup><optgroup label="Response of one branch of ASPP">',
            *responses,
            "</optgroup>",
        ],
        "branches": [
            f'<label><input type="checkbox" id="live-branch-{b}" checked> {name}</label>'
            for b, name in enumerate(BRANCHES)
        ],
        "classes": [
            f'<li><i style="background: rgb({", ".join(map(str, colour))})"></i><span>{name}</span></li>'
            for name, colour in zip(names, SCENES_PALETTE.tolist(), strict=False)
        ],
    }


def _digest() -> str:
    digest = hashlib.sha256()
    for path in (
        assets.weights("scenes_laptop"),
        HERE / "model.py",
        HERE / "files.py",
        HERE / "package-lock.json",
    ):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


def _install(folder: Path) -> None:
    """Get onnxruntime-web by the lock file, and keep the three files that run a model on one thread."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingToolError("npm is not installed; install Node.js, then repeat the command")
    work = folder / "npm"
    work.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, work / name)
    command = [
        npm,
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--fetch-retries=1",
    ]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingToolError(f"npm ci ended with status {done.returncode}: {_reason(done.stderr)}")
    for name in RUNTIME:
        shutil.copyfile(work / "node_modules" / "onnxruntime-web" / "dist" / name, folder / name)
    shutil.rmtree(work)


def _reason(stderr: str) -> str:
    """Return the line of npm's complaint that says why: codes come before it, and the path of a log after it."""
    lines = [line.removeprefix("npm error").removeprefix("npm ERR!").strip() for line in stderr.splitlines()]
    sentences = [line for line in lines if len(line.split()) > 4]
    return next(iter([*sentences, *filter(None, lines)]), "no message")


def _scenes(folder: Path) -> None:
    """Write scenes that the model has not seen in training side by side, their labels, and one with its answer."""
    scenes = Scenes("val", pictures=SCENES)
    pairs = [scenes[index] for index in range(SCENES)]
    row = np.concatenate([image.numpy().transpose(1, 2, 0) for image, _ in pairs], axis=1)
    labels = np.concatenate([mask.numpy() for _, mask in pairs], axis=1)
    write_with(folder / "scenes.webp", lambda file: Image.fromarray(row).save(file, "WEBP", lossless=True))
    model = weights.load(assets.weights("scenes_laptop")).eval()
    prepared, _ = EvalTransform()(pairs[0][0])
    with torch.inference_mode():
        found = model(prepared[None]).argmax(1)[0]  # (129, 129)
    poster = np.concatenate(
        [pairs[0][0].numpy().transpose(1, 2, 0), colourise(found, SCENES_PALETTE)], axis=1
    )
    write_with(folder / "poster.webp", lambda file: Image.fromarray(poster).save(file, "WEBP", lossless=True))
    write_with(folder / "labels.png", lambda file: Image.fromarray(labels).save(file, "PNG", optimize=True))
