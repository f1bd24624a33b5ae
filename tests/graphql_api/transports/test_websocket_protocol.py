"""The rules of graphql-transport-ws, without a network."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi.close_codes import CloseCode, CloseReason, close_reason
from graphql_api.transports.websocket.protocol import (
    Authenticate,
    Effect,
    Effects,
    Key,
    Protocol,
    Start,
    State,
    Stop,
)

INIT = '{"type":"connection_init"}'
PING = '{"type":"ping"}'


def subscribe(id: str = "1", **payload: Any) -> str:
    """A valid request for an operation."""
    return json.dumps({"id": id, "type": "subscribe", "payload": {"query": "{ a }"} | payload})


def complete(id: str = "1") -> str:
    """The client ends the operation."""
    return json.dumps({"id": id, "type": "complete"})


def ready(**limits: Any) -> Protocol:
    """A protocol after the acknowledgement."""
    protocol = Protocol(**limits)
    protocol.receive_text(INIT)
    protocol.authenticated()
    return protocol


def started(protocol: Protocol, id: str = "1") -> Key:
    """The key of an operation that was just asked for."""
    (effect,) = protocol.receive_text(subscribe(id))
    assert isinstance(effect, Start)
    return effect.key


def code_of(effects: Effects) -> int:
    """The code that the socket is closed with."""
    (effect,) = effects
    assert isinstance(effect, CloseReason)
    return effect.code


def sent(effects: Effects) -> list[Any]:
    """What is sent, decoded."""
    return [json.loads(effect) for effect in effects if isinstance(effect, str)]


class TestTheBeginning:
    def test_the_acknowledgement_follows_authentication(self) -> None:
        """Not before."""
        protocol = Protocol()
        assert protocol.receive_text('{"type":"connection_init","payload":{"a":1}}') == (Authenticate({"a": 1}),)
        assert sent(protocol.authenticated()) == [{"type": "connection_ack"}]
        assert protocol.state is State.READY

    def test_operations_before_the_acknowledgement_are_refused(self) -> None:
        """Before the first message, and while it is checked."""
        early, waiting = Protocol(), Protocol()
        waiting.receive_text(INIT)
        assert code_of(early.receive_text(subscribe())) == 4401
        assert code_of(waiting.receive_text(subscribe())) == 4401

    @pytest.mark.parametrize("acknowledged", [True, False])
    def test_a_second_beginning_ends_it(self, acknowledged: bool) -> None:
        """Acknowledged or not."""
        protocol = Protocol()
        protocol.receive_text(INIT)
        if acknowledged:
            protocol.authenticated()
        assert code_of(protocol.receive_text(INIT)) == 4429

    def test_a_silent_client_is_closed(self) -> None:
        """After the time for the first message; afterwards this time has no effect."""
        assert code_of(Protocol().first_message_timed_out()) == 4408
        assert ready().first_message_timed_out() == ()

    def test_a_ping_is_answered_at_any_time(self) -> None:
        """With what it carried, and before the acknowledgement, too."""
        assert sent(Protocol().receive_text('{"type":"ping","payload":{"a":1}}')) == [
            {"type": "pong", "payload": {"a": 1}}
        ]
        assert sent(ready().receive_text(PING)) == [{"type": "pong"}]


class TestOperations:
    def test_results_are_sent_and_then_the_end(self) -> None:
        """A result is put into its frame as it is."""
        protocol = ready()
        key = started(protocol, 'a"b')
        assert sent(protocol.result(key, '{"data":1}')) == [{"id": 'a"b', "type": "next", "payload": {"data": 1}}]
        assert sent(protocol.completed(key)) == [{"id": 'a"b', "type": "complete"}]
        assert protocol.completed(key) == ()

    def test_a_failure_is_the_end(self) -> None:
        """No `complete` follows an `error`."""
        protocol = ready()
        key = started(protocol)
        assert sent(protocol.failed(key, [{"message": "No."}])) == [
            {"id": "1", "type": "error", "payload": [{"message": "No."}]}
        ]
        assert protocol.completed(key) == ()

    def test_nothing_follows_a_complete(self) -> None:
        """Pending results are dropped."""
        protocol = ready()
        key = started(protocol)
        assert protocol.receive_text(complete()) == (Stop(key),)
        assert protocol.result(key, "1") == protocol.failed(key, []) == protocol.completed(key) == ()

    def test_an_id_is_free_again_at_once(self) -> None:
        """And what still comes of its first use does not reach the second."""
        protocol = ready()
        first = started(protocol)
        protocol.receive_text(complete())
        second = started(protocol)
        assert protocol.result(first, "1") == ()
        assert sent(protocol.result(second, "2"))[0]["payload"] == 2

    def test_an_id_in_use_may_not_be_used(self) -> None:
        """The text names it, within the 123 bytes that a reason may have."""
        protocol = ready()
        started(protocol, "ä" * 200)
        (effect,) = protocol.receive_text(subscribe("ä" * 200))
        assert isinstance(effect, CloseReason)
        assert effect.code == 4409
        assert len(effect.reason.encode()) <= 123

    def test_completing_an_unknown_operation_is_no_error(self) -> None:
        """Messages can cross."""
        assert ready().receive_text(complete("nothing")) == ()

    def test_too_many_operations_are_refused(self) -> None:
        """The socket stays open, and a completed operation frees a place."""
        protocol = ready(max_operations=2)
        first, _ = started(protocol, "a"), started(protocol, "b")
        (refused,) = sent(protocol.receive_text(subscribe("c")))
        assert refused["payload"][0]["extensions"]["code"] == "TOO_EXPENSIVE"
        protocol.receive_text(complete("a"))
        assert sent(protocol.receive_text(subscribe("c")))[0]["type"] == "error"
        protocol.finished(first)
        started(protocol, "c")


BAD_MESSAGES = [
    *("", "hello", "[]", "null", "5", "{}", "[" * 3_000, "\ud800", PING + " " * 65_536),
    *('{"type":"zap"}', '{"type":[]}', '{"type":{}}', '{"type":null}', '{"type":"ping","payload":[]}'),
    *('{"type":"complete"}', '{"type":"complete","id":""}', '{"id":"1","type":"subscribe"}'),
    '{"type":"subscribe","payload":{"query":"{a}"}}',
    '{"id":1,"type":"subscribe","payload":{"query":"{a}"}}',
    *(subscribe(query=5), subscribe(query=None), subscribe(variables=[1]), subscribe(operationName=3)),
]


class TestBadMessages:
    @pytest.mark.parametrize("text", BAD_MESSAGES)
    def test_an_invalid_message_closes_the_socket(self, text: str) -> None:
        """With 4400 and a reason of valid length."""
        (effect,) = ready().receive_text(text)
        assert isinstance(effect, CloseReason)
        assert effect.code == 4400
        assert 0 < len(effect.reason.encode()) <= 123

    def test_so_does_a_binary_one(self) -> None:
        """Messages are text."""
        assert code_of(ready().receive_binary()) == 4400

    def test_the_largest_message_passes(self) -> None:
        """The limit is in bytes of UTF-8."""
        assert sent(ready().receive_text(PING + " " * (65_536 - len(PING)))) == [{"type": "pong"}]


class TestKeepingAlive:
    def test_a_silent_client_is_sent_away(self) -> None:
        """After a ping without a sound."""
        protocol = ready()
        assert sent(protocol.tick())[0]["type"] == "ping"
        assert code_of(protocol.tick()) == 4408

    def test_any_message_counts_as_a_sign_of_life(self) -> None:
        """It need not be a pong."""
        protocol = ready()
        for _ in range(10):
            protocol.tick()
            protocol.receive_text(PING)
        assert protocol.state is State.READY

    def test_a_ping_has_its_payload(self) -> None:
        """Such as the cursors of subscriptions."""
        assert sent(ready().tick({"cursors": {"1": "c"}})) == [{"type": "ping", "payload": {"cursors": {"1": "c"}}}]


class TestTheEnd:
    def test_only_the_first_close_counts(self) -> None:
        """Nothing is sent after it."""
        protocol = ready()
        key = started(protocol)
        assert protocol.close(CloseCode.FORBIDDEN, "Token has expired") == (
            CloseReason(CloseCode.FORBIDDEN, "Token has expired"),
        )
        assert protocol.close(CloseCode.BAD_MESSAGE, "") == protocol.result(key, "1") == protocol.tick() == ()
        assert protocol.receive_text("rubbish") == protocol.receive_binary() == protocol.authenticated() == ()

    @settings(deadline=None)
    @given(st.text())
    def test_a_reason_always_fits(self, text: str) -> None:
        """It is cut between characters."""
        assert text.startswith(close_reason(CloseCode.BAD_MESSAGE, text).reason)
        assert len(close_reason(CloseCode.BAD_MESSAGE, text).reason.encode()) <= 123


IDS = st.sampled_from(["1", "2", "3", ""])
PAYLOADS: st.SearchStrategy[Any] = (
    st.none() | st.just({}) | st.just([]) | st.just({"query": "{ a }"}) | st.just({"query": 1})
)
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["connection_init", "subscribe", "complete", "ping", "pong", "next", ""])},
    optional={"id": IDS | st.integers(), "payload": PAYLOADS},
)
EVENTS = st.one_of(
    st.tuples(st.just("text"), MESSAGES.map(json.dumps) | st.text(max_size=20) | st.just(INIT) | IDS.map(subscribe)),
    st.tuples(
        st.sampled_from(["binary", "late", "tick", "authenticated", "result", "failed", "completed"]), st.just("")
    ),
)


def _happen(protocol: Protocol, event: str, text: str, key: Key) -> Effects:
    match event:
        case "text":
            return protocol.receive_text(text)
        case "binary":
            return protocol.receive_binary()
        case "late":
            return protocol.first_message_timed_out()
        case "tick":
            return protocol.tick()
        case "authenticated":
            return protocol.authenticated()
        case "result":
            return protocol.result(key, "{}")
        case "failed":
            return protocol.failed(key, [])
    return protocol.completed(key)


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=40))
def test_any_sequence_keeps_the_rules(history: list[tuple[str, str]]) -> None:
    """Nothing raises; a close is the last effect and documented; no frame belongs to an ended operation."""
    protocol, open_, last = Protocol(max_operations=3), set[str](), Key("1", 0)
    closed = False
    for event, text in history:
        effects = _happen(protocol, event, text, last)
        assert not (closed and effects)
        for effect in effects:
            closed = closed or isinstance(effect, CloseReason)
            last = _keep_book(effect, open_, last)


def _keep_book(effect: Effect, open_: set[str], last: Key) -> Key:
    match effect:
        case CloseReason(code, reason_):
            assert code in set(CloseCode)
            assert len(reason_.encode()) <= 123
        case Start(key):
            assert key.id not in open_
            open_.add(key.id)
            return key
        case Stop(key):
            open_.remove(key.id)
        case str(text):
            _check_frame(json.loads(text), open_)
    return last


def _check_frame(message: dict[str, Any], open_: set[str]) -> None:
    if message["type"] == "next":
        assert message["id"] in open_
    elif message["type"] == "complete":
        open_.remove(message["id"])
    elif message["type"] == "error":
        open_.discard(message["id"])
