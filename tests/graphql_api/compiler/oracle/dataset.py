"""A database with users, tasks and a history, and both executors for it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson

from asgi.client import Identity
from asgi.request_context import RequestContext
from domain.actor import Actor
from domain.audit import AuditAction, AuditEntry, Subject
from domain.project import ProjectRole
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from graphql_api.context import Context
from graphql_api.execution.compiled_executor import CompiledExecutor
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.request import OperationRequest
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id
from persistence.models import ProjectRow, UserRow, membership_id
from persistence.queries.task_list import TaskOrder
from services import comment as comment_service
from services import task as task_service
from services import task_creation, task_move
from services.invitation import create_invitation
from services.mail import LinkMaker
from services.task_move import Move
from tests.graphql_api.compiler.oracle.generator import KEYS, Sent, Writer, names
from tests.support.api import Api
from tests.support.builders import AnyTask, Builders

SECONDS = 60
_LATER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class Ground:
    """The users and the ids for requests."""

    api: Api
    actors: list[Actor]
    ids: list[str]
    cursors: dict[str, list[str]]
    general: Executor[Context]
    compiled: CompiledExecutor

    @classmethod
    async def prepared(cls, api: Api) -> "Ground":
        """One user of each role, with own and other tasks and their events."""
        users = [await api.a_user(role) for role in Role]
        sessions = [await api.build.a_session(user) for user in users]
        actors = [Builders.actor(user, session.id) for user, session in zip(users, sessions, strict=True)]
        chance = random.Random(5)
        projects = [
            await api.build.a_project(
                *((user, role) for user, role in zip(users[number:], ProjectRole, strict=False)),
                key=key.upper(),
                is_archived=number == 1,
            )
            for number, key in enumerate(KEYS[:3])
        ]
        of_projects = [
            await _with_subtasks(api, project, user, number=50) for project, user in zip(projects, users, strict=True)
        ]
        tasks: list[AnyTask] = []
        for number in range(24):
            owner, other = chance.choice(actors), chance.choice([*users, None])
            made = await task_creation.create_task(
                api.build.as_(owner),
                title=f"Task {number}",
                description="100% of a_b\\" if number % 5 else "",
                priority=chance.choice(list(TaskPriority)),
                assignee_id=other.id if other else None,
            )
            for status in chance.sample((TaskStatus.IN_PROGRESS, TaskStatus.DONE), chance.randint(0, 2)):
                await task_service.update_task_status(api.build.as_(owner), task_id=made.id, status=status)
            tasks.append(made)
        labels = [await api.build.a_label(project, f"Label {name}") for project in projects for name in "bac"]
        moved = await task_creation.create_task(api.build.as_(actors[-1]), title="Moved", project_id=projects[0].id)
        admin, to_another = api.build.as_(actors[-1]), Move(project_id=projects[2].id)
        tasks.append(await task_move.move_task(admin, task_id=moved.id, move=to_another))
        for number, project in enumerate(projects * 4, start=2):
            task = await api.build.a_task(
                chance.choice(users),
                title=f"Task in {project.key}",
                project_id=project.id,
                number=number,
                assignee_id=chance.choice((None, users[-1].id)),
                label_ids=sorted(each.id for each in labels if each.project_id == project.id and chance.random() < 0.5),
            )
            tasks.append(task)
        of_projects += [  # The first and the last tasks are subtasks of several tasks, of several owners.
            await _with_subtasks(api, project, user, number=70)
            for project, user in zip(projects, reversed(users), strict=True)
        ]
        tasks += [task for found in of_projects for task in found]
        comments = [
            (await comment_service.create_comment(api.build.as_(actors[-1]), task_id=task.id, text="Text")).comment
            for task in chance.choices([each for each in tasks if each.project_id != projects[1].id], k=10)
        ]
        roots = [(await _with_subtasks(api, projects[n], users[-1], number=60))[0] for n in (0, 2)]
        for unwanted in (*roots, of_projects[0][1], *tasks[12:24:3]):
            deleter = unwanted.owner_id if unwanted.project_id is None else users[-1].id
            [by] = [actor for actor in actors if actor.user_id == deleter]
            await task_service.delete_task(api.build.as_(by), task_id=unwanted.id)
        for number, actor in enumerate(actors * 5):
            async with api.build.as_(actor) as uow:
                subject = Subject.user(actor.user_id, "someone") if number % 3 else None
                uow.audit(AuditEntry(chance.choice(list(AuditAction)), subject, {"number": number, "text": "a\nb"}))
                await uow.commit()
        links, day = LinkMaker(b"key", None), timedelta(days=1)
        for number, invited in enumerate([*projects, None] * 4):
            role = ProjectRole.MEMBER if invited is not None else None
            if invited is None or not invited.is_archived:
                await create_invitation(
                    api.build.as_(actors[-1]), email=f"i{number}@example.org", role=Role.USER,
                    project_id=invited.id if invited is not None else None, project_role=role,
                    lifetime=day, links=links, sends_mail=False,
                )  # fmt: skip
        await api.numbered()
        ids = [encode_id("Task", task.id) for task in tasks] + [encode_id("User", user.id) for user in users]
        ids += [encode_id("Session", session.id) for session in sessions]
        ids += [encode_id("Project", project.id) for project in projects]
        ids += [encode_id("Membership", membership_id(projects[0].id, user.id)) for user in users]
        ids += [encode_id("Label", label.id) for label in labels]
        ids += [encode_id("Comment", comment.id) for comment in comments]
        strange = [encode_id("Task", uuid4()), encode_id("Thing", uuid4()), "nonsense", ""]
        ground = cls(api, actors, [*ids, *map(str, strange)], {}, *_ways(api))
        ground.cursors = await ground._some_cursors()
        return ground

    def document(self, seed: int) -> tuple[Actor, Sent]:
        """The document of a seed and its sender."""
        chance = random.Random(seed)
        actor = chance.choice(self.actors)
        return actor, Writer(schema._schema, self.ids, self.cursors, chance, wild=self.is_wild(seed)).document()

    def is_wild(self, seed: int) -> bool:
        """Whether the document of a seed may be invalid: every fifth."""
        return seed % 5 == 0

    async def operation(self, sent: Sent) -> Operation | None:
        """The document, found good and sent before; None if it is beyond a limit."""
        request = OperationRequest(sent.query, None, sent.variables, {})
        for _ in range(2):
            operation = await self.general.prepare(request, request_id="same")
        return operation if isinstance(operation, Operation) else None

    async def both(self, actor: Actor, operation: Operation) -> tuple[bytes, bytes | None]:
        """What is answered in general, and what the plan answers; None if it leaves that to the general way."""
        expected = await self.general.execute(operation, self.context(actor))
        planned = await self.compiled.execute(
            operation.document, operation.node, operation.request, self.context(actor)
        )
        return _bytes(expected.body), None if planned is None else _bytes(planned.body)

    async def differs(self, seeds: Iterable[int]) -> bool:
        """Whether a plan that is made anew answers any of these documents in another way, or fails."""
        for seed in seeds:
            actor, sent = self.document(seed)
            operation = await self.operation(sent)
            if operation is None:
                continue
            operation.document.plans.clear()
            try:
                expected, answered = await self.both(actor, operation)
            except Exception:
                return True
            finally:
                operation.document.plans.clear()
            if answered not in (None, expected):
                return True
        return False

    def context(self, actor: Actor | None) -> Context:
        """The context of an actor."""
        identity = Identity(actor, _LATER) if actor is not None else None
        facts = RequestContext(identity, None, "same", "http", {"headers": []})
        return Context(self.api.server.backend, facts)

    async def _some_cursors(self) -> dict[str, list[str]]:
        """Some places of each list that an admin sees, by the list's order."""
        page = "{ edges { cursor } }"
        [of_project, *_] = [each for each in self.ids if names(each, "Project")]
        in_order = {order: f"first: 20, orderBy: {order.value}" for order in TaskOrder}
        in_order[TaskOrder.RANK] += f', filter: {{projectId: "{of_project}"}}'
        lists = {order.value: f"tasks({given}) {page}" for order, given in in_order.items()}
        lists["users.created"] = f"users {page}"
        lists["projects.key"] = f"projects {page}"
        lists["audit.at"] = f"auditLog(first: 20) {page}"
        lists["invitations.created"] = f"invitations(first: 20) {page}"
        lists["trash"] = f'trash(projectId: "{of_project}") {page}'
        query = " ".join(f"l{number}: {each}" for number, each in enumerate(lists.values()))
        # Only of tasks made here: others in this database may have no events.
        own = [each for each in self.ids if names(each, "Task")][:9]
        history = " ".join(f't{number}: task(id: "{each}") {{ history {page} }}' for number, each in enumerate(own))
        members = f'project(key: "{KEYS[0]}") {{ members {page} labels {page} }}'
        commented = f"c: tasks(first: 40, orderBy: CREATED_ASC) {{ nodes {{ comments(first: 2) {page} }} }}"
        of_roots = f'projectId: "{of_project}", isSubtask: false'
        parents = f"s: tasks(filter: {{{of_roots}}}, first: 5) {{ nodes {{ subtasks(first: 3) {page} }} }}"
        operation = await self.operation(Sent(f"{{ {query} {history} {members} {commented} {parents} }}", {}))
        assert operation is not None
        answer = await self.general.execute(operation, self.context(replace(self.actors[0], role=Role.ADMIN)))
        data = answer.body["data"]
        found = {order: _cursors(data[f"l{number}"]) for number, order in enumerate(lists)}
        histories = (data[f"t{number}"]["history"] for number in range(len(own)))
        found["project.members"] = _cursors(data["project"]["members"])
        found["labels"] = _cursors(data["project"]["labels"])
        found["task.comments"] = [each for node in data["c"]["nodes"] for each in _cursors(node["comments"])]
        found["task.subtasks"] = [each for node in data["s"]["nodes"] for each in _cursors(node["subtasks"])]
        return found | {"task.history": [each for history in histories for each in _cursors(history)]}


async def _with_subtasks(api: Api, project: ProjectRow, owner: UserRow, *, number: int) -> list[AnyTask]:
    """A task of a project with three subtasks, one of which is done."""
    values = {"project_id": project.id, "title": f"Task of {project.key} with subtasks"}
    counts = {"subtask_count": 3, "done_subtask_count": 1}
    task = await api.build.a_task(owner, number=number, assignee_id=owner.id, **counts, **values)
    values |= {"parent_id": task.id, "title": "Subtask"}
    statuses = (TaskStatus.TODO, TaskStatus.DONE, TaskStatus.IN_PROGRESS)
    subtasks = [
        await api.build.a_task(owner, number=number + place, status=status, **values)
        for place, status in enumerate(statuses, start=1)
    ]
    return [task, *subtasks]


def _cursors(connection: dict[str, Any]) -> list[str]:
    return [edge["cursor"] for edge in connection["edges"]]


def _ways(api: Api) -> tuple[Executor[Context], CompiledExecutor]:
    general: Executor[Context] = Executor(schema, api.server.documents, timeout=SECONDS)
    return general, CompiledExecutor(schema._schema, strict=True)


def _bytes(body: dict[str, Any]) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)
