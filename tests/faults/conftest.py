"""The warm process and the scenarios, prepared once; and how many faults there were, at the end."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from fault_harness import WarmProcess
from scenarios import COMMANDS, TRAIN, Scenarios


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmProcess]:
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    process = WarmProcess([TRAIN, *(COMMANDS[name] for name in ("evaluate", "export", "ablate"))])
    yield process
    process.close()


@pytest.fixture(scope="session")
def scenarios(warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory) -> Scenarios:
    """Gives a scenario by its name; each is prepared once."""
    return Scenarios(warm, tmp_path_factory)


def pytest_terminal_summary(terminalreporter) -> None:
    """Print how many faults there were, by kind and command."""
    reports = [r for name in ("passed", "failed") for r in terminalreporter.stats.get(name, [])]
    counts: Counter[str] = Counter()
    for report in reports:
        for name, number in report.user_properties:
            if name.startswith("faults: "):
                counts[name.removeprefix("faults: ")] += number
    if counts:
        terminalreporter.section("faults")
        for name in sorted(counts):
            terminalreporter.write_line(f"{counts[name]:5}  {name}")
