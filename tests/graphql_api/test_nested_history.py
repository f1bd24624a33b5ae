"""The history of a task: its pages, and the literal results."""

from datetime import timedelta
from typing import Any

from graphql_api.schema.ids import encode_id
from services import task_creation
from tests.graphql_api.test_nested_fields import EMPTY, HISTORIES, HISTORY, NOON, a_task_with_a_history, ask, people
from tests.support.api import Api


class TestHistory:
    async def test_pages(self, api: Api):
        """The newest change comes first; pages are taken from either end and between cursors."""
        owner, assignee = await people(api)
        task = encode_id("Task", (await a_task_with_a_history(api, owner, assignee)).id)
        created = {
            "at": "2026-11-23T12:00:00Z",
            "changes": ["CREATED"],
            "from": None,
            "to": "TODO",
            "version": 1,
            "by": {"username": owner.username, "email": owner.email},
        }
        moved = {
            "at": "2026-11-23T13:00:00Z",
            "changes": ["STATUS"],
            "from": "TODO",
            "to": "DONE",
            "version": 2,
            "by": {"username": assignee.username, "email": None},
        }
        renamed = {
            "at": "2026-11-23T14:00:00Z",
            "changes": ["TITLE"],
            "from": "DONE",
            "to": "DONE",
            "version": 3,
            "by": None,
        }
        whole = (await ask(api, HISTORY, owner, id=task))["history"]
        cursors = [edge["cursor"] for edge in whole["edges"]]

        assert whole["nodes"] == [renamed, moved, created]
        assert [edge["node"] for edge in whole["edges"]] == [{"version": 3}, {"version": 2}, {"version": 1}]
        pages: list[tuple[dict[str, Any], list[dict[str, Any]], bool, bool]] = [
            ({}, [renamed, moved, created], False, False),
            ({"first": 2}, [renamed, moved], False, True),
            ({"first": 1, "after": cursors[0]}, [moved], True, True),
            ({"last": 1}, [created], True, False),
            ({"last": 5, "before": cursors[2]}, [renamed, moved], False, True),
        ]
        for arguments, nodes, previous, following in pages:
            page = (await ask(api, HISTORY, owner, id=task, **arguments))["history"]
            shown = [cursors[3 - node["version"]] for node in nodes]
            assert page["nodes"] == nodes
            assert page["pageInfo"] == {
                "hasNextPage": following,
                "hasPreviousPage": previous,
                "startCursor": shown[0],
                "endCursor": shown[-1],
            }

    async def test_after_the_end(self, api: Api):
        """An empty page has no cursors."""
        owner, assignee = await people(api)
        task = encode_id("Task", (await a_task_with_a_history(api, owner, assignee)).id)
        whole = (await ask(api, HISTORY, owner, id=task))["history"]
        page = await ask(api, HISTORY, owner, id=task, after=whole["pageInfo"]["endCursor"])

        assert page["history"] == {"nodes": [], "edges": [], "pageInfo": EMPTY | {"hasPreviousPage": True}}

    async def test_of_several_tasks(self, api: Api):
        """Each task of a list has the history of its own."""
        owner, assignee = await people(api)
        await a_task_with_a_history(api, owner, assignee)
        await task_creation.create_task(api.build.as_(owner), title="Paint")
        await api.build.a_task(owner, title="Without events", created_at=NOON + timedelta(days=36_500))
        await api.numbered()

        assert (await ask(api, HISTORIES, owner))["nodes"] == [
            {"title": "Water the fern", "history": {"nodes": [{"version": 3}, {"version": 2}, {"version": 1}]}},
            {"title": "Paint", "history": {"nodes": [{"version": 1}]}},
            {"title": "Without events", "history": {"nodes": []}},
        ]
