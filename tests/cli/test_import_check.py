"""`taskriver import --check` says about each line what the import says, whatever is stored, and changes nothing."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import pytest

from cli.transfer import importer
from domain import label as label_rules
from domain.actor import Actor
from domain.errors import Refusal
from domain.project import ProjectRole
from domain.user import Role
from persistence.models import ProjectRow
from services import subtask
from services.membership import remove_member
from services.project import archive_project
from services.subtask import set_parent
from services.task import delete_task, update_task
from services.task_edit import TaskEdit
from services.task_move import Move, move_task
from services.trash import restore_task
from tests.cli.verdicts import File
from tests.support.amount import cases
from tests.support.builders import Builders

MOST_SUBTASKS: Final = 3
MOST_LABELS: Final = 3
FILES: Final = 100
PARTS: Final = 5

NO_PARENT: Final = "The project has no task with the id of the parent."
TWO_LEVELS: Final = "The parent is a subtask, and subtasks have no subtasks."
FULL: Final = "The parent has 3 subtasks, the maximum."
TAKEN: Final = "Another task has this id."
ELSEWHERE: Final = "A task with this id exists already, in another project or in none."
NO_MEMBER: Final = "The assignee is not a member of the task's project"
NO_LABEL: Final = "the project has no label"
FULL_OF_LABELS: Final = "The project has 3 labels, the maximum; delete one."
NO_PROJECT: Final = "project "
ITSELF: Final = "A task cannot be its own subtask."
KINDS: Final = (
    NO_PARENT, TWO_LEVELS, FULL, TAKEN, ELSEWHERE, NO_MEMBER, NO_LABEL, FULL_OF_LABELS, NO_PROJECT, ITSELF
)  # fmt: skip


class World:
    """WEB and APP: alice is a manager of both, bob a member, carol a member of WEB only, dave a viewer."""

    def __init__(self, build: Builders, root: Actor, people: dict[str, Actor]) -> None:
        self.build = build
        self.root = root
        self.people = people
        self.projects: dict[str, ProjectRow] = {}

    @classmethod
    async def make(cls, build: Builders) -> "World":
        """The users, without projects."""
        root = build.actor(await build.a_user(Role.ADMIN, username="root"))
        names = ("alice", "bob", "carol", "dave")
        return cls(build, root, {name: build.actor(await build.a_user(username=name)) for name in names})

    async def make_projects(self, web: str = "WEB", app: str = "APP") -> None:
        """The projects, without tasks, with these keys."""
        alice, bob, carol, dave = self.people.values()
        both = ((alice, ProjectRole.MANAGER), (bob, ProjectRole.MEMBER), (dave, ProjectRole.VIEWER))
        self.projects = {
            web: await self.build.a_project(*both, (carol, ProjectRole.MEMBER), key=web),
            app: await self.build.a_project(*both, key=app),
        }

    async def import_lines(self, *lines: dict[str, Any]) -> None:
        """Store tasks. All lines are good."""
        assert await File(self.build, lines).import_good_lines() == {}

    async def id_of(self, title: str) -> UUID:
        """The id of a stored task."""
        async with self.build.database.connect() as connection:
            query = "SELECT id FROM tasks WHERE title = $1 UNION ALL SELECT id FROM trash WHERE title = $1"
            found = await connection.exec_driver_sql(query, (title,))
            return UUID(str(found.scalars().first()))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small limits, which short files reach. A batch has at most three lines."""
    monkeypatch.setattr(importer, "BATCH_SIZE", 3)
    monkeypatch.setattr(subtask, "MAX_SUBTASKS", MOST_SUBTASKS)
    monkeypatch.setattr(label_rules, "MAX_LABELS", MOST_LABELS)


@pytest.fixture
async def world(build: Builders) -> World:
    """The users and the projects."""
    found = await World.make(build)
    await found.make_projects()
    return found


def line(name: str, **values: Any) -> dict[str, Any]:
    """A task of WEB, which belongs to alice."""
    return {"id": name, "title": f"T{name}", "project": "WEB", "owner": "alice", **values}


def below(parent: str, *names: str, **values: Any) -> list[dict[str, Any]]:
    """Subtasks."""
    return [line(name, parent=parent, **values) for name in names]


async def _nothing(world: World) -> None:
    """Change nothing between the two files."""


async def _p_is_below_q(world: World) -> None:
    await set_parent(world.build.as_(world.root), task_id=await world.id_of("Tp"), parent_id=await world.id_of("Tq"))


async def _p_is_no_subtask(world: World) -> None:
    await set_parent(world.build.as_(world.root), task_id=await world.id_of("Tp"), parent_id=None)


async def _p_is_deleted(world: World) -> None:
    await delete_task(world.build.as_(world.root), task_id=await world.id_of("Tp"))


async def _p_is_deleted_long_ago(world: World) -> None:
    await _p_is_deleted(world)
    async with world.build.database.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM events")


async def _p_is_in_app(world: World) -> None:
    move = Move(project_id=world.projects["APP"].id)
    await move_task(world.build.as_(world.root), task_id=await world.id_of("Tp"), move=move)


async def _p_has_another_title(world: World) -> None:
    await update_task(world.build.as_(world.root), task_id=await world.id_of("Tp"), edit=TaskEdit(title="New"))


async def _c_has_no_parent_and_p_is_deleted(world: World) -> None:
    await set_parent(world.build.as_(world.root), task_id=await world.id_of("Tc"), parent_id=None)
    await _p_is_deleted(world)


Lines = list[dict[str, Any]]
Change = Callable[[World], Awaitable[None]]
CASES: Final[dict[str, tuple[Lines, Change, Lines, dict[int, str]]]] = {
    # Subtasks that are stored, in a file without a line of their parent
    "stored subtasks of a full parent": (
        [line("p"), *below("p", "a", "b", "c")], _nothing, below("p", "a", "b", "c", "d"), {4: FULL}
    ),
    "a stored subtask whose parent is deleted": (
        [line("p"), *below("p", "c")], _c_has_no_parent_and_p_is_deleted, below("p", "c", "d"), {2: NO_PARENT}
    ),
    "a stored subtask that was deleted with its parent": (
        [line("p"), *below("p", "c")], _p_is_deleted, below("p", "c", "d"), {2: NO_PARENT}
    ),
    "a parent with room for one more": (
        [line("p"), *below("p", "a", "b")], _nothing, below("p", "c", "d"), {2: FULL}
    ),
    "a parent with room for one more in another batch": (
        [line("p"), *below("p", "a", "b")],
        _nothing,
        [*below("p", "c"), line("x"), line("y"), line("z"), *below("p", "d")],
        {5: FULL},
    ),
    # Parents that are lines of the file, and stored in another way
    "a parent that became a subtask": (
        [line("p"), line("q")], _p_is_below_q, [line("p"), *below("p", "c")], {2: TWO_LEVELS}
    ),
    "a parent that became a subtask, two batches before": (
        [line("p"), line("q")],
        _p_is_below_q,
        [line("p"), *(line(f"x{n}") for n in range(6)), *below("p", "c")],
        {8: TWO_LEVELS},
    ),
    "a parent that was a subtask": (
        [line("q"), *below("q", "p")], _p_is_no_subtask, [*below("q", "p"), *below("p", "c")], {}
    ),
    "a parent that is full": (
        [line("p"), *below("p", "a", "b", "c")], _nothing, [line("p"), *below("p", "d")], {2: FULL}
    ),
    "a parent that was moved": ([line("p")], _p_is_in_app, [line("p"), *below("p", "c")], {2: NO_PARENT}),
    "a parent that was deleted": ([line("p")], _p_is_deleted, [line("p"), *below("p", "c")], {2: NO_PARENT}),
    "a parent that was deleted long ago": (
        [line("p")], _p_is_deleted_long_ago, [line("p"), *below("p", "c")], {1: TAKEN, 2: NO_PARENT}
    ),
    "a bad line with the id of a stored parent": (
        [line("p")], _nothing, [line("p", title="Other"), *below("p", "c")], {1: TAKEN}
    ),
    "a parent with the id of a personal task": (
        [line("p", project=None)], _nothing, [line("p"), *below("p", "c")], {1: ELSEWHERE, 2: NO_PARENT}
    ),
    # Ids
    "an id of another owner": ([line("p")], _nothing, [line("p", owner="bob"), line("x")], {1: TAKEN}),
    "an id of a personal task of another owner": (
        [line("p", project=None)], _nothing, [line("p", project=None, owner="bob")], {1: TAKEN}
    ),
    "other texts": ([line("p")], _nothing, [line("p", description="Other")], {1: TAKEN}),
    "other texts of a task that was changed": (
        [line("p")], _p_has_another_title, [line("p", description="Other")], {}
    ),
    "another project": ([line("p")], _nothing, [line("p", project="APP")], {1: ELSEWHERE}),
    "no project": ([line("p")], _nothing, [line("p", project=None)], {}),
    "a repeated id": ([], _nothing, [line("p"), line("p"), line("p", title="Other")], {3: TAKEN}),
    "a repeated id of a personal task, two batches later": (
        [],
        _nothing,
        [line("p", project=None), *(line(f"x{n}") for n in range(6)), line("p", project=None, title="Other")],
        {8: TAKEN},
    ),
    "a repeated id in another project": ([], _nothing, [line("p"), line("p", project="APP")], {2: ELSEWHERE}),
    "a repeated id of another owner": ([], _nothing, [line("p"), line("p", owner="bob")], {2: TAKEN}),
    "a repeated line with another parent": (
        [], _nothing, [line("p"), line("q"), *below("p", "c"), *below("q", "c"), *below("c", "d")], {5: TWO_LEVELS}
    ),
    "a line that is repeated because it was bad": (
        [], _nothing, [*below("p", "c"), line("x"), line("y"), line("p"), *below("p", "c")], {1: NO_PARENT}
    ),
    # Several owners
    "a subtask of another owner before its parent": (
        [], _nothing, [*below("p", "c", owner="bob"), line("p")], {1: NO_PARENT}
    ),
    "the first owner's task is the parent of a line between": (
        [], _nothing, [line("x"), *below("p", "c", owner="bob"), line("p")], {}
    ),
    "the last place below a parent": (
        [line("p"), *below("p", "a", "b")],
        _nothing,
        [line("x"), *below("p", "c", owner="bob"), *below("p", "d")],
        {2: FULL},
    ),
    # Labels that the import creates
    "a label of an earlier line": (
        [],
        _nothing,
        [
            line("a", labels=["New"], owner="bob"),
            line("b", labels=["New"]),
            line("c", labels=["new"], owner="bob"),
        ],
        {1: NO_LABEL},
    ),
    "a label of an earlier line that is bad": (
        [line("p")],
        _nothing,
        [line("p", title="Other", labels=["New"]), line("c", labels=["new"], owner="bob")],
        {1: TAKEN},
    ),
    "too many labels": (
        [line("x", labels=["1", "2"])], _nothing, [line("a", labels=["3", "4"]), line("b", labels=["3"])],
        {1: FULL_OF_LABELS},
    ),
}  # fmt: skip


@pytest.mark.parametrize("stops", [False, True], ids=["skips", "stops"])
@pytest.mark.parametrize(("before", "change", "lines", "expected"), CASES.values(), ids=CASES)
async def test_a_check_says_what_the_import_says(
    world: World, before: Lines, change: Change, lines: Lines, expected: dict[int, str], stops: bool
):
    """For each line, and what is expected."""
    await world.import_lines(*before)
    await change(world)
    file = File(world.build, lines)
    problems = await (file.import_until_bad() if stops else file.import_good_lines())

    assert problems.keys() == expected.keys(), problems
    assert all(problems[number].startswith(expected[number]) for number in expected), problems


class GeneratedFiles:
    """Files and changes by chance, with twelve tasks in two projects. Most lines are good."""

    def __init__(self, world: World, chance: random.Random, number: int) -> None:
        self.world = world
        self.chance = chance
        self.number = number
        self.keys = (f"WEB{number}", f"APP{number}")
        self.names = [f"{number}.{task}" for task in range(12)]
        self.usual = {name: self._usual() for name in self.names}

    def lines(self) -> Lines:
        """A file."""
        parents = self.names[: self.chance.choice((0, 2, 2))]
        others = self.chance.choices(self.names, k=self.chance.randrange(1, 20))
        return [self._line(name) for name in (*parents, *others)]

    async def change(self) -> None:
        """Change a stored task or a project, as a user can, if the rules allow it."""
        build, root, chance = self.world.build, self.world.root, self.chance
        task_id, other = await self._some_id(), await self._some_id()
        project = chance.choice(list(self.world.projects.values()))
        changes: list[Callable[[], Awaitable[Any]]] = [
            *[lambda: delete_task(build.as_(root), task_id=task_id)] * 3,
            lambda: restore_task(build.as_(root), task_id=task_id),
            *[lambda: set_parent(build.as_(root), task_id=task_id, parent_id=other)] * 4,
            *[lambda: set_parent(build.as_(root), task_id=task_id, parent_id=None)] * 2,
            lambda: move_task(build.as_(root), task_id=task_id, move=Move(project_id=project.id)),
            lambda: update_task(build.as_(root), task_id=task_id, edit=TaskEdit(title="New")),
        ]
        if chance.random() < 0.05:
            carol = self.world.people["carol"].user_id
            changes = [
                lambda: archive_project(build.as_(root), project_id=project.id, is_archived=True),
                lambda: remove_member(build.as_(root), project_id=self.world.projects[self.keys[0]].id, user_id=carol),
            ]
        with suppress(Refusal):
            await chance.choice(changes)()

    async def _some_id(self) -> UUID:
        async with self.world.build.database.connect() as connection:
            query = (
                "SELECT id FROM tasks WHERE title ~ $1 OR title = 'New' UNION ALL"
                " SELECT id FROM trash WHERE title ~ $1 ORDER BY id"
            )
            ids = [*(await connection.exec_driver_sql(query, (rf"^T{self.number}\.",))).scalars()]
        return self.chance.choice(ids) if ids else UUID(int=0)

    def _usual(self) -> dict[str, Any]:
        """The values that most lines of a task have."""
        web, app = self.keys
        project = self.chance.choice((web, web, web, web, web, web, app, None))
        return {"owner": self.chance.choice(("alice", "alice", "bob")), "project": project}

    def _line(self, name: str) -> dict[str, Any]:
        chance, (web, app) = self.chance, self.keys
        found: dict[str, Any] = {"id": name, "title": f"T{name}", **self.usual[name]}
        strange = {
            "title": f"T{name} too",
            "owner": chance.choice(("alice", "bob", "carol", "dave")),
            "project": chance.choice((web, app, None, "NONE")),
        }
        found |= {field: value for field, value in strange.items() if chance.random() < 0.05}
        if found["project"] is not None and chance.random() < (0.1 if name in self.names[:2] else 0.8):
            found["parent"] = chance.choice(self.names[: chance.choice((2, 2, 2, 6))])
        if found["project"] is not None and chance.random() < 0.2:
            found["labels"] = chance.sample(("a", "b", "c", "d"), chance.randrange(1, 3))
        if chance.random() < 0.1:
            found["assignee"] = chance.choice(("alice", "carol", "dave"))
        return found


def kind_of(problem: str) -> str:
    """The known beginning of a problem."""
    found = [kind for kind in KINDS if problem.startswith(kind)]
    assert len(found) == 1, problem
    return found[0]


@pytest.mark.parametrize("part", range(PARTS))
async def test_generated_files(world: World, monkeypatch: pytest.MonkeyPatch, part: int):
    """Imported one after the other with changes between them, in batches of different sizes."""
    chance = random.Random(part)
    kinds: Counter[str] = Counter()
    for number in range(cases(FILES) // PARTS):
        files = GeneratedFiles(world, chance, number)
        await world.make_projects(*files.keys)
        for _ in range(3):
            monkeypatch.setattr(importer, "BATCH_SIZE", chance.randrange(1, 6))
            file = File(world.build, files.lines())
            problems = await (file.import_until_bad() if chance.random() < 0.4 else file.import_good_lines())
            kinds.update(map(kind_of, problems.values()))
            for _ in range(chance.randrange(4)):
                await files.change()
    assert set(kinds) == set(KINDS) or cases(FILES) < FILES, kinds
