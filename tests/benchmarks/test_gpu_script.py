"""benchmarks/gpu.sh spends a GPU's minutes in order, keeps to its budget and keeps what was finished."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Writes down how it was called, and does what the test says: sleep, fail, or leave a record.
STUB = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
    *"import pytest"*) exit ${PYTEST:-0} ;;
    *"-m pytest"*) exit ${TESTS:-0} ;;
    *"-m benchmarks"*) [ -z "$SLOW" ] || exec sleep 60 ;;
    *"-m dlv3"*) mkdir -p "$OUT/results/tiny" && echo {} > "$OUT/results/tiny/run.json" ;;
esac
"""


def run_script(tmp_path: Path, *arguments: str, **variables: str) -> tuple[int, list[str], list[str]]:
    """Run the script with a stub for Python. Returns its status, its summary and the stub's calls."""
    stub, calls, out = tmp_path / "python", tmp_path / "calls", tmp_path / "out"
    stub.write_text(STUB)
    stub.chmod(stub.stat().st_mode | stat.S_IXUSR)
    # What the stub is told is the test's alone, whatever the environment has.
    given = {"PYTEST": "", "TESTS": "", "SLOW": ""} | variables
    given |= {"PYTHON": str(stub), "CALLS": str(calls), "OUT": str(out)}
    command = ["bash", ROOT / "benchmarks" / "gpu.sh", "--out", out, "--device", "cpu", *arguments]
    done = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False)
    return done.returncode, (out / "summary.txt").read_text().splitlines(), calls.read_text().splitlines()


def test_tests_then_speed_then_tables_with_the_most_wanted_first(tmp_path):
    status, summary, calls = run_script(tmp_path, "--jobs", "3", "--", "--compile")
    assert status == 0
    assert [line.partition(":")[0] for line in summary[:3]] == ["tests", "speed", "tables"]
    assert summary[3].startswith("1 runs recorded")
    _, tests, speed, tables = calls
    assert tests.startswith("-m pytest")
    assert speed.startswith("-m benchmarks gpu --device cpu --json")
    assert speed.endswith("--compile")
    assert tables.startswith("-m dlv3 ablate T2 T3 T5 T1 T6 --preset quarter --seeds 3 --jobs 3 --results")
    assert (tmp_path / "out" / "results.tar.gz").is_file()


@pytest.mark.slow
def test_a_step_that_takes_too_long_is_stopped_and_the_next_begins(tmp_path):
    begun = time.monotonic()
    status, summary, calls = run_script(tmp_path, "--seconds", "14", "--skip", "tests", SLOW="yes")
    assert time.monotonic() - begun < 60, "the stub would have slept for a minute"
    assert status == 0
    assert summary[0] == "tests: skipped"
    assert "speed: stopped after" in summary[1]
    assert calls[-1].startswith("-m dlv3 ablate")


def test_a_step_that_fails_is_told_and_the_others_run(tmp_path):
    status, summary, calls = run_script(tmp_path, TESTS="1")
    assert status == 1
    assert summary[0].startswith("tests: FAILED with status 1, see tests.log")
    assert calls[-1].startswith("-m dlv3 ablate")


def test_without_pytest_the_tests_are_left_out(tmp_path):
    status, summary, _ = run_script(tmp_path, PYTEST="1")
    assert status == 0
    assert summary[0] == "tests: left out, because pytest is not installed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seconds", "soon"], "soon: expected a whole number"),
        (["--faster"], "--faster: not an option"),
        (["--jobs"], "--jobs: give a value"),
        ([], "--out: give a folder"),
    ],
)
def test_bad_options_end_in_status_2_and_one_line(arguments, message):
    command = ["bash", ROOT / "benchmarks" / "gpu.sh", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_it_is_rehearsed_on_the_cpu_at_tiny_sizes(tmp_path):
    small = ["--size", "33", "--batch", "1", "--training-size", "33", "--training-batch", "2"]
    small += ["--output-stride", "16", "--rounds", "1"]
    command = ["bash", ROOT / "benchmarks" / "gpu.sh", "--out", tmp_path / "out", "--device", "cpu"]
    command += ["--tests", "tests/benchmarks/test_rows.py", "--preset", "tiny", "--tables", "T2"]
    command += ["--seeds", "1", "--jobs", "2", "--seconds", "3600", "--", *small]
    environment = os.environ | {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    summary = (tmp_path / "out" / "summary.txt").read_text()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert summary.count(": done in") == 3
    rows = json.loads((tmp_path / "out" / "gpu.json").read_text())["rows"]
    assert {row["section"] for row in rows} == {"gpu inference", "gpu training"}
    ours = [row for row in rows if row["what"] == "dlv3"]
    assert ours
    assert all(row["rival"].startswith("torchvision") for row in ours)
    records = [json.loads(path.read_text()) for path in (tmp_path / "out" / "results").rglob("*.json")]
    assert {record["table"] for record in records} == {"T2"}
