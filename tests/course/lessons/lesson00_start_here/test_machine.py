"""The check of the machine says what is missing and what to do, and nothing if nothing is missing."""

import re
import tomllib
from pathlib import Path

import pytest

from dlv3.course.lessons.lesson00_start_here import machine
from dlv3.course.lessons.lesson00_start_here.machine import Machine

ENOUGH = dict(python="3.12.4", torch="2.11.0+cpu", cores=2, memory=8.0)


def test_enough_is_ready():
    assert Machine(**ENOUGH).lacks() == ()
    assert Machine(**ENOUGH).verdict().kind == "right"


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        (dict(python="3.9.18"), "Python is 3.9.18: install 3.11"),
        (dict(torch="2.9.1"), "torch is 2.9.1: install 2.11"),
        (dict(cores=1), "One core only"),
        (dict(memory=1.94), "1.9 GiB of memory"),
    ],
)
def test_what_is_missing_is_named(change, phrase):
    poor = Machine(**(ENOUGH | change))
    assert len(poor.lacks()) == 1
    assert phrase in poor.lacks()[0]
    assert poor.verdict().kind == "note"


def test_unknown_memory_is_accepted():
    unknown = Machine(**(ENOUGH | dict(memory=None)))
    assert unknown.lacks() == ()
    assert "memory  unknown" in str(unknown)


def test_this_machine_is_described():
    here = Machine.here()
    assert here.cores >= 1
    assert here.memory is None or here.memory > 0
    assert str(here).splitlines()[0].split()[0] == "Python"


def test_lowest_versions_are_those_of_the_project():
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    torch = next(line for line in project["dependencies"] if line.startswith("torch>"))
    declared = [tuple(map(int, re.findall(r"\d+", text)[:2])) for text in (project["requires-python"], torch)]
    assert declared == [machine.LEAST_PYTHON, machine.LEAST_TORCH]
