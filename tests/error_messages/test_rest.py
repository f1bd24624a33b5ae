"""Errors of the REST API, and their messages. Messages of the older API are unchanged, because clients may compare
them.
"""

import pytest

from tests.error_messages.client import FOREIGN, FORM, JSON, MistakenClient, Send

TASKS, ONE = "/api/v1/tasks/", "/api/v1/tasks/<task uuid>"
LOGIN, REGISTER = "/api/v1/auth/login/", "/api/v1/auth/register/"
BROWSER = {"accept": "text/html"}

# fmt: off
AUTHENTICATION = [
    ("No token", Send("GET", TASKS, by=None),
     "401 Not authenticated"),
    ("Another scheme", Send("GET", TASKS, by="Basic YTpi"),
     "401 Not authenticated"),
    ("A token with another signature", Send("GET", TASKS, by="<forged>"),
     "401 Invalid token"),
    ("A token whose session was signed out", Send("GET", TASKS, by="<revoked>"),
     "401 Invalid token"),
    ("A token that has expired", Send("GET", TASKS, by="<expired>"),
     "401 Token has expired"),
    ("A wrong password", Send("POST", LOGIN, "username=<my name>&password=x", FORM, by=None),
     "401 Wrong username or password."),
    ("Signing in with JSON", Send("POST", LOGIN, '{"username": "a", "password": "b"}', JSON, by=None),
     "422 username: Field required / password: Field required / body: Input should be a form: send it with the header Content-Type: application/x-www-form-urlencoded"),
    ("Another grant", Send("POST", LOGIN, "username=a&password=b&grant_type=code", FORM, by=None),
     "422 grant_type: Input should be 'password'"),
    ("Refreshing without the cookie", Send("POST", "/api/v1/auth/refresh/", by=None),
     "401 Refresh token missing"),
    ("Refreshing with another cookie", Send("POST", "/api/v1/auth/refresh/", None, {"cookie": "refresh_token=x"}, by=None),
     "401 Invalid refresh token"),
    ("Signing out without the cookie", Send("POST", "/api/v1/auth/logout/"),
     "404 Token not found"),
    ("A page of another site", Send("POST", TASKS, '{"title": "x"}', JSON | FOREIGN),
     "403 Pages of this origin may not call the API. ALLOWED_ORIGINS lists the allowed origins."),
]
WHICH_ONE = [
    ("An id that is none", Send("GET", "/api/v1/tasks/42"),
     "422 task_id: Input should be a valid UUID"),
    ("An id of GraphQL", Send("GET", "/api/v1/tasks/<task task>"),
     "422 task_id: Input should be a valid UUID"),
    ("A task that is not there", Send("GET", "/api/v1/tasks/<some uuid>"),
     "404 Task not found"),
    ("A task of another user", Send("DELETE", "/api/v1/tasks/<foreign uuid>"),
     "404 Task not found"),
    ("Changing what one may only read", Send("PUT", "/api/v1/tasks/<assigned uuid>", '{"title": "x"}', JSON),
     "403 Insufficient permissions"),
    ("A typo in the path", Send("GET", "/api/v1/task/"),
     "404 Not Found: the endpoints below /api/v1 are /auth/register/, /users/about_me/, /auth/login/, /auth/refresh/, /auth/sessions/, /auth/logout/, /auth/logout_all/, /tasks/, /tasks/{task_id}."),
    ("No prefix", Send("GET", "/tasks/"),
     "404 Not found. <what there is>"),
    ("A method that there is not", Send("POST", ONE, "{}", JSON),
     "405 Method Not Allowed: this path supports DELETE, GET, HEAD, OPTIONS, PATCH, PUT."),
]
VALUES = [
    ("A typo in a field", Send("POST", TASKS, '{"titel": "x"}', JSON),
     "422 title: Field required"),
    ("A number for a title", Send("POST", TASKS, '{"title": 3}', JSON),
     "422 title: Input should be a valid string"),
    ("A title of 201 characters", Send("POST", TASKS, f'{{"title": "{"x" * 201}"}}', JSON),
     "422 title: title is 201 characters long; the maximum is 200."),
    ("Neither true nor false", Send("PUT", ONE, '{"completed": "maybe"}', JSON),
     "422 completed: Input should be a valid boolean, unable to interpret input"),
    ("Numbers that are none", Send("GET", TASKS + "?limit=-1&skip=x"),
     "422 skip: Input should be a valid integer, unable to parse string as an integer / limit: Input should be greater than or equal to 0"),
    ("Nothing in the body", Send("POST", TASKS, "", JSON),
     "422 body: Field required"),
    ("JSON that ends too soon", Send("POST", TASKS, "{", JSON),
     "422 body: JSON decode error: unexpected end of data: line 1 column 2 (char 1)"),
    ("A list for an object", Send("POST", TASKS, "[]", JSON),
     "422 body: Input should be an object"),
    ("A form for JSON", Send("POST", TASKS, "title=x", FORM),
     "422 body: Input should be an object: send JSON, with the header Content-Type: application/json"),
    ("A compressed body", Send("POST", TASKS, "x", JSON | {"content-encoding": "gzip"}),
     "415 Send the body uncompressed: Content-Encoding is not supported."),
    ("Too large a body", Send("POST", TASKS, " " * 262_145, JSON),
     "413 The body is larger than 262,144 bytes."),
    ("Everything wrong at once", Send("POST", REGISTER, '{"username": "a b", "email": "x", "password": "x", "role": "ADMIN"}', JSON, by=None),
     "422 username: username may contain letters, digits, '.', '-' and '_', with a letter or digit at both ends. / email: email must look like name@example.org. / password: password needs at least 8 characters, an upper-case letter, a digit, a symbol. / role: Extra inputs are not permitted"),
    ("A name that is taken", Send("POST", REGISTER, '{"username": "<my name>", "email": "a@example.org", "password": "Correct-horse1"}', JSON, by=None),
     "400 A user with this name already exists"),
]
CHANGES = [
    ("A move that the board has not", Send("PUT", "/api/v1/tasks/<cancelled uuid>", '{"completed": true}', JSON),
     "409 A task cannot go from CANCELLED to DONE; from here it can go to TODO."),
    ("Another version", Send("PUT", ONE, '{"title": "x"}', JSON | {"if-match": '"7"'}),
     "412 The task is at version 1, not 7: it was changed in the meantime. Load it again, then repeat."),
    ("A tag without quotes", Send("PUT", ONE, '{"title": "x"}', JSON | {"if-match": "1"}),
     '400 If-Match must be * or entity tags in quotes, such as "3".'),
    ("A key with a blank in it", Send("POST", TASKS, '{"title": "x"}', JSON | {"idempotency-key": "a b"}),
     "400 An idempotency key is 1 to 255 visible ASCII characters, such as a UUID."),
]
# fmt: on
TABLE = [*AUTHENTICATION, *WHICH_ONE, *VALUES, *CHANGES]


@pytest.mark.parametrize(("mistake", "answer"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
async def test_the_message(culprit: MistakenClient, mistake: Send, answer: str):
    """Word for word."""
    assert await culprit.does(mistake) == answer


async def test_a_browser_gets_a_page_with_links(culprit: MistakenClient):
    """For unknown paths, and at the root."""
    for path, begins in (("/", "200 <!doctype html>"), ("/nowhere", "404 <!doctype html>")):
        assert (await culprit.does(Send("GET", path, None, BROWSER))).startswith(begins)
