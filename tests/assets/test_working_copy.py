"""A learner's working copy: brought up to date without ever touching what the learner has changed."""

import errno
import json
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dlv3 import assets
from dlv3.assets import working_copy
from dlv3.assets.working_copy import MANIFEST, update, without_outputs

NAMES = ("00_first.ipynb", "01_second.ipynb", "glossary.ipynb")


def write_lessons(folder: Path, edition: int, names: tuple[str, ...] = NAMES) -> Path:
    """Lessons whose text says which edition they are of, with an output that must not be copied."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        code = nbformat.v4.new_code_cell("1 + 1", id="code", execution_count=3)
        code.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=3)]
        text = nbformat.v4.new_markdown_cell(f"# {name}, edition {edition}", id="text")
        nbformat.write(nbformat.v4.new_notebook(cells=[text, code]), folder / name)
    return folder


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    return write_lessons(tmp_path / "lessons", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def clean(lessons: Path, name: str) -> bytes:
    return without_outputs((lessons / name).read_text())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}


def test_every_lesson_is_copied_without_outputs(lessons: Path, folder: Path):
    done = update(folder, lessons, "1.0")
    assert done.copied == list(NAMES)
    for name in NAMES:
        cells = nbformat.read(folder / name, as_version=4).cells
        assert cells[0].source.startswith(f"# {name}")
        assert (cells[1].outputs, cells[1].execution_count) == ([], None)
    assert sorted(contents(folder)) == list(NAMES)


def test_real_lessons_keep_all_but_their_outputs(folder: Path):
    update(folder, assets.lessons(), "1.0")
    for path in assets.lessons().glob("*.ipynb"):
        ours, theirs = (nbformat.read(p, as_version=4) for p in (path, folder / path.name))
        nbformat.validate(theirs)
        assert [c.source for c in ours.cells] == [c.source for c in theirs.cells]
        assert [c.metadata for c in ours.cells] == [c.metadata for c in theirs.cells]
        assert [c.id for c in ours.cells] == [c.id for c in theirs.cells]
        assert not any(c.get("outputs") for c in theirs.cells)


def test_copied_file_is_as_jupyter_would_write_it(folder: Path, tmp_path: Path):
    """Otherwise a notebook that is only opened and saved would count as changed."""
    update(folder, assets.lessons(), "1.0")
    for path in folder.glob("*.ipynb"):
        saved = tmp_path / path.name
        nbformat.write(nbformat.read(path, as_version=4), saved)
        assert saved.read_bytes() == path.read_bytes()


def test_widgets_state_is_not_copied():
    notebook = {"metadata": {"widgets": {"state": {}}, "kernelspec": {"name": "python3"}}, "cells": []}
    assert json.loads(without_outputs(json.dumps(notebook)))["metadata"] == {
        "kernelspec": {"name": "python3"}
    }


def test_second_run_changes_and_says_nothing(lessons: Path, folder: Path):
    update(folder, lessons, "1.0")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert update(folder, lessons, "1.0").lines() == []
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_changed_lesson_is_kept_and_not_spoken_of_without_a_newer_one(lessons: Path, folder: Path):
    update(folder, lessons, "1.0")
    (folder / NAMES[0]).write_text("mine")
    assert update(folder, lessons, "1.0").lines() == []
    assert (folder / NAMES[0]).read_text() == "mine"


def test_deleted_lesson_is_copied_again(lessons: Path, folder: Path):
    update(folder, lessons, "1.0")
    (folder / NAMES[1]).unlink()
    assert update(folder, lessons, "1.0").copied == [NAMES[1]]
    assert (folder / NAMES[1]).read_bytes() == clean(lessons, NAMES[1])


def test_newer_version_replaces_the_unchanged_and_is_put_beside_the_changed(lessons: Path, folder: Path):
    update(folder, lessons, "1.0")
    (folder / NAMES[0]).write_text("mine")
    write_lessons(lessons, 2)
    done = update(folder, lessons, "1.1")
    assert done.replaced == [NAMES[1], NAMES[2]]
    assert done.kept == {NAMES[0]: "00_first-dlv3-1.1.ipynb"}
    assert f"{NAMES[0]} is yours" in done.lines()[-1]
    assert "00_first-dlv3-1.1.ipynb" in done.lines()[-1]
    assert (folder / NAMES[0]).read_text() == "mine"
    assert (folder / "00_first-dlv3-1.1.ipynb").read_bytes() == clean(lessons, NAMES[0])
    assert update(folder, lessons, "1.1").lines() == []


def test_newer_lesson_that_was_put_beside_and_deleted_does_not_come_back(lessons: Path, folder: Path):
    update(folder, lessons, "1.0")
    (folder / NAMES[0]).write_text("mine")
    write_lessons(lessons, 2)
    update(folder, lessons, "1.1")
    (folder / "00_first-dlv3-1.1.ipynb").unlink()
    assert update(folder, lessons, "1.1").lines() == []
    write_lessons(lessons, 3)
    assert update(folder, lessons, "1.2").kept == {NAMES[0]: "00_first-dlv3-1.2.ipynb"}


def test_two_editions_of_one_version_have_names_of_their_own(lessons: Path, folder: Path):
    update(folder, lessons, "1.0")
    (folder / NAMES[0]).write_text("mine")
    for edition, name in ((2, "00_first-dlv3-1.0.ipynb"), (3, "00_first-dlv3-1.0-2.ipynb")):
        write_lessons(lessons, edition)
        assert update(folder, lessons, "1.0").kept == {NAMES[0]: name}
    assert f"edition {2}" in (folder / "00_first-dlv3-1.0.ipynb").read_text()


def test_lesson_put_beside_and_taken_over_counts_as_unchanged(lessons: Path, folder: Path):
    update(folder, lessons, "1.0")
    (folder / NAMES[0]).write_text("mine")
    write_lessons(lessons, 2)
    update(folder, lessons, "1.1")
    (folder / "00_first-dlv3-1.1.ipynb").replace(folder / NAMES[0])
    update(folder, lessons, "1.1")
    write_lessons(lessons, 3)
    assert NAMES[0] in update(folder, lessons, "1.2").replaced


def test_learners_own_files_are_left_alone(lessons: Path, folder: Path):
    (folder / "runs").mkdir(parents=True)
    (folder / "notes.ipynb").write_text("notes")
    (folder / "runs" / "a.txt").write_text("a")
    update(folder, lessons, "1.0")
    assert (folder / "notes.ipynb").read_text() == "notes"
    assert (folder / "runs" / "a.txt").read_text() == "a"


def test_file_of_a_lessons_name_that_was_there_before_is_the_learners(lessons: Path, folder: Path):
    folder.mkdir()
    (folder / NAMES[0]).write_text("mine")
    assert update(folder, lessons, "1.0").kept == {NAMES[0]: "00_first-dlv3-1.0.ipynb"}
    assert (folder / NAMES[0]).read_text() == "mine"


def test_link_to_a_file_elsewhere_is_the_learners(lessons: Path, folder: Path, tmp_path: Path):
    update(folder, lessons, "1.0")
    elsewhere = tmp_path / "elsewhere.ipynb"
    (folder / NAMES[0]).replace(elsewhere)
    (folder / NAMES[0]).symlink_to(elsewhere)
    (folder / NAMES[1]).unlink()
    (folder / NAMES[1]).symlink_to(tmp_path / "nowhere")
    before = elsewhere.read_bytes()
    write_lessons(lessons, 2)
    assert set(update(folder, lessons, "1.1").kept) == {NAMES[0], NAMES[1]}
    assert (folder / NAMES[0]).is_symlink()
    assert (folder / NAMES[1]).is_symlink()
    assert elsewhere.read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


def test_link_to_a_folder_is_followed(lessons: Path, folder: Path, tmp_path: Path):
    (tmp_path / "real").mkdir()
    folder.symlink_to(tmp_path / "real")
    update(folder, lessons, "1.0")
    assert (tmp_path / "real" / NAMES[0]).is_file()


def test_folder_in_a_lessons_place_is_the_learners(lessons: Path, folder: Path):
    (folder / NAMES[0]).mkdir(parents=True)
    assert update(folder, lessons, "1.0").kept == {NAMES[0]: "00_first-dlv3-1.0.ipynb"}
    assert (folder / NAMES[0]).is_dir()


DAMAGED = [
    "",
    "{",
    "[]",
    "null",
    '{"copied": {}}',
    '{"copied": [], "offered": {}}',
    '{"copied": {"a": 1}, "offered": {}}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("manifest", DAMAGED)
def test_damaged_manifest_is_said_and_nothing_of_the_learners_is_lost(
    lessons: Path, folder: Path, manifest: str | bytes
):
    update(folder, lessons, "1.0")
    (folder / NAMES[0]).write_text("mine")
    (folder / MANIFEST).write_bytes(manifest if isinstance(manifest, bytes) else manifest.encode())
    done = update(folder, lessons, "1.0")
    assert MANIFEST in done.lines()[0]
    assert "damaged" in done.lines()[0]
    assert (folder / NAMES[0]).read_text() == "mine"
    assert update(folder, lessons, "1.0").lines() == []


def test_unchanged_lesson_of_an_older_version_is_kept_where_the_manifest_is_lost(lessons: Path, folder: Path):
    update(folder, lessons, "1.0")
    (folder / MANIFEST).unlink()
    write_lessons(lessons, 2)
    assert set(update(folder, lessons, "1.1").kept) == set(NAMES)


def test_file_in_the_folders_place_is_named(lessons: Path, folder: Path):
    folder.write_text("a file")
    with pytest.raises(NotADirectoryError, match=r"copy: is a file; give a folder"):
        update(folder, lessons, "1.0")


def test_lessons_own_folder_is_refused(lessons: Path):
    before = contents(lessons)
    with pytest.raises(ValueError, match="holds the lessons themselves"):
        update(lessons, lessons, "1.0")
    assert contents(lessons) == before


@pytest.mark.parametrize("place", ["file/copy", "dangling"])
def test_folder_that_cannot_be_made_is_named(lessons: Path, tmp_path: Path, place: str):
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "file" / "nowhere")
    with pytest.raises(OSError, match=r"(copy|dangling): cannot be written \(.+\); give another folder"):
        update(tmp_path / place, lessons, "1.0")


def test_folder_that_cannot_be_written_is_named(lessons: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(path: Path, content: bytes) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(working_copy, "write_atomically", refused)
    with pytest.raises(OSError, match=r"copy: cannot be written \(Permission denied\); give another folder"):
        update(folder, lessons, "1.0")


class Learner(RuleBasedStateMachine):
    """Any order of changes, deletions, new editions and updates: the learner's work is never lost."""

    @initialize()
    def begin(self):
        self.root = Path(tempfile.mkdtemp())
        self.lessons, self.folder = self.root / "lessons", self.root / "copy"
        self.edition, self.own = 1, {}
        write_lessons(self.lessons, 1)
        self.update()

    def teardown(self):
        if hasattr(self, "root"):
            shutil.rmtree(self.root)

    @rule()
    def update(self):
        done = update(self.folder, self.lessons, f"1.{self.edition // 2}")  # two editions a version
        assert not set(done.copied + done.replaced) & set(self.own)
        for name in set(NAMES) - set(self.own):
            assert (self.folder / name).read_bytes() == clean(self.lessons, name)
        for beside in done.kept.values():
            assert f"edition {self.edition}" in (self.folder / beside).read_text()
        assert update(self.folder, self.lessons, f"1.{self.edition // 2}").lines() == []

    @rule()
    def publish_a_new_edition(self):
        self.edition += 1
        write_lessons(self.lessons, self.edition)

    @rule(name=st.sampled_from(NAMES), text=st.text(max_size=5))
    def change(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        self.own[name] = (self.folder / name).read_bytes()

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name):
        (self.folder / name).unlink(missing_ok=True)
        self.own.pop(name, None)

    @rule(text=st.sampled_from(["{", "null", '{"copied": {}, "offered": []}']))
    @precondition(lambda self: not self.stale())
    def damage_the_manifest(self, text):
        (self.folder / MANIFEST).write_text(text)
        self.update()

    def stale(self) -> bool:
        """Whether an unchanged lesson is of an older edition: without the manifest it would be the learner's."""
        return any(
            (self.folder / name).exists() and (self.folder / name).read_bytes() != clean(self.lessons, name)
            for name in set(NAMES) - set(self.own)
        )

    @rule(data=st.data())
    def change_or_delete_a_lesson_put_beside(self, data):
        beside = sorted(path.name for path in self.folder.glob("*-dlv3-*.ipynb") if path.name not in self.own)
        if beside:
            name = data.draw(st.sampled_from(beside))
            if data.draw(st.booleans()):
                (self.folder / name).unlink()
            else:
                (self.folder / name).write_text("notes of mine")
                self.own[name] = b"notes of mine"

    @invariant()
    def nothing_of_the_learners_is_lost(self):
        for name, content in getattr(self, "own", {}).items():
            assert (self.folder / name).read_bytes() == content


Learner.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestLearner = Learner.TestCase
