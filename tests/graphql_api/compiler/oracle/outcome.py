"""What a run of a case leaves behind, without what sets one run apart from another."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from domain.errors import BadRequest
from graphql_api.schema.ids import encode_id
from persistence.pagination import PageCursor
from persistence.queries.membership import MEMBERS
from tests.graphql_api.compiler.oracle.situation import CHOSEN, CREATED, DUE, NEVER, Rows, Situation

_KINDS: Final = {
    "tasks": "Task",
    "users": "User",
    "sessions": "Session",
    "access_tokens": "AccessToken",
    "projects": "Project",
    "memberships": "Membership",
    "labels": "Label",
    "comments": "Comment",
}
_DERIVED_IDS: Final = {"memberships"}
"""These ids are hashes of other ids, so they have no order. The project and the user tell the rows apart."""
_SERVER_TIMES: Final = {"recorded_at", "used_at"}
_OF_TABLES: Final = {"idempotency_keys": {"created_at"}, "trash": {"deleted_at"}}
_IN_EVENTS: Final = {
    "tasks": "task",
    "sessions": "session",
    "access_tokens": "token",
    "users": "user",
    "comments": "comment",
    "labels": "label",
    "projects": "project",
}
"""The field of an event with the id of a row. A row that was removed again is in the events only."""
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_JWT: Final = re.compile(r"eyJ[\w-]+\.([\w-]+)\.[\w-]+")
_RANDOM_TOKEN: Final = re.compile(r"[\w-]{43}|trv_pat_\w{36}")
_HASH: Final = re.compile(r"\$2b\$04\$.{53}")
_REFRESH_COOKIE: Final = re.compile(r"(?<=refresh_token=)[\w-]{43}(?=;)")


@dataclass(frozen=True)
class Run:
    """The responses as bytes, and all rows that are stored afterwards."""

    bodies: tuple[bytes, ...]
    headers: tuple[tuple[bytes, ...], ...]
    secrets: tuple[bool, ...]
    rows: Rows


@dataclass(frozen=True)
class Outcome:
    """A run that can be compared with another one."""

    bodies: tuple[bytes, ...]
    headers: tuple[tuple[str, ...], ...]
    secrets: tuple[bool, ...]
    rows: bytes

    def differences(self, other: "Outcome") -> list[str]:
        """The names of what differs."""
        return [
            name for name in ("bodies", "headers", "secrets", "rows") if getattr(self, name) != getattr(other, name)
        ]


def outcome(run: Run, situation: Situation, *, ranked: bool = True, recorded_in_order: bool = True) -> Outcome:
    """The run with new ids, instants and secrets replaced by what they stand for.

    With *ranked* instants keep their order: which are equal, and which come later. Of changes made at the same time
    that is left to chance. So is the order of events unless they are *recorded_in_order*.
    """
    known = _Known(run.rows, situation, ranked=ranked)
    rows = {table: [known.row(table, row) for row in found] for table, found in run.rows.items()}
    ordered = {"events"} if recorded_in_order else set()
    in_order = {table: found if table in ordered else sorted(found, key=orjson.dumps) for table, found in rows.items()}
    return Outcome(
        tuple(orjson.dumps(known.value(orjson.loads(body))) for body in run.bodies),
        tuple(tuple(known.header(each) for each in headers) for headers in run.headers),
        run.secrets,
        orjson.dumps(in_order, option=orjson.OPT_INDENT_2),
    )


@dataclass
class _Known:
    found: Rows
    situation: Situation
    ranked: bool
    names: dict[str, str] = field(default_factory=dict)
    sessions_of_tokens: dict[str, str] = field(default_factory=dict)
    ranks: Mapping[datetime, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table, kind in _KINDS.items():
            before = {str(row["id"]) for row in self.situation.rows[table]}
            if table == "tasks":
                before |= {str(row["id"]) for row in self.situation.rows["trash"]} | set(map(str, CHOSEN.values()))
            # Ids sort by the time at which they were made.
            ids = {row["id"] for row in self.found[table]} | self._in_events(table)
            for number, key in enumerate(sorted(ids - before)):
                name = f"<new {kind}>" if table in _DERIVED_IDS else f"<new {kind} {number}>"
                self.names[key] = self.names[str(encode_id(kind, UUID(key)))] = name
        rows = (*self.found["sessions"], *self.found["access_tokens"])
        hashes = {row["token_hash"]: row["id"] for row in rows}
        self.sessions_of_tokens = {key: self.names[each] for key, each in hashes.items() if each in self.names}
        self.sessions_of_tokens |= {
            row["code_hash"]: f"the session with the id {row['session_id']}" for row in self.found["sign_in_codes"]
        }
        self.ranks = {at: rank for rank, at in enumerate(sorted(self._instants()))} if self.ranked else {}

    def _in_events(self, table: str) -> set[str]:
        found = (row["payload"].get(_IN_EVENTS.get(table)) for row in self.found["events"])
        return {key for key in found if key is not None}

    def _instants(self) -> set[datetime]:
        """Those of this process's clock; the database server has a clock of its own."""
        texts: list[str] = []
        for table, found in self.found.items():
            for row in found:
                _walk({key: value for key, value in row.items() if key not in _stamped(table)}, texts.append)
        instants = {datetime.fromisoformat(text) for text in texts if _INSTANT.fullmatch(text)}
        return {each for each in instants if not _is_given(each)}

    def row(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        """A row, without what the database numbers and stamps."""
        kept = {key: value for key, value in row.items() if not (table == "events" and key == "id")}
        stamped = {key for key in _stamped(table) & kept.keys() if not _is_given(datetime.fromisoformat(kept[key]))}
        return {key: "<server time>" if key in stamped else self.value(value) for key, value in kept.items()}

    def value(self, value: Any) -> Any:
        """A value with all its parts replaced."""
        if isinstance(value, dict):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value(each) for each in value]
        return self._text(value) if isinstance(value, str) else value

    def header(self, value: bytes) -> str:
        """A header field of the answer."""
        return _REFRESH_COOKIE.sub(lambda found: self._token(found[0]), value.decode())

    def _text(self, text: str) -> str:
        if text in self.names:
            return self.names[text]
        if text in self.sessions_of_tokens:
            return f"<hash of the token of {self.sessions_of_tokens[text]}>"
        if _INSTANT.fullmatch(text):
            return self._instant(datetime.fromisoformat(text))
        if (token := _JWT.fullmatch(text)) is not None:
            return self._access_token(token[1])
        if _HASH.fullmatch(text):
            return "<password>" if text == self.situation.rows["users"][0]["password_hash"] else "<another password>"
        return self._token(text) if _RANDOM_TOKEN.fullmatch(text) else self._cursor(text) or text

    def _cursor(self, text: str) -> str | None:
        """The cursor of a new row, or None. Members have a place that the database numbers."""
        try:
            cursor = PageCursor.decode(text)
        except BadRequest:
            return None
        if str(cursor.id) not in self.names:
            return None
        value = "<place>" if cursor.order == MEMBERS.order else self.value(cursor.value)
        return f"<cursor {cursor.order} {value} {self.names[str(cursor.id)]}>"

    def _instant(self, at: datetime) -> str:
        if _is_given(at):
            return at.isoformat()
        return f"<instant {self.ranks[at]}>" if at in self.ranks else "<instant>"

    def _access_token(self, claims: str) -> str:
        read = orjson.loads(base64.urlsafe_b64decode(claims + "=="))
        return f"<access token of {self.value(read['sub'])} in {self._session(read['sid'])}>"

    def _session(self, key: str) -> str:
        """A session that ended again leaves no row behind."""
        known = {str(row["id"]) for row in self.situation.rows["sessions"]}
        return key if key in known else self.names.get(key, "<a session that has ended>")

    def _token(self, token: str) -> str:
        key = "\\x" + sha256(token.encode()).hexdigest()
        return f"<token of {self.sessions_of_tokens[key]}>" if key in self.sessions_of_tokens else "<token>"


def _stamped(table: str) -> set[str]:
    """The columns in which the database server's clock is."""
    return _SERVER_TIMES | _OF_TABLES.get(table, set())


def _is_given(at: datetime) -> bool:
    """Whether an instant comes from the situation or an input."""
    return at.year <= CREATED.year or DUE.year <= at.year <= DUE.year + 2 or at.year >= NEVER.year


def _walk(value: Any, visit: Callable[[str], object]) -> None:
    if isinstance(value, str):
        visit(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _walk(each, visit)
