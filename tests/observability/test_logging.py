"""Each log line is one line, whatever its source, and holds no secret."""

import io
import json
import logging
import logging.config
import re
import sys
from collections.abc import Callable

import pytest
import structlog

from observability.console import ConsoleFormatter
from observability.logging import Lines, configuration
from observability.redaction import RedactingFilter, describe, redacted
from observability.request_records import RequestRecords, record_error, record_operation, record_user
from tests.support.log import Log, restored_logging

FORGED = 'x"}\n{"event": "forged"}\r\x1b[2K\u2028\x85\x00'


def record(*args: object, text: str = '%s - "WebSocket %s" 403', error: Exception | None = None) -> logging.LogRecord:
    """A record as the HTTP server makes them."""
    info = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord("uvicorn.error", logging.INFO, __file__, 1, text, args, info)


def raised(error: Exception) -> Exception:
    """The same, having been raised."""
    try:
        raise error
    except Exception as caught:
        return caught


class TestLines:
    def test_lines_of_libraries_are_json(self, log: Log):
        """A record of the standard library's logging has the same form, with its logger's name."""
        logging.getLogger("some.library").warning("%s of %d", "part", 2)

        [line] = log.lines
        assert (line["event"], line["level"], line["logger"]) == ("part of 2", "warning", "some.library")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])

    def test_a_line_cannot_be_forged(self, log: Log):
        """Newlines and other control characters are escaped."""
        logging.getLogger("some.library").warning("%s", FORGED)
        structlog.get_logger("taskriver").info("ours", text=FORGED)

        assert [line["event"] for line in log.lines] == [FORGED, "ours"]
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x80-\x9f\u2028]", log.text)

    def test_a_closed_stream_loses_only_lines(self):
        """Nothing raises."""
        out = io.BytesIO()
        handler = Lines("info", stream=out)
        out.close()
        handler.handle(record("a", "b"))
        structlog.get_logger().info("ours")
        structlog.reset_defaults()

    def test_a_broken_record_is_reported_without_its_arguments(self, capsys: pytest.CaptureFixture[str]):
        """They may be secrets."""
        out = io.BytesIO()
        Lines("info", stream=out).handle(record("secret", text="%d"))
        structlog.reset_defaults()
        assert json.loads(out.getvalue())["event"] == "a line of uvicorn.error could not be written"
        assert "secret" not in out.getvalue().decode() + capsys.readouterr().err


class TestConfiguration:
    @pytest.mark.parametrize("libraries", ["debug", "info", "warning"])
    def test_libraries_never_write_down_their_wires(self, libraries: str):
        """With LOG_LEVEL=debug, too, the HTTP server does not log frames, for these hold tokens."""
        loggers = configuration("debug", readable=False, libraries=libraries)["loggers"]  # type: ignore[arg-type]
        assert loggers["uvicorn.error"]["level"] >= logging.INFO
        assert loggers["taskriver"]["level"] == "DEBUG"

    def test_the_configuration_is_plain_data(self):
        """Worker processes get it as text."""
        wanted = configuration("info", readable=True)
        assert json.loads(json.dumps(wanted)) == wanted

    def test_the_configuration_works(self, monkeypatch: pytest.MonkeyPatch):
        """`logging` accepts it, and all lines go to stderr, own lines from the given level on."""
        out = io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, "stderr", out)
        with restored_logging():
            logging.config.dictConfig(configuration("warning", readable=False))
            logging.getLogger("uvicorn.error").warning("theirs")
            logging.getLogger("sqlalchemy.engine").info("not this")
            structlog.get_logger().info("nor this")
            structlog.get_logger().warning("ours")
        out.seek(0)
        assert [json.loads(line)["event"] for line in out] == ["theirs", "ours"]


class TestRedactedValues:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("sent Bearer abc.def and more", "sent Bearer [hidden] and more"),
            ("authorization: Basic QWxhZGRpbg==", "authorization: [hidden]"),
            ("eyJhbGciOiJIUzI1NiJ9.e30.c2ln was refused", "[hidden] was refused"),
            ("postgresql+asyncpg://app:hunter2@db:5432/app", "postgresql+asyncpg://[hidden]@db:5432/app"),
            ("redis://:hunter2@cache:6379/0", "redis://[hidden]@cache:6379/0"),
            ("Key (email)=(ada@example.org) already exists", "Key (email)=([hidden]) already exists"),
            ("refresh_token=abc; Path=/", "refresh_token=[hidden]; Path=/"),
            ('{"password": "hunter2"}', '{"password": [hidden]"}'),
            ("nothing of the kind at 127.0.0.1:5432", "nothing of the kind at 127.0.0.1:5432"),
        ],
    )
    def test_secrets_are_redacted(self, text: str, shown: str):
        """Tokens, passwords in URLs, addresses, and values with the name of a secret."""
        assert redacted(text) == shown

    def test_an_exception_is_logged_without_its_values(self):
        """With its type, its location and its cause."""
        try:
            try:
                int("my password")
            except ValueError as error:
                raise RuntimeError("the pool is closed") from error
        except RuntimeError as error:
            text = describe(error)
        assert "my password" not in text.replace('int("my password")', "")  # the line of code may be shown
        assert "ValueError\n" in text
        assert "which led to" in text
        assert text.endswith("RuntimeError: the pool is closed")
        assert "test_an_exception_is_logged_without_its_values" in text

    def test_a_group_is_logged_completely(self):
        """With each of its exceptions."""
        group = ExceptionGroup("several", [KeyError("secret"), OSError(111, "Connection refused")])
        assert "KeyError" in describe(group)
        assert "Connection refused" in describe(group)
        assert "secret" not in describe(group)

    def test_tracebacks_are_in_the_line(self, log: Log):
        """An exception does not spread over lines."""
        logging.getLogger("taskriver").error("it broke", exc_info=raised(ValueError("secret")))
        [line] = log.lines
        assert "in raised" in line["exception"]
        assert "secret" not in log.text

    def test_asyncio_messages_are_cut(self, log: Log):
        """Only their first line is logged; the rest may contain values."""
        logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task ValueError('secret')>")
        assert [line["event"] for line in log.lines] == ["Task exception was never retrieved"]


class TestRedaction:
    def test_the_access_log_has_no_query_strings(self):
        """They may contain tokens."""
        found = record("127.0.0.1:1", "/graphql?token=secret")
        assert RedactingFilter().filter(found)
        assert found.getMessage() == '127.0.0.1:1 - "WebSocket /graphql" 403'

    def test_a_client_error_has_no_traceback(self):
        """Invalid UTF-8 is an error of the client; own errors keep their traceback."""
        for error, kept in ((UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), False), (ValueError("x"), True)):
            found = record("a", "b", error=error)
            RedactingFilter().filter(found)
            assert (found.exc_info is not None) is kept

    def test_an_open_socket_is_no_news(self):
        """What is done on a socket has lines of its own."""
        assert not RedactingFilter().filter(record("a", "/graphql", text='%s - "WebSocket %s" [accepted]'))


class TestRequests:
    def test_a_request_is_one_line(self, log: Log):
        """With actor, operation, transport, result, duration and cost."""
        requests = RequestRecords()
        asked = requests.begin("http", "abc")
        with asked:
            record_operation("Board", "query", known=False)
            record_error("FORBIDDEN")
            record_error("INTERNAL")
            asked.statements += 3
        asked.status = 200
        asked.end()
        requests.flush()

        [line] = log.lines
        assert line.pop("ms") < 1000
        assert line.pop("time")
        assert line == {
            "level": "info", "event": "request", "door": "http", "operation": "Board", "kind": "query",
            "status": 200, "code": "FORBIDDEN", "statements": 3, "actor": None, "request_id": "abc",
        }  # fmt: skip

    def test_a_disconnect_is_no_success(self, log: Log):
        """Without a response a request is cancelled."""
        requests = RequestRecords()
        for status in (None, 204, 413):
            asked = requests.begin("http", "abc")
            asked.status = status
            asked.end()
        requests.flush()
        assert [line["code"] for line in log.requests()] == ["CANCELLED", "OK", "BAD_REQUEST"]

    def test_nothing_is_recorded_outside_a_request(self):
        """Other work belongs to no request."""
        record_operation("Board", "query", known=True)
        record_error("FORBIDDEN")
        record_user(None)  # type: ignore[arg-type]


class TestReadable:
    @staticmethod
    def _line(**values: object) -> str:
        event = {"time": "2026-11-23T09:15:02.113+00:00", "level": "info"} | values
        return ConsoleFormatter(colours=False)(None, "info", event)

    def test_a_request_fits_a_terminal(self):
        """The usual line has 80 characters."""
        line = self._line(
            event="request", door="http", kind="mutation", operation="UpdateTask", ms=1234.5, statements=12, code="OK",
            request_id="0123456789abcdef", actor=None, status=200,
        )  # fmt: skip
        assert line == "09:15:02  http mutation UpdateTask         1234.5 ms  12 SQL  OK 0123456789abcdef"

    def test_no_character_moves_the_cursor(self):
        """Control characters are shown as such, in names and in values."""
        line = self._line(event=FORGED, source=FORGED)
        assert "\n" not in line
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028]", line)

    @pytest.mark.parametrize("make", [lambda: raised(ValueError("why\x1b[2K"))])
    def test_a_terminal_shows_the_whole_traceback(self, make: Callable[[], Exception]):
        """With the message of the exception, but without control sequences."""
        line = self._line(event="it broke", level="error", exc_info=make())
        assert line.splitlines()[-1] == r"ValueError: why\x1b[2K"

    def test_colours_are_for_terminals(self, monkeypatch: pytest.MonkeyPatch):
        """A pipe gets none, and NO_COLOR disables them."""
        for terminal, no_color, coloured in ((True, "", True), (True, "1", False), (False, "", False)):
            monkeypatch.setenv("NO_COLOR", no_color)
            out = io.BytesIO()
            out.isatty = lambda answer=terminal: answer  # type: ignore[method-assign,misc]
            handler = Lines("info", readable=True, stream=out)
            handler.handle(record(text="hello"))
            structlog.reset_defaults()
            assert (b"\x1b[" in out.getvalue()) is coloured
