"""Comments: read, written, changed, deleted, delivered and replayed."""

from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest

from domain.comment import CommentChange, CommentEvent
from domain.events import People
from domain.project import ProjectRole
from domain.user import Role
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from services import membership as membership_service
from services import task as task_service
from services.project import archive_project
from tests.graphql_api.project_team import Team
from tests.graphql_api.stream_client import CHANGES, Listener, assign, delete, move, signed_in
from tests.graphql_api.test_nested_fields import COMMENTS, COMMENTS_IN_STREAM, WRITE_COMMENT, ask, people, user
from tests.graphql_api.test_tasks import task_id
from tests.support.api import Api
from tests.support.builders import AnyTask

FIELDS = "id text version isEdited author { username }"
UPDATE = f"""mutation ($input: UpdateCommentInput!) {{ updateComment(input: $input) {{
  comment {{ {FIELDS} }} task {{ version commentCount }} userErrors {{ code path message }} }} }}"""
DELETE = """mutation ($input: DeleteCommentInput!) { deleteComment(input: $input) {
  deletedCommentId task { version commentCount } userErrors { code path message } } }"""
NODE = f"query ($id: ID!) {{ node(id: $id) {{ __typename id ... on Comment {{ {FIELDS} }} }} }}"
PAGE = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { task(id: $id) {
  comments(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { text } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
CREATE = f"""mutation ($input: CreateCommentInput!) {{ createComment(input: $input) {{
  comment {{ {FIELDS} }} task {{ version commentCount }} userErrors {{ code path message }} }} }}"""


async def write(api: Api, task: AnyTask, text: str, by: UserRow) -> dict[str, Any]:
    """A new comment."""
    answer = await api.ask(CREATE, by, input={"taskId": task_id(task), "text": text})
    return dict(answer.payload("createComment")["comment"])


async def edit(api: Api, comment: dict[str, Any], text: str, by: UserRow) -> dict[str, Any]:
    """The changed comment."""
    answer = await api.ask(UPDATE, by, input={"id": comment["id"], "text": text})
    return dict(answer.payload("updateComment")["comment"])


async def code(api: Api, query: str, by: UserRow, /, **sent: Any) -> tuple[str, list[str]] | None:
    """The code and the path of a refusal; None: it was not refused."""
    [payload] = (await api.ask(query, by, input=sent)).data.values()
    refused = [(error["code"], error["path"]) for error in payload["userErrors"]]
    return refused[0] if refused else None


class TestReading:
    async def test_comments_of_a_task(self, api: Api):
        """With their authors, whose addresses only they see; the owner of the task may delete all of them."""
        owner, assignee = await people(api)
        task = await api.build.a_task(owner, assignee_id=assignee.id)
        first = await write(api, task, " First! ", owner)
        second = await edit(api, await write(api, task, "Second", assignee), "Second, changed", assignee)
        shown = {
            "owner": [first | {"viewerDidWrite": True}, second | {"viewerDidWrite": False}],
            "assignee": [first | {"viewerDidWrite": False}, second | {"viewerDidWrite": True}],
        }
        for viewer, comments, may_delete in ((owner, shown["owner"], True), (assignee, shown["assignee"], False)):
            for comment, author in zip(comments, (owner, assignee), strict=True):
                comment["author"] = user(author, email=author.email if author is viewer else None)
            found = await ask(api, COMMENTS, viewer, id=task_id(task))
            assert found == {
                "commentCount": 2,
                "viewerCanComment": True,
                "viewerCanDeleteComments": may_delete,
                "comments": {"nodes": comments},
            }
        assert (first["text"], first["isEdited"], second["version"], second["isEdited"]) == ("First!", False, 2, True)

    async def test_a_comment_is_found_by_its_id(self, api: Api):
        """It is null for users who may not see the task."""
        owner, outsider = await people(api)
        comment = await write(api, await api.build.a_task(owner), "Found", owner)
        for by in (owner, await api.a_user(Role.MODERATOR)):
            assert await ask(api, NODE, by, id=comment["id"]) == {"__typename": "Comment", **comment}
        assert await ask(api, NODE, outsider, id=comment["id"]) is None

    async def test_pages_go_forward_and_backward(self, api: Api):
        """Each page continues where the one before it ends, and says whether there are more."""
        owner, _ = await people(api)
        task, empty = await api.build.a_task(owner), await api.build.a_task(owner)
        texts = [(await write(api, task, f"{number}", owner))["text"] for number in range(5)]

        async def page(of: AnyTask = task, **arguments: Any) -> tuple[list[str], dict[str, Any]]:
            found = (await ask(api, PAGE, owner, id=task_id(of), **arguments))["comments"]
            return [edge["node"]["text"] for edge in found["edges"]], found["pageInfo"]

        first, ends = await page(first=2)
        assert (first, ends["hasPreviousPage"], ends["hasNextPage"]) == (texts[:2], False, True)
        second, ends = await page(first=2, after=ends["endCursor"])
        assert (second, ends["hasPreviousPage"], ends["hasNextPage"]) == (texts[2:4], True, True)
        back, ends = await page(last=3, before=ends["startCursor"])
        assert (back, ends["hasPreviousPage"], ends["hasNextPage"]) == (texts[:2], False, True)
        assert (await page(empty, first=2))[0] == []


class TestWriting:
    async def test_comments_are_counted_and_change_no_version(self, api: Api):
        """Each change has an event with the number of comments; the current text changes nothing."""
        owner, assignee = await people(api)
        task = await api.build.a_task(owner, assignee_id=assignee.id)
        first = await write(api, task, "one", assignee)
        second = await write(api, task, "two", assignee)
        assert (await edit(api, first, "changed", assignee))["version"] == 2
        assert (await edit(api, first, " changed ", assignee))["version"] == 2
        payload = (await api.ask(DELETE, assignee, input={"id": second["id"]})).payload("deleteComment")
        assert (payload["deletedCommentId"], payload["task"]) == (second["id"], {"version": 1, "commentCount": 1})

        events, who = await api.build.events_by(assignee.id), People(owner.id, assignee.id)
        assert [
            (event.change, event.version, event.comment_count, encode_id("Comment", event.comment_id))
            for event in events
            if isinstance(event, CommentEvent) and event.before == event.after == who
        ] == [
            (CommentChange.CREATED, 1, 1, first["id"]),
            (CommentChange.CREATED, 1, 2, second["id"]),
            (CommentChange.UPDATED, 2, 2, first["id"]),
            (CommentChange.DELETED, 2, 1, second["id"]),
        ]
        assert len(events) == 4
        stored = await api.build.task(task.id)
        assert stored is not None
        assert (stored.version, stored.updated_at, stored.comment_count) == (1, task.updated_at, 1)

    async def test_refusals_name_the_field_and_store_nothing(self, api: Api):
        """What a user may not see is not found."""
        owner, assignee = await people(api)
        outsider, moderator = await api.a_user(), await api.a_user(Role.MODERATOR)
        task = await api.build.a_task(owner, assignee_id=assignee.id)
        comment = await write(api, task, "mine", owner)
        on_task, on_comment = {"taskId": task_id(task)}, {"id": comment["id"]}
        refused: list[tuple[str, UserRow, dict[str, Any], str, list[str]]] = [
            (CREATE, owner, on_task | {"text": " "}, "INVALID", ["text"]),
            (CREATE, owner, on_task | {"text": "x" * 10_001}, "INVALID", ["text"]),
            (CREATE, outsider, on_task | {"text": "x"}, "NOT_FOUND", ["taskId"]),
            (CREATE, moderator, on_task | {"text": "x"}, "FORBIDDEN", ["taskId"]),
            (UPDATE, outsider, on_comment | {"text": "x"}, "NOT_FOUND", ["id"]),
            (UPDATE, assignee, on_comment | {"text": "x"}, "FORBIDDEN", ["id"]),
            (UPDATE, moderator, on_comment | {"text": "x"}, "FORBIDDEN", ["id"]),
            (UPDATE, owner, on_comment | {"text": "x", "expectedVersion": 9}, "CONFLICT", ["expectedVersion"]),
            (DELETE, outsider, on_comment, "NOT_FOUND", ["id"]),
            (DELETE, assignee, on_comment, "FORBIDDEN", ["id"]),
            (DELETE, owner, on_comment | {"expectedVersion": 9}, "CONFLICT", ["expectedVersion"]),
            (DELETE, owner, {"id": encode_id("Comment", uuid4())}, "NOT_FOUND", ["id"]),
        ]
        for _, by, *_ in refused:
            await api.token(by)
        await api.numbered()
        async with api.build.unchanged():
            for query, by, sent, *expected in refused:
                assert await code(api, query, by, **sent) == tuple(expected), (query, sent)
        assert await code(api, DELETE, moderator, **on_comment) is None
        assert await code(api, UPDATE, owner, **on_comment, text="too late") == ("NOT_FOUND", ["id"])

    async def test_an_idempotency_key_writes_and_deletes_once(self, api: Api):
        """A repeated request gets the same answer; another request with the key is refused."""
        owner, _ = await people(api)
        task, key = await api.build.a_task(owner), {"idempotency-key": str(uuid4())}

        async def send(text: str) -> dict[str, Any]:
            answer = await api.ask(CREATE, owner, headers=key, input={"taskId": task_id(task), "text": text})
            return dict(answer.data["createComment"])

        first = await send("once")
        assert await send("once") == first
        assert (await send("twice"))["userErrors"][0]["code"] == "IDEMPOTENCY_MISMATCH"
        deletion = {"idempotency-key": str(uuid4())}
        answers = [
            (await api.ask(DELETE, owner, headers=deletion, input={"id": first["comment"]["id"]})).payload(
                "deleteComment"
            )
            for _ in range(2)
        ]
        assert [answer["deletedCommentId"] for answer in answers] == [first["comment"]["id"]] * 2
        assert (await send("once"))["userErrors"][0]["code"] == "NOT_FOUND"
        assert len(await api.build.events_by(owner.id)) == 2


class TestInProjects:
    @pytest.mark.parametrize("name", ["viewer", "member", "manager", "former", "outsider", "moderator", "admin"])
    async def test_what_each_role_may_do(self, api: Api, name: str):
        """Members comment, whatever their role; managers delete all comments; the owner of the task has no rights."""
        team = await Team.made(api)
        by, others = team.people[name], await write(api, team.task, "by an admin", team.people["admin"])
        reads = name in {"viewer", "member", "manager", "moderator", "admin"}
        writes = name in {"viewer", "member", "manager", "admin"}
        refusal = "FORBIDDEN" if reads else "NOT_FOUND"
        made = await code(api, CREATE, by, taskId=task_id(team.task), text="mine")
        assert made == (None if writes else (refusal, ["taskId"]))
        updated = await code(api, UPDATE, by, id=others["id"], text="changed")
        assert updated == (None if name == "admin" else (refusal, ["id"]))
        deleted = await code(api, DELETE, by, id=others["id"])
        assert deleted == (None if name in {"manager", "moderator", "admin"} else (refusal, ["id"]))

    async def test_an_author_who_left_changes_nothing(self, api: Api):
        """The comments stay. In an archived project no comment can be written, changed or deleted."""
        team = await Team.made(api)
        viewer, admin = team.people["viewer"], team.people["admin"]
        comment = await write(api, team.task, "mine", viewer)
        await archive_project(api.build.as_(admin), project_id=team.project.id, is_archived=True)
        for by in (viewer, admin):
            assert await code(api, CREATE, by, taskId=task_id(team.task), text="x") == ("FORBIDDEN", ["taskId"])
            assert await code(api, UPDATE, by, id=comment["id"], text="x") == ("FORBIDDEN", ["id"])
            assert await code(api, DELETE, by, id=comment["id"]) == ("FORBIDDEN", ["id"])
        await archive_project(api.build.as_(admin), project_id=team.project.id, is_archived=False)
        await membership_service.remove_member(api.build.as_(admin), project_id=team.project.id, user_id=viewer.id)
        assert await code(api, UPDATE, viewer, id=comment["id"], text="x") == ("NOT_FOUND", ["id"])
        assert await code(api, DELETE, viewer, id=comment["id"]) == ("NOT_FOUND", ["id"])
        found = await ask(api, COMMENTS, team.people["member"], id=task_id(team.task))
        assert [node["text"] for node in found["comments"]["nodes"]] == ["mine"]


async def comment_of(listener: Listener) -> tuple[str, str | None, int]:
    """The change of the next item, the text of its comment, and the number of comments."""
    item = await listener.receive()
    return item["change"], item["comment"] and item["comment"]["text"], item["commentCount"]


class TestStream:
    async def test_an_event_reaches_those_who_may_see_the_task(self, live: Api):
        """Other users receive nothing. A subscriber to tasks receives no comments."""
        owner, assignee = await people(live)
        outsider, moderator = await live.a_user(), await live.a_user(Role.MODERATOR)
        task, other = await live.build.a_task(owner, assignee_id=assignee.id), await live.build.a_task(outsider)
        async with AsyncExitStack() as stack:
            hers, his, theirs, strange, tasks = [
                await stack.enter_async_context(signed_in(live, by))
                for by in (owner, assignee, moderator, outsider, owner)
            ]
            for listener in (hers, his, theirs, strange):
                await listener.listen(COMMENTS_IN_STREAM)
            await tasks.listen(CHANGES)
            comment = await write(live, task, "hello", assignee)
            for listener, is_author in ((hers, False), (his, True), (theirs, False)):
                item = await listener.receive()
                assert (item["taskId"], item["commentId"], item["change"]) == (task_id(task), comment["id"], "CREATED")
                assert (item["by"], item["task"]) == ({"username": assignee.username}, {"commentCount": 1})
                assert item["comment"]["viewerDidWrite"] is is_author
            await edit(live, comment, "good day", assignee)
            for listener in (hers, his, theirs):
                assert await comment_of(listener) == ("UPDATED", "good day", 1)
            await live.ask(DELETE, owner, input={"id": comment["id"]})
            for listener in (hers, his, theirs):
                assert await comment_of(listener) == ("DELETED", None, 0)
            own = await write(live, other, "for myself", outsider)
            assert (await strange.receive())["commentId"] == own["id"]
            await move(live, task, "DONE", owner)
            assert (await tasks.receive())["changes"] == ["STATUS"]

    async def test_missed_events_are_replayed(self, live: Api):
        """From the cursor of an item, exactly the later ones, for the tasks of the filter."""
        owner, _ = await people(live)
        task, other = await live.build.a_task(owner), await live.build.a_task(owner)
        only = {"taskIds": [task_id(task)]}
        async with signed_in(live, owner) as listener:
            await listener.listen(COMMENTS_IN_STREAM, filter=only)
            await write(live, task, "received", owner)
            cursor = (await listener.receive())["cursor"]
        await write(live, other, "filtered", owner)
        for text in ("missed", "too"):
            await write(live, task, text, owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(COMMENTS_IN_STREAM, filter=only, after=cursor)
            assert [await comment_of(listener) for _ in range(2)] == [("CREATED", "missed", 2), ("CREATED", "too", 3)]
            await write(live, task, "live", owner)
            assert await comment_of(listener) == ("CREATED", "live", 4)

    async def test_a_subscriber_learns_that_the_task_is_gone(self, live: Api):
        """It gets `TaskGone` and `TaskDeleted`, and no comments that were written in between."""
        owner, assignee = await people(live)
        task = await live.build.a_task(owner, assignee_id=assignee.id)
        async with signed_in(live, assignee) as his, signed_in(live, owner) as hers:
            for listener in (his, hers):
                await listener.listen(COMMENTS_IN_STREAM)
            await assign(live, task, None, owner)
            await write(live, task, "between us", owner)
            assert (await his.receive())["__typename"] == "TaskGone"
            assert await comment_of(hers) == ("CREATED", "between us", 1)
            await delete(live, task, owner)
            assert (await hers.receive())["__typename"] == "TaskDeleted"
        assert (await task_service.count_tasks(live.build.as_(owner))) == 0

    async def test_comments_in_a_project_reach_its_members(self, live: Api):
        """Not the owner of the task, who left it."""
        team = await Team.made(live)
        async with signed_in(live, team.people["viewer"]) as viewer, signed_in(live, team.people["former"]) as former:
            for listener in (viewer, former):
                await listener.listen(COMMENTS_IN_STREAM)
            await write(live, team.task, "to the team", team.people["manager"])
            assert await comment_of(viewer) == ("CREATED", "to the team", 1)
            own = await live.build.a_task(team.people["former"])
            await write(live, own, "personal", team.people["former"])
            assert await comment_of(former) == ("CREATED", "personal", 1)
            assert (await live.build.roles_in(team.project.id))[team.people["viewer"].id] is ProjectRole.VIEWER


async def test_the_payload_has_the_task(api: Api):
    """Compiled operations read the author after the change."""
    owner, _ = await people(api)
    task = await api.build.a_task(owner)
    for count in (1, 2):
        answer = await api.ask(WRITE_COMMENT, owner, input={"taskId": task_id(task), "text": "Text"})
        assert answer.payload("createComment") == {
            "comment": {"text": "Text", "viewerDidWrite": True, "author": {"username": owner.username}},
            "task": {"commentCount": count, "version": 1, "viewerCanComment": True},
            "userErrors": [],
        }
