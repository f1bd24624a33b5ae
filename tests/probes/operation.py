"""One kind of probe: a request that names an object, the expected answer, and the positive control."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from tests.probes.scene import Scene
from tests.probes.things import Task

Json = dict[str, Any]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A GraphQL operation with its variables."""

    text: str
    variables: Json


@dataclass(frozen=True)
class RestRequest:
    """A request to the REST API; the path is without its prefix."""

    method: str
    path: str
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Request = Document | RestRequest
Copy = Callable[[Scene], Awaitable[Scene]]


async def no_copy(scene: Scene) -> Scene:
    """For requests that change nothing."""
    return scene


def any_scene(scene: Scene) -> bool:
    """For requests that exist for each task."""
    return True


def project_task(scene: Scene) -> bool:
    """For requests that need a task of a project."""
    return scene.task.project is not None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A kind of probe.

    `probes` are the arguments that name the object, as in `arguments.py`. `shows` decides whether the value of the root
    field has exactly what it should have if the expected answer is ALLOWED. `ids` are the places of ids in the
    variables, that of the foreign object first; `is_typed` says whether they have to be of one type. A copy of the
    object is made before a request that is expected to change it. `keeps` are tasks that it names and does not change.
    `prepare` chooses the objects of the request. It is sent in scenes that it `fits`, more often in those that it
    `prefers`: by default those in which it is refused. `has_version` says whether a refusal comes before that of a
    wrong version.
    """

    name: str
    make: Callable[[Scene], Request]
    expected: Callable[[Scene], str]
    control: Callable[[Scene], Scene]
    probes: frozenset[str] = frozenset()
    shows: Callable[[Any, Scene], bool] = lambda value, scene: True
    secret: Callable[[Scene], str | None] = lambda scene: None
    prepare: Callable[[Scene], Scene] = lambda scene: scene
    copy: Copy = no_copy
    keeps: Callable[[Scene], Collection[Task]] = lambda scene: ()
    ids: tuple[Path, ...] = ()
    is_typed: bool = True
    admins_only: bool = False
    has_version: bool = True
    fits: Callable[[Scene], bool] = any_scene
    prefers: Callable[[Scene], bool] | None = None

    @property
    def changes(self) -> bool:
        """Whether it changes something if it succeeds."""
        return self.copy is not no_copy


def placed(variables: Json, path: Path, value: Any) -> Json:
    """The variables with another value at a place."""
    first, *rest = path
    copied: Any = dict(variables) if isinstance(variables, dict) else list(variables)
    copied[first] = placed(copied[first], tuple(rest), value) if rest else value
    return cast("Json", copied)
