"""Errors at `/graphql` over HTTP, and their messages."""

import pytest

from tests.error_messages.client import EVENTS, FORM, JSON, TEXT, MistakenClient, Post, Send

BY_LINK = {"accept": "*/*"}
LISTEN = "subscription { taskChanged { cursor } }"
UPDATE = "mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { userErrors { code message } } }"
LOGOUT = "mutation { logout { userErrors { code message } } }"


def change(field: str, values: str) -> Post:
    """A mutation with these values, written into the document."""
    return Post(f"mutation {{ {field}(input: {{{values}}}) {{ userErrors {{ code message }} }} }}")


# fmt: off
AUTHENTICATION = [
    ("No token", Post("{ me { id } }", by=None),
     "200 UNAUTHENTICATED: Not authenticated: send the `accessToken` that `login` returns as `Authorization: Bearer …`, or on a WebSocket in the payload of `connection_init`."),
    ("A token that has expired", Post("{ me { id } }", by="<expired>"),
     "200 UNAUTHENTICATED: Token has expired: get a new one with `refreshToken`, or sign in again."),
    ("A token whose session was signed out", Post("{ me { id } }", by="<revoked>"),
     "200 UNAUTHENTICATED: Invalid token: its session has ended, or its user was disabled. Sign in again."),
    ("A token with another signature", Post("{ me { id } }", by="<forged>"),
     "200 UNAUTHENTICATED: Invalid token: this is not an access token of this server. Send the one that `login` returns as `Authorization: Bearer …`."),
    ("Another scheme", Post("{ me { id } }", by="Basic YTpi"),
     "200 UNAUTHENTICATED: Invalid token: this is not an access token of this server. Send the one that `login` returns as `Authorization: Bearer …`."),
    ("A mutation that is for admins", change("setUserRole", 'userId: "<other user>", role: ADMIN'),
     "200 FORBIDDEN: Only admins may do this."),
    ("Changing what one may only read", change("updateTask", 'id: "<assigned task>", title: "x"'),
     "200 FORBIDDEN: With role USER you may change a task only if it is your own."),
    ("Changing what one may not see", change("updateTask", 'id: "<foreign task>", title: "x"'),
     "200 NOT_FOUND: Task not found"),
    ("A wrong password", change("login", 'username: "<my name>", password: "x"'),
     "200 INVALID_CREDENTIALS: Wrong username or password."),
]
REQUESTS = [
    ("A typo in a field", Post("{ me { usernme } }"),
     "200 BAD_REQUEST: Cannot query field 'usernme' on type 'User'. Did you mean 'username'?"),
    ("A typo in an argument", Post("{ tasks(frist: 3) { totalCount } }"),
     "200 BAD_REQUEST: Unknown argument 'frist' on field 'Query.tasks'. Did you mean 'first' or 'last'?"),
    ("A typo in a mutation", Post('mutation { creatTask(input: {title: "x"}) { task { id } } }'),
     "200 BAD_REQUEST: Cannot query field 'creatTask' on type 'Mutation'. Did you mean 'createTask' or 'updateTask'?"),
    ("A status that there is not", Post("{ tasks(filter: {status: [DOING]}) { totalCount } }"),
     "200 BAD_REQUEST: Argument 'filter' has invalid value at .status[0]: Value 'DOING' does not exist in 'TaskStatus' enum. Did you mean the enum value 'DONE'?"),
    ("An object without its fields", Post("{ me }"),
     "200 BAD_REQUEST: Field 'me' of type 'User!' must have a selection of subfields. Did you mean 'me { ... }'?"),
    ("A brace too few", Post("{ me { id }"),
     "200 BAD_REQUEST: Syntax Error: Expected Name, found <EOF>."),
    ("Nothing in the query", Post(""),
     "400 BAD_REQUEST: `query` is empty: put the document's text into it, such as { __typename }."),
    ("A variable of the wrong type", Post(UPDATE, {"input": {"id": "<task task>", "title": 3}}),
     "200 BAD_REQUEST: Variable '$input' has invalid value at .title: String cannot represent a non string value: 3"),
    ("A typo in a variable", Post(UPDATE, {"input": {"id": "<task task>", "titel": "x"}}),
     "200 BAD_REQUEST: Variable '$input' has invalid value: Expected value of type 'UpdateTaskInput' not to include unknown field 'titel'. Did you mean 'title'?"),
    ("A variable that is missing", Post(UPDATE),
     "200 BAD_REQUEST: Variable '$input' has invalid value: Expected a value of non-null type 'UpdateTaskInput!' to be provided."),
    ("A variable that is not declared", Post("{ task(id: $id) { id } }"),
     "200 BAD_REQUEST: Variable '$id' is not defined."),
    ("A date in words", change("createTask", 'title: "x", dueAt: "tomorrow"'),
     "200 BAD_REQUEST: Argument 'input' has invalid value at .dueAt: A DateTime looks like 2026-12-24T18:00:00Z: RFC 3339, with an offset from UTC."),
    ("An operation name that there is not", Post("query Mine { me { id } }", operation_name="Yours"),
     "200 BAD_REQUEST: The document holds no operation named 'Yours', only 'Mine'."),
    ("Two operations, and no name", Post("query Mine { me { id } } query Yours { me { id } }"),
     "200 BAD_REQUEST: The document holds several operations: say with operationName which one, 'Mine' or 'Yours'."),
    ("Only a fragment", Post("fragment Person on User { id }"),
     "200 BAD_REQUEST: Fragment 'Person' is never used."),
    ("A subscription by POST", Post(LISTEN),
     "400 BAD_REQUEST: A subscription needs the WebSocket at this address, with the subprotocol graphql-transport-ws, or `Accept: text/event-stream`."),
]
WHICH_ONE = [
    ("An id that is none", Post('{ task(id: "42") { id } }'),
     "200 BAD_REQUEST: `id` is not an id of this API: use an id from an `id` field of a response."),
    ("A UUID, as the older API has them", Post('{ task(id: "<some uuid>") { id } }'),
     "200 BAD_REQUEST: `id` is not an id of this API: use an id from an `id` field of a response."),
    ("The id of another type", Post('{ task(id: "<other user>") { id } }'),
     "200 BAD_REQUEST: `id` is the id of a User; use the id of a Task."),
    ("A cursor that is none", Post('{ tasks(after: "x") { totalCount } }'),
     "200 BAD_REQUEST: This cursor was not made by this API; omit `after` and `before` for the first page."),
    ("An unknown assignee", change("assignTask", 'id: "<task task>", assigneeId: "<unknown user>"'),
     "200 INVALID: There is no active user with this id; see assignableUsers."),
]
RULES = [
    ("An empty title", change("createTask", 'title: " "'),
     "200 INVALID: title must not be empty."),
    ("A title of 201 characters", change("createTask", f'title: "{"x" * 201}"'),
     "200 INVALID: title is 201 characters long; the maximum is 200."),
    ("A move that the board has not", change("updateTaskStatus", 'id: "<cancelled task>", status: DONE'),
     "200 INVALID_TRANSITION: A task cannot go from CANCELLED to DONE; from here it can go to TODO."),
    ("Another version", change("updateTask", 'id: "<task task>", title: "x", expectedVersion: 7'),
     "200 CONFLICT: The task is at version 1, not 7: it was changed in the meantime. Load it again, then repeat."),
    ("A name that is taken", change("register", 'username: "<my name>", email: "a@example.org", password: "Correct-horse1"'),
     "200 ALREADY_EXISTS: A user with this name already exists"),
    ("A weak password", change("register", 'username: "newcomer", email: "a@example.org", password: "secret"'),
     "200 INVALID: password needs at least 8 characters, an upper-case letter, a digit, a symbol."),
    ("A key with a blank in it", Post('mutation { createTask(input: {title: "x"}) { task { id } } }', headers=JSON | {"idempotency-key": "a b"}),
     "200 BAD_REQUEST: An idempotency key is 1 to 255 visible ASCII characters, such as a UUID."),
]
TOO_MUCH = [
    ("Too deep", Post("{ tasks " + "{ nodes { owner { tasks " * 4 + "{ totalCount }" + " } } }" * 4 + " }"),
     "200 TOO_EXPENSIVE: The document has 14 levels of nesting; at most 12 are allowed. Select less data at once, or split the document."),
    ("Too many aliases", Post(f"{{ {' '.join(f'a{number}: __typename' for number in range(31))} }}"),
     "200 TOO_EXPENSIVE: The document has 31 aliases; at most 30 are allowed. Select less data at once, or split the document."),
    ("Too long", Post("{ " + "__typename " * 2_500 + "}"),
     "200 TOO_EXPENSIVE: Document contains more than 2000 tokens. Select less data at once, or split the document."),
    ("Too much to resolve", Post("{ tasks(first: 100) { nodes { history(first: 50) { nodes { id } } } } }"),
     "200 TOO_EXPENSIVE: The operation could resolve 10,201 fields; at most 5,000 are allowed. Request smaller pages (`first` or `last`) or select fewer fields."),
    ("Too large a page", Post("{ tasks(first: 1000) { nodes { id } } }"),
     "200 BAD_REQUEST: first must be 1 to 100, not 1000."),
    ("Too large a page from the end", Post("{ tasks(last: 0) { nodes { id } } }"),
     "200 BAD_REQUEST: last must be 1 to 100, not 0."),
    ("A page from both ends", Post("{ tasks(first: 3, last: 3) { nodes { id } } }"),
     "200 BAD_REQUEST: Give first or last, not both."),
    ("Too large a body", Send("POST", "/graphql", " " * 262_145, JSON),
     "413 BAD_REQUEST: The body is larger than 262,144 bytes."),
]
HTTP = [
    ("A form", Send("POST", "/graphql", "query={me{id}}", FORM),
     "415 BAD_REQUEST: Send JSON, with the header `Content-Type: application/json`."),
    ("GraphQL as text", Send("POST", "/graphql", "{ me { id } }", TEXT),
     "415 BAD_REQUEST: Send JSON, with the header `Content-Type: application/json`."),
    ("JSON that does not say so", Send("POST", "/graphql", '{"query": "{ me { id } }"}'),
     "415 BAD_REQUEST: Send JSON, with the header `Content-Type: application/json`."),
    ("A compressed body", Send("POST", "/graphql", "x", JSON | {"content-encoding": "gzip"}),
     "415 BAD_REQUEST: Send the body uncompressed: Content-Encoding is not supported."),
    ("An empty body", Send("POST", "/graphql", "", JSON),
     '400 BAD_REQUEST: The body is empty: send a JSON object, such as {"query": "{ __typename }"}.'),
    ("JSON in single quotes", Send("POST", "/graphql", "{'query': '{ me { id } }'}", JSON),
     "400 BAD_REQUEST: The body is not JSON: unexpected character, expected a string key: line 1 column 2 (char 1)."),
    ("JSON that ends too soon", Send("POST", "/graphql", '{"query": "{ me { id } }"', JSON),
     "400 BAD_REQUEST: The body is not JSON: unexpected end of data: line 1 column 26 (char 25)."),
    ("A batch", Send("POST", "/graphql", '[{"query": "{ me { id } }"}]', JSON),
     "400 BAD_REQUEST: Several operations in one request are not supported: send them one by one."),
    ("The document as JSON", Send("POST", "/graphql", '"{ me { id } }"', JSON),
     '400 BAD_REQUEST: The request must be a JSON object, such as {"query": "{ __typename }"}.'),
    ("No query", Send("POST", "/graphql", '{"mutation": "x"}', JSON),
     "400 BAD_REQUEST: The request has no query: put the document's text into `query`."),
    ("Variables as text", Send("POST", "/graphql", '{"query": "{ me { id } }", "variables": "{}"}', JSON),
     "400 BAD_REQUEST: `variables` must be an object or null."),
    ("A mutation by GET", Send("GET", f"/graphql?query={LOGOUT}", None, BY_LINK),
     "405 BAD_REQUEST: A mutation needs POST: a link must not change anything."),
    ("A subscription by GET", Send("GET", f"/graphql?query={LISTEN}", None, BY_LINK),
     "400 BAD_REQUEST: A subscription needs the WebSocket at this address, with the subprotocol graphql-transport-ws, or `Accept: text/event-stream`."),
    ("A GET without a query", Send("GET", "/graphql", None, BY_LINK),
     "400 BAD_REQUEST: The request has no query: put the document's text into `query`."),
    ("Another method", Send("PUT", "/graphql", "{}", JSON),
     "405 BAD_REQUEST: Use POST, or GET for queries."),
    ("An answer that we do not have", Post("{ me { id } }", headers=JSON | {"accept": "text/csv"}),
     "406 BAD_REQUEST: Accept application/json or application/graphql-response+json: the response has no other media type."),
    ("A typo in the address", Post("{ me { id } }", path="/grapql"),
     "404 Not found. <what there is>"),
]
SERVER_SENT_EVENTS = [
    ("Listening without a token", Post(LISTEN, by=None, headers=EVENTS),
     "200 UNAUTHENTICATED: Not authenticated: send the `accessToken` that `login` returns as `Authorization: Bearer …`, or on a WebSocket in the payload of `connection_init`."),
    ("Listening with an expired token", Post(LISTEN, by="<expired>", headers=EVENTS),
     "200 UNAUTHENTICATED: Token has expired: get a new one with `refreshToken`, or sign in again."),
    ("A typo in a subscription", Post("subscription { taskChange { cursor } }", headers=EVENTS),
     "200 BAD_REQUEST: Cannot query field 'taskChange' on type 'Subscription'. Did you mean 'taskChanged'?"),
    ("A stream cursor that is none", Post('subscription { taskChanged(after: "x") { cursor } }', headers=EVENTS),
     "200 BAD_REQUEST: This stream cursor was not made by this API; omit `after` to start now."),
    ("Two subscriptions in one", Post("subscription { taskChanged { cursor } taskStatusChanged { cursor } }", headers=EVENTS),
     "200 BAD_REQUEST: Anonymous Subscription must select only one top level field."),
    ("A page of another site listens", Post(LISTEN, headers=EVENTS | {"origin": "https://evil.example"}),
     "403 FORBIDDEN: Pages of this origin may not subscribe. ALLOWED_ORIGINS lists the allowed origins."),
    ("A mutation by a link", Send("GET", f"/graphql?query={LOGOUT}", None, {"accept": "text/event-stream"}),
     "405 BAD_REQUEST: A mutation needs POST: a link must not change anything."),
]
TABLE = [
    *(*AUTHENTICATION, *REQUESTS, *WHICH_ONE, *RULES, *TOO_MUCH, *HTTP),
    *SERVER_SENT_EVENTS,
]
# fmt: on


@pytest.mark.parametrize(("mistake", "answer"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
async def test_the_message(culprit: MistakenClient, mistake: Post | Send, answer: str):
    """Each message says what happened and what to do next."""
    assert await culprit.does(mistake) == answer


async def test_a_browser_gets_a_page(culprit: MistakenClient):
    """The page explains how to send requests."""
    for path in ("/graphql", "/graphql/"):
        assert (
            (await culprit.does(Send("GET", path, None, {"accept": "text/html"})))
            .lower()
            .startswith("200 <!doctype html>")
        )
