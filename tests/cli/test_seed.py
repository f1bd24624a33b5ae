"""`taskriver seed`."""

import json
from typing import Any

import pytest

from domain.events import TaskChange, TaskEvent
from persistence.database import Database
from tests.cli.conftest import Run
from tests.support.builders import Builders


@pytest.fixture(autouse=True)
def empty(ask: Any) -> None:
    """A database without users."""
    ask(Builders.clear)


def test_seed_creates_the_requested_number(run: Run, database_url: str, ask: Any):
    """Each task has its event; a second run creates only what is missing."""
    result = [
        json.loads(run("seed", "--tasks", tasks, "--users", "3", "--json", DATABASE_URL=database_url).out)
        for tasks in ("70", "70", "100")
    ]

    async def events(database: Database) -> list[Any]:
        return await Builders(database).recorded_events()

    recorded = ask(events)
    assert [(each["created"], each["tasks"]) for each in result] == [(70, 70), (0, 70), (30, 100)]
    assert len({event.task_id for event in recorded}) == len(recorded) == 100
    assert all(isinstance(event, TaskEvent) and event.changes == (TaskChange.CREATED,) for event in recorded)
    assert {event.after and event.after.owner_id for event in recorded} == {event.actor_id for event in recorded}


def test_seeded_users_can_sign_in(run: Run, database_url: str, served: str):
    """Outside production they have the demo password, and the output says so."""
    result = run("seed", "--tasks", "1", "--users", "2", DATABASE_URL=database_url)
    token = run("token", served, "--username", "seed-002", "--password-stdin", stdin=b"Taskriver-1\n")

    assert result.out.endswith("They belong to seed-001 … seed-002, password Taskriver-1.\n")
    assert token.code == 0, token


def test_production_needs_a_flag(run: Run, database_url: str, ask: Any):
    """Seeded users cannot sign in there."""
    settings = {"ENVIRONMENT": "production", "SECRET_KEYS": "k:" + "x" * 32, "BCRYPT_ROUNDS": "12"}
    refused = run("seed", "--tasks", "1", DATABASE_URL=database_url, **settings)
    done = run("seed", "--tasks", "1", "--users", "1", "--in-production", DATABASE_URL=database_url, **settings)

    assert refused.code == 1
    assert "--in-production" in refused.refusal
    assert done.out.endswith("They belong to seed-001, who cannot sign in.\n")


def test_an_existing_user_of_that_name_is_not_changed(run: Run, database_url: str, ask: Any):
    """The user keeps their tasks."""
    ask(lambda database: Builders(database).a_user(username="seed-001"))
    result = run("seed", "--tasks", "1", DATABASE_URL=database_url)

    assert result.code == 1
    assert result.refusal.startswith("The user seed-001 exists, but was not created")
