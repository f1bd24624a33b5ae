"""Probes of `taskriver export --as`: the file has the tasks that the user may read, and no other."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from cli.progress import ProgressBar
from cli.transfer import export_tasks
from cli.transfer.formats import Format
from tests.probes.probe import Ground, Result
from tests.probes.scene import Scene


@dataclass(frozen=True)
class Export:
    """An export in one format."""

    format: Format
    entry: str = "CLI"

    @property
    def name(self) -> str:
        """What is run."""
        return f"export of {self.format.value}"

    async def run(self, ground: Ground, chance: Random) -> Result:
        """Export as any user. The control is that all readable tasks are in the file."""
        scene = Scene.chosen(ground.world, chance)
        target = io.StringIO()
        settings = ground.servers.api.server.settings
        with ProgressBar("tasks", total=None) as bar:
            await export_tasks._export(settings, scene.actor.name, target, self.format, bar)
        result = Result(is_refused=not scene.task.is_readable_by(scene.actor), controls=1)
        result.note(scene, self._differences(scene, target.getvalue()))
        return result

    def _differences(self, scene: Scene, text: str) -> Iterator[str]:
        for task in scene.world.tasks.values():
            if task.is_readable_by(scene.actor) is not (str(task.id) in text and task.word in text):
                yield f"the export is wrong about the task {task.word}"
        yield from (f"the export has {word}" for word in scene.world.words.leaked(text.encode(), scene.actor))
