"""A real JupyterLab and a real Chromium, for the tests of the lessons in a browser and for the benchmark."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from dlv3.cli.lab import config_path, jupyter_options

try:
    from playwright.sync_api import Browser, Page, sync_playwright
except ImportError:
    sync_playwright = None

ROOT = Path(__file__).parents[2]
_INSTALLED = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
CHROMIUM = next(filter(None, _INSTALLED), None) if sync_playwright else None
NO_CHROMIUM = (
    "SKIPPED: no Chromium (Debian: apt-get install chromium) or no Playwright (pip install playwright) on this "
    "machine, so no lesson was opened in a browser"
)
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# Every cell stays on the page: what is far down is tested like what is on the screen.
_EVERY_CELL = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()


@contextmanager
def lab(folder: Path, *, theme: str = "JupyterLab Light", every_cell: bool = True) -> Iterator[str]:
    """Serve a folder by JupyterLab as `dlv3 lab` does, with settings of its own and without a token.

    every_cell: draw the cells that are not on the screen as well; JupyterLab's default is not to.

    Yields:
        The server's address.
    """
    port = free_port()
    private = folder.parent / f"{folder.name}-jupyter"
    settings = private / "lab-settings"
    settings.mkdir(parents=True, exist_ok=True)
    themes = {"@jupyterlab/apputils-extension:themes": {"theme": theme}}
    every = _EVERY_CELL if every_cell else {}
    (settings / "overrides.json").write_text(json.dumps(themes | every))
    command = [
        sys.executable, "-m", "jupyterlab", *jupyter_options(folder, browser=False, port=port),
        "--expose-app-in-browser", "--IdentityProvider.token=", f"--LabApp.app_settings_dir={settings}",
        f"--LabApp.workspaces_dir={private / 'workspaces'}", f"--LabApp.user_settings_dir={private / 'user'}",
    ]  # fmt: skip
    environment = os.environ | {
        "JUPYTER_CONFIG_PATH": config_path(),
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "OMP_NUM_THREADS": "1",
    }
    with (private / "log.txt").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(f"http://127.0.0.1:{port}/api/status", server, private / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(address: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@dataclass
class Watch:
    """What a page did that it should not: errors on its console, requests that would leave the machine."""

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


def watched(page: Page) -> Watch:
    """Stop every request to another machine, and write down such requests and the console's errors."""
    watch = Watch()

    def route(request_route):
        address = request_route.request.url
        if urlsplit(address).hostname in ("127.0.0.1", "localhost", None) or address.startswith(
            ("data:", "blob:")
        ):
            request_route.continue_()
        else:
            watch.outside.append(address)
            request_route.abort()

    page.route("**/*", route)
    page.on("console", lambda message: message.type == "error" and watch.errors.append(message.text))
    page.on("pageerror", lambda error: watch.errors.append(str(error)))
    return watch


def open_and_run(
    page: Page, address: str, notebook: str, *, cells: list[int] | None = None, timeout: float = 240
) -> None:
    """Open a notebook in JupyterLab, run its cells, and wait until the last one is done.

    cells: the places of those to run; all of them where left out.
    """
    page.goto(f"{address}/lab/tree/{quote(notebook)}?reset", wait_until="domcontentloaded")
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_function(
        "() => { const s = window.jupyterapp?.shell.currentWidget?.sessionContext;"
        " return s && s.session?.kernel?.status === 'idle' }",
        timeout=60_000,
    )
    done = page.evaluate(
        "async (places) => { const app = window.jupyterapp, book = app.shell.currentWidget.content;"
        " if (!places) await app.commands.execute('notebook:run-all-cells');"
        " else { book.deselectAll(); book.activeCellIndex = places[0];"
        " places.forEach((place) => book.select(book.widgets[place]));"
        " await app.commands.execute('notebook:run-cell'); }"
        " const ran = [...book.widgets].filter((cell, place) => cell.model.type === 'code'"
        " && (places ?? [place]).includes(place));"
        " return { counts: ran.map((cell) => cell.model.executionCount), errors: ran"
        ".flatMap((cell) => cell.model.sharedModel.outputs.filter((output) => output.output_type === 'error'))"
        ".map((output) => `${output.ename}: ${output.evalue}`) } }",
        cells,
    )
    assert done["errors"] == [], f"cells of {notebook} failed: {done['errors']}"
    if cells is not None:
        assert done["counts"] == list(range(1, len(cells) + 1)), (
            f"cells of {notebook} did not run in their order"
        )
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'",
        timeout=timeout * 1000,
    )


EXPLORERS = ".jp-OutputArea-output .dx, .jp-OutputArea-output .dlv3-image-explorer"


def run_in_kernel(page: Page, code: str) -> str:
    """Run code in the open notebook's kernel; what it prints."""
    return page.evaluate(
        "async (code) => { const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;"
        " let words = ''; const future = kernel.requestExecute({code});"
        " future.onIOPub = (m) => { if (m.header.msg_type === 'stream') words += m.content.text };"
        " await future.done; return words.trim() }",
        code,
    )


def shut_kernel_down(page: Page) -> None:
    """End the open notebook's kernel: a dozen lessons' models at once would not fit into a small machine's memory."""
    page.evaluate("window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown()")
