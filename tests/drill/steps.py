"""The steps of a drill, with their times and results."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Step:
    """One step. *result* says what was found."""

    name: str
    seconds: float = 0.0
    result: str = "ok"


@dataclass
class Steps:
    """All steps so far, and the problems that they found."""

    steps: list[Step] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Measure a step."""
        step = Step(name)
        self.steps.append(step)
        begun = time.perf_counter()
        try:
            yield step
        finally:
            step.seconds = time.perf_counter() - begun

    def check(self, step: Step, problems: list[str], result: str) -> None:
        """Note what a step found: its problems, or its *result*."""
        self.problems += [f"{step.name}: {problem}" for problem in problems]
        step.result = f"{len(problems)} problems" if problems else result

    def table(self) -> str:
        """One line for each step, the total time, and the problems."""
        width = max(len(step.name) for step in self.steps)
        lines = [f"{step.name:<{width}}  {step.seconds:5.1f} s  {step.result}" for step in self.steps]
        total = sum(step.seconds for step in self.steps)
        outcome = f"{len(self.problems)} problems" if self.problems else "nothing differs"
        return "\n".join([*lines, f"{'total':<{width}}  {total:5.1f} s  {outcome}", *self.problems])
