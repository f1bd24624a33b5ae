"""Who makes a request, and the objects that it names."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from domain.policy import Action
from domain.user import Role
from tests.probes.things import DeletedTask, Person, Project, Session, Task
from tests.probes.world import World


class Relation(StrEnum):
    """The relation of the actor to the task."""

    OWNER = "owner"
    ASSIGNEE = "assignee"
    NONE = "none"


class State(StrEnum):
    """Where the task is."""

    ACTIVE = "active project"
    ARCHIVED = "archived project"
    PERSONAL = "personal task"


@dataclass(frozen=True)
class Scene:
    """An actor and a task. `project` is that of the task, or the active one if the task is personal.

    `person` is a further user, and `session` a session that may be that of the actor. `deleted` is a deleted task with
    the same relation to the actor, where the task is. `other` is a task of a project in which no actor has a role.
    """

    world: World
    actor: Person
    task: Task
    project: Project
    person: Person
    session: Session
    deleted: DeletedTask
    other: Task

    @classmethod
    def chosen(cls, world: World, chance: Random) -> "Scene":
        """Any actor, relation and state, see `_weight`."""
        [actor] = chance.choices(world.actors, [_weight(each) for each in world.actors])
        relation, state = chance.choice([*Relation]), chance.choice([*State])
        project = {State.ACTIVE: world.active, State.ARCHIVED: world.archived, State.PERSONAL: None}[state]
        [task] = [each for each in world.tasks.values() if _is(world, each, actor, relation, project)]
        session = chance.choice([each for each in world.sessions if each.user in (actor, world.keeper)])
        deleted = chance.choice([each for each in world.deleted if _is(world, each.task, actor, relation, project)])
        other = world.task_in(world.elsewhere)
        return cls(world, actor, task, project or world.active, world.outsider, session, deleted, other)

    def may(self, action: Action) -> bool:
        """Whether the policy permits this for the task."""
        return self.task.permits(self.actor, action)

    def may_in_project(self, action: Action) -> bool:
        """Whether the policy permits this for the project."""
        return self.project.permits(self.actor, action)

    def with_owner_or_manager(self, action: Action) -> "Scene":
        """The same task or a similar one, and an actor who may do this to it."""
        if self.task.project is None:
            return replace(self, actor=self.task.owner)
        return self.with_manager(action)

    def with_manager(self, action: Action) -> "Scene":
        """A manager of the project, or of the active one if the policy forbids this in an archived one."""
        project = self.project if self.project.permits(self.world.manager, action) else self.world.active
        return replace(self, actor=self.world.manager, project=project)

    def with_admin(self) -> "Scene":
        """An admin."""
        return replace(self, actor=self.world.admin)

    def with_actor(self, actor: Person) -> "Scene":
        """The same request by another user."""
        return replace(self, actor=actor)

    def with_person(self, person: Person) -> "Scene":
        """A request that names another user."""
        return replace(self, person=person)

    def with_other(self, task: Task) -> "Scene":
        """A request that names another further task."""
        return replace(self, other=task)

    def with_task_beside(self) -> "Scene":
        """A request that names another task of the project."""
        return self.with_other(self.world.task_in(self.project, beside=self.task))

    async def with_copied_task(self) -> "Scene":
        """A copy of the task, for a change."""
        project = self.project if self.task.project is not None else None
        return replace(self, task=await self.world.copy_of_task(self.task, project))

    async def with_task_in_project(self) -> "Scene":
        """A copy of the task in the project, for a change."""
        return replace(self, task=await self.world.copy_of_task(self.task, self.project))

    async def with_both_in_project(self) -> "Scene":
        """Copies of both tasks in the project, for a change."""
        scene = await self.with_task_in_project()
        return scene.with_other(await self.world.copy_of_task(self.other, self.project))

    async def with_copied_deleted(self) -> "Scene":
        """A copy of the deleted task, for a change."""
        project = self.project if self.deleted.task.project is not None else None
        return replace(self, deleted=await self.world.copy_of_deleted(self.deleted, project))

    async def with_copied_project(self) -> "Scene":
        """A copy of the project, for a change."""
        return replace(self, project=await self.world.copy_of_project(self.project))

    async def with_new_person(self) -> "Scene":
        """A new user, for a change."""
        return replace(self, person=await self.world.add_person())

    async def with_new_session(self) -> "Scene":
        """A new session of the same user, for a change."""
        return replace(self, session=await self.world.add_session(self.session.user))

    def __str__(self) -> str:
        return f"actor ({self.actor}), task {self.task.word} ({', '.join(self._facts())})"

    def _facts(self) -> Iterator[str]:
        people = {"owned": self.task.owner, "assigned": self.task.assignee}
        yield from (name for name, person in people.items() if person is self.actor)
        if self.task.project is None:
            yield "personal"
        else:
            yield "archived project" if self.project.is_archived else "active project"


def _weight(person: Person) -> int:
    """Those who may read less are chosen more often."""
    return (4 if person.role is Role.USER else 1) * (2 if person.standing.role is None else 1)


def _is(world: World, task: Task, actor: Person, relation: Relation, project: Project | None) -> bool:
    if task.project is not project or task.parent is not None:
        return False
    if relation is Relation.NONE:
        return task.owner is world.keeper and task.assignee is None
    return (task.owner if relation is Relation.OWNER else task.assignee) is actor
