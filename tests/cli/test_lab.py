"""`dlv3 lab`: the working copy, JupyterLab's options, and one clear line for what does not fit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlv3 import assets
from dlv3.cli import lab, main

LESSONS = sorted(path.name for path in assets.lessons().glob("*.ipynb"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """In place of JupyterLab, what it would have been started with; from an empty folder."""
    from jupyterlab.labapp import LabApp

    calls: list[list[str]] = []
    monkeypatch.setattr(LabApp, "launch_instance", lambda argv: calls.append(argv))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "")
    monkeypatch.chdir(tmp_path)
    return calls


def error_line(capsys: pytest.CaptureFixture) -> str:
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("dlv3: error: ")
    return lines[0]


def test_lessons_are_copied_and_the_folder_is_said(started, tmp_path: Path, capsys):
    assert main(["lab"]) == 0
    folder = tmp_path / "dlv3-lessons"
    assert sorted(path.name for path in folder.glob("*.ipynb")) == LESSONS
    assert f"dlv3: your lessons are in {folder}" in capsys.readouterr().out.splitlines()


def test_jupyterlab_starts_on_the_first_lesson_on_this_machine_only(started, tmp_path: Path):
    main(["lab", "mine"])
    options = started[0]
    for expected in (
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={tmp_path / 'mine'}",
        "--LabApp.default_url=/lab/tree/00_start_here.ipynb",
    ):
        assert expected in options
    assert "--no-browser" not in options
    assert not any("token" in option or "password" in option for option in options)
    assert lab.FIRST_LESSON in LESSONS


def test_no_browser_and_port_reach_jupyterlab(started):
    main(["lab", "--no-browser", "--port", "9123"])
    assert "--no-browser" in started[0]
    assert "--ServerApp.port=9123" in started[0]


@pytest.mark.parametrize("before", [None, "/etc/mine"])
def test_news_are_off_and_other_configuration_stays(started, monkeypatch: pytest.MonkeyPatch, before):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", before or "")
    main(["lab"])
    settings = str(assets.jupyter_settings())
    assert os.environ["JUPYTER_CONFIG_PATH"] == (f"{settings}{os.pathsep}{before}" if before else settings)


@pytest.mark.parametrize(("user", "wanted"), [(0, True), (1000, False)])
def test_root_is_allowed(started, monkeypatch: pytest.MonkeyPatch, user: int, wanted: bool):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    main(["lab"])
    assert ("--allow-root" in started[0]) is wanted


@pytest.mark.parametrize(
    "typed",
    [
        ["lab", "--ServerApp.ip=0.0.0.0", "mine", "--LabApp.collaborative=True"],
        ["lab", "mine", "--", "--ServerApp.ip=0.0.0.0", "--LabApp.collaborative=True"],
    ],
)
def test_jupyters_own_options_are_passed_on_last(started, tmp_path: Path, typed: list[str]):
    assert main(typed) == 0
    assert started[0][-2:] == ["--ServerApp.ip=0.0.0.0", "--LabApp.collaborative=True"]
    assert (tmp_path / "mine" / lab.FIRST_LESSON).is_file()


def test_lesson_changed_by_the_learner_survives(started, tmp_path: Path):
    main(["lab"])
    lesson = tmp_path / "dlv3-lessons" / lab.FIRST_LESSON
    lesson.write_text("mine")
    assert main(["lab"]) == 0
    assert lesson.read_text() == "mine"


def test_without_the_course_it_says_what_to_install(started, tmp_path: Path, monkeypatch, capsys):
    find = lab.find_spec
    monkeypatch.setattr(lab, "find_spec", lambda name: None if name == "anywidget" else find(name))
    assert main(["lab"]) == 2
    line = error_line(capsys)
    assert "anywidget" in line
    assert "pip install 'dlv3[course]'" in line
    assert started == []
    assert list(tmp_path.iterdir()) == []


def test_file_in_the_folders_place_is_named(started, tmp_path: Path, capsys):
    (tmp_path / "dlv3-lessons").write_text("")
    assert main(["lab"]) == 2
    assert "dlv3-lessons: is a file; give a folder" in error_line(capsys)
    assert started == []


def test_lessons_own_folder_is_refused(started, capsys):
    assert main(["lab", str(assets.lessons())]) == 2
    assert "holds the lessons themselves" in error_line(capsys)


@pytest.mark.parametrize(
    "typed", [["--port", "0"], ["--port", "70000"], ["--port", "x"], ["a", "b"], ["--prot", "1"]]
)
def test_bad_arguments_are_one_line(started, capsys, typed: list[str]):
    assert main(["lab", *typed]) == 2
    error_line(capsys)
    assert started == []


def test_help_says_what_happens_to_changed_lessons(capsys):
    assert main(["lab", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "usage: dlv3 lab" in text
    assert "a lesson that you have changed is never written over" in text


def test_importing_the_command_does_not_load_jupyter():
    code = (
        "import sys, dlv3.cli.lab; print(*sorted(n for n in sys.modules if 'jupyter' in n or n == 'torch'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == ""
