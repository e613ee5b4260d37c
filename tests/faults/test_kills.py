"""SIGKILL, SIGTERM, a full disk and folders that may not be changed, at any moment: nothing is lost.

After each fault no half file lies under a final name, and what was there before is still there, or its complete
successor is. The command is then given again, and ends as if it had never been disturbed: the same files, the weights
bit for bit, and nothing left over.
"""

import random
import re
import signal
from pathlib import Path

import pytest
from command_lines import one_error_line
from fault_harness import Ended, Fault, Kind
from folder_states import State, differences, lost, state_of
from profiles import LONG
from scenarios import COMMANDS, Scenario, Scenarios

KINDS: tuple[Kind, ...] = ("kill", "term", "full", "denied")
SIGTERM_STATUS = 143
WEIGHTS = "run/model.safetensors"


class Disturbed:
    """A folder in which a command is disturbed again and again."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario, self.folder = scenario, scenario.fresh(folder)
        self.before = state_of(self.folder)
        self.from_nothing = not self.before
        self.iteration = 0

    def strike(self, fault: Fault) -> bool:
        """Run the command into a fault. Returns False if it ended before that."""
        if self.refuses_to_repeat():
            return False
        ended = self.scenario.run(self.folder, fault)
        now = state_of(self.folder)
        where = f"{fault} at {ended.points}: {ended.err}"
        weights = self.scenario.complete.get(WEIGHTS)
        if now.get(WEIGHTS) == weights != self.before.get(WEIGHTS):
            # The training is complete, and what it replaces may go.
            self.before = {WEIGHTS: weights}
        assert lost(self.before, now, self.scenario.complete) == [], where
        if not (ended.status == -signal.SIGTERM and self.is_outside_the_command(ended, now)):
            require_clean_end(ended, fault.kind)
        if ended.status == 0:
            # A lock that may not be removed any more holds nothing, and the next training takes it over.
            kept = {"run/.lock"} if fault.kind == "denied" else set()
            assert set(differences(now, self.scenario.complete)) <= kept, where
            return False
        if self.from_nothing:
            # A training that began in an empty folder only ever gets further.
            iteration = now.get("run/checkpoint.pt", {}).get("iteration", 0)
            assert iteration >= self.iteration, where
            self.iteration = iteration
        return True

    def is_outside_the_command(self, ended: Ended, now: State) -> bool:
        """Tell whether a signal came before the command had begun, or after its end, when nobody takes signals."""
        return not ended.err or differences(now, self.scenario.complete) == []

    def state(self) -> State:
        return state_of(self.folder)

    def refuses_to_repeat(self) -> bool:
        """Tell whether all was done when a fault came, and the command overwrites nothing."""
        return not self.scenario.repeats and differences(self.state(), self.scenario.complete) == []

    def finish(self) -> None:
        """Run the command undisturbed."""
        if self.refuses_to_repeat():
            return
        ended = self.scenario.run(self.folder)
        assert ended.status == 0, ended.err
        assert differences(state_of(self.folder), self.scenario.complete) == []


def require_clean_end(ended: Ended, kind: Kind) -> None:
    """Check the exit status and what is printed."""
    assert "Traceback" not in ended.err
    if ended.status == 0:
        return
    if kind == "kill":
        assert ended.status == -9
    elif kind == "term":
        assert ended.status == SIGTERM_STATUS
        assert ended.err.splitlines()[-1].startswith("dlv3: stopped"), ended.err
    else:
        assert ended.status == 2, ended.err
        reason = {
            "full": "No space left on device",
            "denied": "Permission denied",
            "limit": "File too large",
        }[kind]
        assert reason in one_error_line(ended.err)
        assert one_error_line(ended.err) != f"dlv3: error: [Errno 28] {reason}", "which file?"


def of_each_file(scenario: Scenario, kind: Kind) -> list[str]:
    """Return a point for each file that a command writes: in its middle, or when it is complete and not yet moved.

    The short profile takes the first file of each kind: 0_mask.png stands for 1_mask.png too.
    """
    start = "half " if kind in ("kill", "full") else "os.rename "
    points = list(dict.fromkeys(point for point in scenario.points if point.startswith(start)))
    of_each_kind: dict[str, str] = {}
    for point in points:
        of_each_kind.setdefault(re.sub(r"\d+", "", point), point)
    return points if LONG else list(of_each_kind.values())[:7]


FAULTS = [(name, kind) for name in ("evaluate", "predict") for kind in KINDS]
FAULTS += [("export", "kill"), ("export", "full")]
FAULTS += [("train", "kill"), ("train", "full"), ("train over another", "kill"), ("ablate", "kill")]
if LONG:
    FAULTS += [("train", "term"), ("train", "denied"), ("train over another", "full"), ("ablate", "full")]
    FAULTS += [("export", "term"), ("export", "denied")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), FAULTS)
def test_command_that_is_disturbed_in_each_of_its_files_loses_nothing(
    name: str, kind: Kind, scenarios: Scenarios, tmp_path: Path, record_property
):
    scenario = scenarios[name]
    disturbed = Disturbed(scenario, tmp_path / "disturbed")
    struck = [disturbed.strike(Fault(kind, name=point)) for point in of_each_file(scenario, kind)]
    disturbed.finish()
    record_property(f"faults: {kind}, {name}", sum(struck))
    assert sum(struck) >= min(2, len(struck)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS if LONG else ["train", "predict"])
def test_half_of_the_largest_file_fits_on_the_disk(name: str, scenarios: Scenarios, tmp_path: Path):
    """A limit on the size of files stands for the end of the disk; it is the system's own error."""
    scenario = scenarios[name]
    disturbed = Disturbed(scenario, tmp_path / "disturbed")
    written = [file for file in scenario.done.rglob("*") if changed(file, scenario)]
    assert disturbed.strike(Fault("limit", size=max(file.stat().st_size for file in written) // 2))
    assert not list(disturbed.folder.rglob("*.part"))
    disturbed.finish()


def changed(file: Path, scenario: Scenario) -> bool:
    before = scenario.begin / file.relative_to(scenario.done)
    return file.is_file() and not (before.exists() and before.read_bytes() == file.read_bytes())


@pytest.mark.skipif(not LONG, reason="make faults tries every point")
@pytest.mark.parametrize(("name", "kind"), FAULTS)
def test_command_that_is_disturbed_once_loses_nothing(
    name: str, kind: Kind, scenarios: Scenarios, tmp_path: Path, record_property
):
    scenario, count, finished = scenarios[name], 0, []
    for point in range(1, len(scenario.points) + 1):
        disturbed = Disturbed(scenario, tmp_path / f"{point}")
        if disturbed.strike(Fault(kind, point)):
            count += 1
            # How much was written aside makes no difference: whatever lies there is written again.
            left = {n: None if n.endswith(".part") else each for n, each in disturbed.state().items()}
            if left not in finished:
                finished.append(left)
                disturbed.finish()
    record_property(f"faults: {kind}, {name}", count)


@pytest.mark.slow
# The long form kills each command 24 times.
@pytest.mark.parametrize(
    ("kind", "seed"),
    [("kill", s) for s in range(6)] + [("term", s) for s in range(3)] if LONG else [("kill", 0)],
)
@pytest.mark.parametrize("name", COMMANDS if LONG else ["train", "train over another"])
def test_command_that_is_disturbed_at_random_moments_loses_nothing(
    name: str, kind: Kind, seed: int, scenarios: Scenarios, tmp_path: Path, record_property
):
    scenario, moments = scenarios[name], random.Random(seed)
    disturbed, count = Disturbed(scenario, tmp_path / "disturbed"), 0
    for number in range(4 if LONG else 2):
        if disturbed.strike(Fault(kind, after=moments.uniform(0, scenario.seconds))):
            count += 1
        else:
            disturbed = Disturbed(scenario, tmp_path / f"disturbed-{number}")
    disturbed.finish()
    record_property(f"faults: {kind} at random moments, {name}", count)
