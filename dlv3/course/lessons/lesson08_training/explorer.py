"""The schedule explorer: the learning rate over the paper's training, poly beside step (section 4.1)."""

import traitlets as t

from dlv3.config.training import TrainingConfig
from dlv3.course.kit.explorer import Explorer, in_tenths
from dlv3.training.schedule import learning_rate_at


class ScheduleExplorer(Explorer):
    """Two curves of the learning rate over 30,000 iterations from 0.007: poly, and step for comparison.

    Args:
        power: of poly, 0.1 to 3 in tenths.
        drops: of step, 1 to 5, evenly spread over the training.
        factor: what each drop multiplies the learning rate by: 0.1, 0.2 or 0.5.
        warmup: length of a linear rise at the start of both, 0 to 20 percent of the training.
        at: the iteration at which both are read, 0 to 100 percent of the training.

    Raises:
        traitlets.TraitError: a value is out of its range.
    """

    script = "schedule"

    power = t.Float(0.9, min=0.1, max=3.0).tag(sync=True, state=True)
    drops = t.Int(2, min=1, max=5).tag(sync=True, state=True)
    factor = t.Enum((0.1, 0.2, 0.5), default_value=0.1).tag(sync=True, state=True)
    warmup = t.Int(0, min=0, max=20).tag(sync=True, state=True)
    at = t.Int(50, min=0, max=100).tag(sync=True, state=True)

    @t.validate("power")
    def _in_tenths(self, proposal: t.Bunch) -> float:
        return in_tenths(proposal)

    @property
    def iterations(self) -> int:
        """Length of the training."""
        return TrainingConfig().iterations

    @property
    def iteration(self) -> int:
        """Iteration at which the curves are read."""
        return self.at * self.iterations // 100

    @property
    def configs(self) -> dict[str, TrainingConfig]:
        """The training's configuration under each policy, for `dlv3.training.schedule.learning_rate_at`."""
        warmup = self.warmup * self.iterations // 100
        every = self.iterations // (self.drops + 1)
        return {
            "poly": TrainingConfig(schedule="poly", power=self.power, warmup=warmup),
            "step": TrainingConfig(schedule="step", step_every=every, step_factor=self.factor, warmup=warmup),
        }

    @property
    def means(self) -> dict[str, float]:
        """Under each policy, the mean learning rate over that of the first iteration without warm-up, 0 to 1."""
        return {
            name: sum(learning_rate_at(config, i) for i in range(config.iterations))
            / (config.iterations * config.learning_rate)
            for name, config in self.configs.items()
        }
