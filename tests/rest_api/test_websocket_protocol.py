"""The task socket's state machine: every event in every state, without a clock or a network."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi.close_codes import CloseCode, CloseReason
from domain.errors import FailureCode
from rest_api.websocket_protocol import Listen, SignIn, State, WebSocketProtocol


def sent(effect: object) -> dict[str, Any]:
    """What an effect sends."""
    assert isinstance(effect, str)
    decoded: dict[str, Any] = json.loads(effect)
    return decoded


def listening() -> WebSocketProtocol:
    """A dialogue that has come as far as it can."""
    dialogue = WebSocketProtocol()
    dialogue.opened("Bearer x")
    assert dialogue.signed_in() == (Listen(),)
    return dialogue


class TestSigningIn:
    def test_the_header_signs_in(self):
        """No message is needed."""
        assert WebSocketProtocol().opened("Bearer x") == (SignIn("Bearer x"),)

    def test_the_first_message_signs_in(self):
        """Browsers cannot set headers: they send the token first."""
        dialogue = WebSocketProtocol()
        assert dialogue.opened(None) == ()
        assert dialogue.receive_text('{"type": "auth", "token": "x", "more": 1}') == (SignIn("Bearer x"),)

    @pytest.mark.parametrize(
        "text",
        [
            *("", "hello", "[]", "null", "{}", "[" * 8_000, "\ud800"),
            *('{"type":"auth"}', '{"type":"auth","token":1}', '{"type":"x","token":"x"}'),
            f'{{"type":"auth","token":"{"x" * 20_000}"}}',
        ],
    )
    def test_another_first_message_closes_the_socket(self, text: str):
        """With an explanation and 4401."""
        dialogue = WebSocketProtocol()
        error, closed = dialogue.receive_text(text)
        assert sent(error)["code"] == "UNAUTHENTICATED"
        assert closed == CloseReason(CloseCode.UNAUTHORIZED, "Unauthorized: the first message was not auth")
        assert dialogue.state is State.CLOSED

    def test_a_late_sign_in_closes_the_socket(self):
        """The time-out applies only before the sign-in."""
        assert WebSocketProtocol().first_message_timed_out() == (
            CloseReason(CloseCode.TIMED_OUT, 'No sign-in in time. Send {"type": "auth", "token": "…"} first.'),
        )
        assert listening().first_message_timed_out() == ()


class TestListening:
    def test_the_first_frame_is_a_cursor(self):
        """Nothing after it is missed."""
        assert [sent(effect) for effect in listening().listening("c1")] == [{"type": "cursor", "cursor": "c1"}]

    def test_an_idle_interval_has_a_cursor(self):
        """An interval with a frame has none."""
        dialogue = listening()
        dialogue.item("{}")
        assert dialogue.tick("c2") == ()
        for cursor in ("c2", "c3"):
            assert [sent(effect) for effect in dialogue.tick(cursor)] == [{"type": "cursor", "cursor": cursor}]
        assert dialogue.tick(None) == ()

    def test_text_gets_an_error(self):
        """The socket stays open."""
        [effect] = listening().receive_text("hello")
        assert sent(effect)["type"] == "error"
        assert "hello" not in sent(effect)["message"]

    def test_a_bad_cursor_closes_the_socket(self):
        """With an explanation."""
        error, closed = listening().refuse(FailureCode.BAD_REQUEST, "No cursor")
        assert sent(error) == {"type": "error", "code": "BAD_REQUEST", "message": "No cursor"}
        assert closed == CloseReason(CloseCode.BAD_MESSAGE, "No cursor")


EVENTS = st.one_of(
    st.tuples(st.just("receive_text"), st.text(max_size=20) | st.just('{"type":"auth","token":"x"}')),
    st.tuples(st.just("item"), st.just("{}")),
    st.tuples(st.just("listening"), st.just("c")),
    st.tuples(st.just("tick"), st.just("c") | st.none()),
    st.tuples(st.sampled_from(["receive_binary", "first_message_timed_out", "signed_in"])),
)


@given(header=st.booleans(), events=st.lists(EVENTS, max_size=12))
def test_any_order_of_events_keeps_the_rules(header: bool, events: list[tuple[Any, ...]]):
    """Nothing is delivered before the sign-in, and nothing after the close."""
    dialogue = WebSocketProtocol()
    effects = list(dialogue.opened("Bearer x" if header else None))
    for name, *arguments in events:
        was = dialogue.state
        new = list(getattr(dialogue, name)(*arguments))
        if was is State.CLOSED:
            assert new == []
        if was is not State.LISTENING:
            assert all(sent(each)["type"] == "error" for each in new if isinstance(each, str))
        effects += new
    closes = [index for index, effect in enumerate(effects) if isinstance(effect, CloseReason)]
    assert closes in ([], [len(effects) - 1])
    assert sum(isinstance(effect, SignIn) for effect in effects) <= 1
