"""A Redis that is killed, frozen, restarted or full of other messages delays events, and has no other effect."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from domain.user import Role
from embedded.valkey import Valkey
from graphql_api.auth.failed_attempts import AttemptCount, FailedAttempts
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from streaming.notifier import Notification, Notifier, PublishQueue
from streaming.redis_acl import CHANNEL, RULES, SENTINEL_RULES, setuser_command
from tests.streaming.conftest import StartProcess
from tests.streaming.support import Process, a_notification, a_task_event, an_actor, logged, receive_event, until
from tests.support.ports import closed_port
from tests.support.waiting import HANG_SECONDS

ROOT = Path(__file__).parents[2]
ADMIN = an_actor(Role.ADMIN)


async def send(writer: Process, listener, version: int) -> None:
    """Commit an event, and wait until a subscriber of another process receives it."""
    await writer.record(a_task_event(version=version))
    assert (await receive_event(listener)).version == version


class TestOutage:
    @pytest.mark.parametrize(("hurt", "heal"), [("kill", "start"), ("freeze", "thaw")])
    async def test_events_come_late_and_soon_again(self, start: StartProcess, disposable_valkey: Valkey, hurt, heal):
        """Without Redis commits do not wait for it and events arrive all the same; it is noticed when it is back."""
        writer, other = await start(redis=disposable_valkey.url), await start(redis=disposable_valkey.url)
        await until(lambda: writer.stream.healthy and other.stream.healthy)
        async with other.stream.subscribe(ADMIN, None, None) as listener:
            getattr(disposable_valkey, hurt)()
            for version in range(4):
                await send(writer, listener, version)
            await until(lambda: not other.stream.healthy)

            await asyncio.to_thread(getattr(disposable_valkey, heal))
            await until(lambda: writer.stream.healthy and other.stream.healthy)
            for version in range(4, 8):
                await send(writer, listener, version)

    async def test_it_starts_without_redis(self, start: StartProcess, disposable_valkey: Valkey):
        """A process starts and delivers events without Redis, and connects to it later."""
        disposable_valkey.stop()
        process = await start(redis=disposable_valkey.url)
        async with process.stream.subscribe(ADMIN, None, None) as listener:
            await send(process, listener, 1)
        unhealthy = not process.stream.healthy
        await asyncio.to_thread(disposable_valkey.start)
        await until(lambda: process.stream.healthy)

        assert unhealthy

    @pytest.mark.parametrize("after", [0.0, 0.001, 0.003, 0.02])
    async def test_it_stops_immediately(self, redis_url: str, after: float):
        """While connecting or later; no task and no connection is left."""
        notifier, others = Notifier(redis_url, channel="test:stop"), asyncio.all_tasks()
        await notifier.start(lambda notification: None, lambda: None)
        await asyncio.sleep(after)
        async with asyncio.timeout(HANG_SECONDS):
            await notifier.stop()

        assert asyncio.all_tasks() - others == set()

    async def test_it_stops_at_each_step_of_its_start(self, redis_url: str):
        """redis-py can lose a cancellation that arrives together with an answer."""
        for step in range(60):
            notifier = Notifier(redis_url, channel="test:stop")
            await notifier.start(lambda notification: None, lambda: None)
            for _ in range(step):
                await asyncio.sleep(0)
            async with asyncio.timeout(HANG_SECONDS):
                await notifier.stop()

    async def test_a_subscription_that_is_cut_is_made_again(self, start: StartProcess, disposable_valkey: Valkey):
        """A connection that Redis closes is replaced."""
        writer, other = await start(redis=disposable_valkey.url), await start(redis=disposable_valkey.url)
        await until(lambda: writer.stream.healthy and other.stream.healthy)
        async with Redis.from_url(disposable_valkey.url) as redis:
            assert await redis.client_kill_filter(_type="pubsub") == 2
            await until(lambda: not other.stream.healthy)
            await until(lambda: writer.stream.healthy and other.stream.healthy)
        async with other.stream.subscribe(ADMIN, None, None) as listener:
            await send(writer, listener, 5)


class TestNonsense:
    async def test_other_messages_are_ignored(self, start: StartProcess, redis_url: str):
        """Events are delivered once, in order, and the notifier stays connected."""
        process = await start(channel="test:nonsense")
        await until(lambda: process.stream.healthy)
        epoch = process.stream.epoch
        forged = a_notification(epoch, logged(a_task_event(), first=10**12)).encode()
        half = a_notification(epoch, logged(a_task_event(), a_task_event())).encode().replace(b'"to":2', b'"to":3')
        async with Redis.from_url(redis_url) as redis, process.stream.subscribe(ADMIN, None, None) as listener:
            for message in (b"\xff\xfe", b"", b"null", b"[[1]]", forged, half, b'{"epoch":"x","from":1,"to":2}'):
                assert await redis.publish("test:nonsense", message) == 1
            await send(process, listener, 1)
            await send(process, listener, 2)

        assert process.stream.healthy
        assert process.stream.position == 2

    async def test_an_old_notification_is_ignored(self, start: StartProcess, redis_url: str):
        """It is not delivered again."""
        process = await start(channel="test:again")
        await until(lambda: process.stream.healthy)
        event = a_task_event(version=1)
        async with Redis.from_url(redis_url) as redis, process.stream.subscribe(ADMIN, None, None) as listener:
            await process.record(event)
            assert await receive_event(listener) == event
            await redis.publish("test:again", a_notification(process.stream.epoch, logged(event)).encode())
            await send(process, listener, 2)


class TestOutbox:
    async def test_the_publish_queue_is_bounded(self):
        """A slow Redis loses notifications, and uses no memory."""
        outbox = PublishQueue(capacity=2)
        for first in (1, 2, 3):
            outbox.put(Notification("e", first, first, None))

        assert [(await outbox.get()).first, (await outbox.get()).first] == [1, 2]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await outbox.get()


async def allow(redis: Any, user: str, *rules: str) -> None:
    """Have an account of Redis with these rules, or change one."""
    await redis.execute_command("ACL", "SETUSER", user, "on", ">secret", *rules)


class TestRefusals:
    @pytest.mark.parametrize(
        ("rules", "command"),
        [
            ("+@all -publish ~* &*", "PUBLISH"),
            ("+@all ~* resetchannels", "SUBSCRIBE"),
            ("+@all -subscribe ~* &*", "SUBSCRIBE"),
        ],
    )
    async def test_a_refusal_is_logged_once(
        self, start: StartProcess, disposable_valkey: Valkey, caplog: pytest.LogCaptureFixture, rules: str, command: str
    ):
        """Events arrive by polling; the end is logged, too."""
        caplog.set_level("INFO", "taskriver.bell")
        async with Redis.from_url(disposable_valkey.url) as redis:
            await allow(redis, "quiet", *rules.split())
            process = await start(redis=re.sub("//.*@|//", "//quiet:secret@", disposable_valkey.url))
            async with process.stream.subscribe(ADMIN, None, None) as listener:
                await send(process, listener, 1)
                await until(lambda: process.stream.is_refused)
                await send(process, listener, 2)
                await allow(redis, "quiet", "+@all", "allchannels")
                await send(process, listener, 3)
                await until(lambda: process.stream.healthy and not process.stream.is_refused)
        delivered = [record for record in caplog.messages if f"Redis refuses {command}" in record]
        assert len(delivered) == 1
        assert "polling" in delivered[0]
        assert f"Redis accepts {command} again" in caplog.messages

    async def test_a_wrong_password_is_logged_once(
        self, start: StartProcess, redis_url: str, caplog: pytest.LogCaptureFixture
    ):
        """Without the password; the process starts, and events arrive by polling."""
        process = await start(redis=re.sub("//.*@", "//:hunter2@", redis_url))
        await until(lambda: process.stream.is_refused)
        async with process.stream.subscribe(ADMIN, None, None) as listener:
            await send(process, listener, 1)
        await until(lambda: not process.stream.healthy)
        [message] = [each for each in caplog.messages if "Redis" in each]

        assert message == (
            "Redis refuses SET; events arrive by polling: invalid username-password pair or user is disabled. "
            "Correct the user and the password in REDIS_URL."
        )

    async def test_a_redis_that_is_down_at_the_start_is_logged_once(
        self, start: StartProcess, caplog: pytest.LogCaptureFixture
    ):
        """Though the process connects again and again."""
        with closed_port() as port:
            process = await start(redis=f"redis://:hunter2@127.0.0.1:{port}")
            await until(lambda: "no Redis notifications; events arrive later" in caplog.text)
            async with process.stream.subscribe(ADMIN, None, None) as listener:
                await send(process, listener, 1)
            await process.stream.stop()

        assert caplog.text.count("no Redis notifications") == 1
        assert "hunter2" not in caplog.text

    async def test_the_documented_rights_are_enough(self, start: StartProcess, disposable_valkey: Valkey):
        """A user with what docs/deployment.md names, and nothing else, may do all that a process does."""
        text = (ROOT / "docs/deployment.md").read_text()
        commands = re.findall(r"^ *(ACL SETUSER NAME .*)$", text, re.MULTILINE)
        assert commands == [setuser_command("NAME"), setuser_command("NAME", SENTINEL_RULES)]
        rules = RULES
        url = re.sub("//.*@|//", "//few:secret@", disposable_valkey.url)
        async with Redis.from_url(disposable_valkey.url) as redis, Redis.from_url(url) as few:
            await allow(redis, "few", "resetchannels", *rules.split())
            process = await start(redis=url, channel=CHANNEL)
            await until(lambda: process.stream.healthy)
            async with process.stream.subscribe(ADMIN, None, None) as listener:
                await send(process, listener, 1)
                await until(lambda: process.stream.counters.notifications > 0)
            assert not process.stream.is_refused
            throttle, limit = RateLimiter(few, timeout=10), RateLimit("test", 2, 60)
            await throttle.take(limit, "key", message="no")
            for failed in (True, False):
                attempt = FailedAttempts(throttle).attempt([AttemptCount(limit, "other")], message="no")
                await attempt.begin()
                await attempt.end(failed=failed)
            assert throttle.redis._paused_until is None
