"""`dlv3 lab` in a real browser: it opens on the first lesson, without answers, pop-ups or requests to the outside."""

import os
import re
import subprocess
import sys
import time

import pytest
from labserver import free_port, watched

HARMLESS = ("favicon", "ResizeObserver loop", "/lsp/")


@pytest.fixture
def address(browser, tmp_path):
    """The address that the command prints, run in an empty folder by a learner who has never used Jupyter."""
    log, port = tmp_path / "log.txt", free_port()
    own = {"HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    own |= {f"JUPYTER_{part}_DIR": str(tmp_path / part.lower()) for part in ("CONFIG", "RUNTIME", "DATA")}
    own |= {f"JUPYTERLAB_{part}_DIR": str(tmp_path / part.lower()) for part in ("SETTINGS", "WORKSPACES")}
    work = tmp_path / "work"
    work.mkdir()
    command = [sys.executable, "-m", "dlv3", "lab", "--no-browser", "--port", str(port)]
    command += ["--", "--expose-app-in-browser"]
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=work, env=os.environ | own, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        end, found = time.monotonic() + 60, None
        while not found and server.poll() is None and time.monotonic() < end:
            time.sleep(0.25)
            found = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/\S+\?token=\w+", log.read_text())
        assert found, log.read_text()
        yield found[0]
    finally:
        server.terminate()
        server.wait(20)


def test_course_opens_on_the_first_lesson_with_nothing_in_the_way(address, page, tmp_path):
    watch = watched(page)
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context?.path === '00_start_here.ipynb'"
        " && window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'",
        timeout=60_000,
    )
    outputs = page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.widgets]"
        ".filter((cell) => cell.model.type === 'code').flatMap((cell) => cell.model.sharedModel.outputs)"
    )
    assert outputs == []
    page.wait_for_timeout(3000)  # the pop-up about news would come a moment after the page
    in_the_way = [found.text_content() for found in page.query_selector_all(".Toastify__toast, .jp-Dialog")]
    assert in_the_way == []
    assert [error for error in watch.errors if not any(known in error for known in HARMLESS)] == []
    assert watch.outside == []
    assert (tmp_path / "work" / "dlv3-lessons" / "glossary.ipynb").is_file()
