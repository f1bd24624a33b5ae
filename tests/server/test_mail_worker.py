"""Mails: each is sent at least once, by real SMTP, whatever the mail server and the processes do."""

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from domain.mail import LEASE, LinkPurpose, MailKind, link_token
from domain.user import UserKind
from persistence.models import LinkTokenRow, MailRow, UserRow
from server.mail_worker import MailWorker
from server.settings import Settings, SMTPSecurity
from server.smtp import NotSent, SMTPTransport, TerminalTransport
from services.email_account import request_password_reset
from services.mail import LinkMaker, enqueue, waiting_mails
from tests.support.builders import Builders
from tests.support.certificates import Authority
from tests.support.mail_server import HOST, MailServer, mail_server, text_of, token_in
from tests.support.ports import closed_port
from tests.support.transactions import orm_session
from tests.support.waiting import HANG_SECONDS

KEY = b"a key of 32 bytes for these tests"
LINKS = LinkMaker(KEY, "https://tasks.example.org")
SENDER = "Taskriver <noreply@example.org>"


def settings_of(port: int, **values: Any) -> Settings:
    """Settings with a mail server on this machine."""
    chosen = {"smtp_security": SMTPSecurity.NONE, "smtp_host": HOST, "smtp_port": port, "mail_from": SENDER}
    return Settings(_env_file=None, public_url=LINKS.public_url, **(chosen | values))  # type: ignore[arg-type]


def worker_of(build: Builders, port: int, **values: Any) -> MailWorker:
    """A worker that sends to this mail server."""
    transport = SMTPTransport(settings_of(port, **values))
    return MailWorker(lambda: build.as_(None), transport, LINKS, SENDER)


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    """A mail server without encryption."""
    async with mail_server() as found:
        yield found


async def ask(build: Builders, user: UserRow) -> None:
    """Let a link for a new password be mailed."""
    await request_password_reset(build.as_(None), email=user.email)


async def stored(build: Builders) -> list[MailRow]:
    """All mails, the oldest first."""
    async with orm_session(build.database) as session:
        return list((await session.scalars(select(MailRow).order_by(MailRow.id))).all())


async def make_due(build: Builders, **values: Any) -> None:
    """Let every mail be due now, as if the time had passed."""
    async with orm_session(build.database) as session:
        now = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(MailRow).values(next_attempt_at=now, **values))
        await session.commit()


class TestSending:
    async def test_a_mail_is_sent_once_and_has_no_secret(self, build: Builders, server: MailServer):
        """A plain and an HTML part with the link, fixed headers; the row has no text and no token."""
        user = await build.a_user()
        await ask(build, user)
        worker = worker_of(build, server.port)
        assert await worker.send_next() is True
        assert await worker.send_next() is False

        [message] = server.messages
        assert message["To"] == user.email
        assert message["From"] == SENDER
        assert message["Auto-Submitted"] == "auto-generated"
        [row] = await stored(build)
        assert message["Message-ID"] == f"<{row.id}@example.org>"
        assert f"https://tasks.example.org/reset-password#token={token_in(message)}" in text_of(message)
        html = message.get_body(("html",))
        assert html is not None
        assert token_in(message) in html.get_content()
        assert (row.sent_at is not None, row.failed_at, row.error, row.attempts) == (True, None, None, 1)
        assert token_in(message) not in repr(vars(row))
        assert worker.counts == {"sent": 1}

    async def test_the_transaction_decides(self, build: Builders, server: MailServer):
        """A mail of a transaction that is rolled back is not sent."""
        uow = build.as_(None)
        async with uow:
            enqueue(uow, MailKind.PASSWORD_RESET, "a@example.org", timedelta(hours=1))
        assert await stored(build) == []

    @pytest.mark.parametrize(
        "values",
        [{"is_active": False}, {"has_password": False}, {"kind": UserKind.SERVICE, "has_password": False}],
        ids=["disabled", "without a password", "service account"],
    )
    async def test_some_users_get_no_link(self, build: Builders, server: MailServer, values: dict[str, Any]):
        """As for an unknown address: nothing is sent, no token exists, and the row is gone."""
        user = await build.a_user(**values)
        for email in (user.email, f"{uuid4().hex}@example.org"):
            await request_password_reset(build.as_(None), email=email)
        worker = worker_of(build, server.port)
        while await worker.send_next():
            pass
        assert (server.messages, await stored(build)) == ([], [])

    async def test_the_stored_address_is_used(self, build: Builders, server: MailServer):
        """Not the text of the request: for the database, two texts can be equal that lead to different mailboxes."""
        user = await build.a_user(email=f"Grace.{uuid4().hex[:8]}@example.org")
        await request_password_reset(build.as_(None), email=user.email.upper().replace("EXAMPLE.ORG", "example.org"))
        await worker_of(build, server.port).send_next()
        assert [each.rcpt_tos for each in server.received] == [[user.email]]

    async def test_an_address_with_other_scripts(self, build: Builders, server: MailServer):
        """With SMTPUTF8 (RFC 6531)."""
        user = await build.a_user(email=f"größe{uuid4().hex[:6]}@example.org")
        await ask(build, user)
        await worker_of(build, server.port).send_next()
        assert server.received[0].rcpt_tos == [user.email]


class TestFailures:
    async def test_a_refused_recipient_is_given_up(
        self, build: Builders, server: MailServer, caplog: pytest.LogCaptureFixture
    ):
        """Once, with a log line that has neither address nor token."""
        server.rcpt_answer = "550 5.1.1 No such user <victim@example.org>"
        await ask(build, await build.a_user())
        worker = worker_of(build, server.port)
        await worker.send_next()
        await make_due(build)
        assert await worker.send_next() is False
        [row] = await stored(build)
        assert (row.failed_at is not None, row.error) == (True, "SMTPRecipientRefused 550")
        assert worker.counts == {"given_up": 1}
        assert "is given up after 1 attempts: SMTPRecipientRefused 550" in caplog.text
        assert "@" not in caplog.text

    @pytest.mark.parametrize("answer", ["451 try again", "421 busy"])
    async def test_a_temporary_refusal_is_repeated_with_the_same_link(
        self, build: Builders, server: MailServer, answer: str
    ):
        """With the same Message-ID, after a pause that grows."""
        await ask(build, await build.a_user())
        worker, pauses = worker_of(build, server.port), []
        server.data_answer = answer
        for _ in range(3):
            before = datetime.now(UTC)
            await worker.send_next()
            [row] = await stored(build)
            pauses.append((row.next_attempt_at - before).total_seconds())
            await make_due(build)
        assert 9 < pauses[0] < pauses[1] < pauses[2]
        server.data_answer = None
        await worker.send_next()
        [message] = server.messages
        [row] = await stored(build)
        assert token_in(message) == link_token(LinkPurpose.RESET, row.id, KEY)
        assert worker.counts == {"failed": 3, "sent": 1}

    async def test_a_connection_that_breaks_after_the_message(self, build: Builders, server: MailServer):
        """It may have arrived, or not: it is sent again. Both have the same Message-ID and the same link."""
        server.lost_answers = 1
        await ask(build, await build.a_user())
        worker = worker_of(build, server.port)
        await worker.send_next()
        await make_due(build)
        await worker.send_next()
        first, second = server.messages
        assert (first["Message-ID"], token_in(first)) == (second["Message-ID"], token_in(second))
        assert (await stored(build))[0].sent_at is not None

    async def test_a_server_that_refuses_connections(self, build: Builders):
        """The mail waits, and the worker goes on."""
        await ask(build, await build.a_user())
        with closed_port() as port:
            worker = worker_of(build, port)
            assert await worker.send_next() is True
        [row] = await stored(build)
        assert (row.sent_at, row.failed_at) == (None, None)
        assert (await waiting_mails(build.as_(None))).number == 1

    async def test_a_server_that_hangs(self, build: Builders, server: MailServer, monkeypatch: pytest.MonkeyPatch):
        """The attempt ends by itself, within the lease."""
        monkeypatch.setattr("server.smtp.ATTEMPT_SECONDS", 0.2)
        server.hangs = True
        await ask(build, await build.a_user())
        async with asyncio.timeout(HANG_SECONDS):
            await worker_of(build, server.port).send_next()
        [row] = await stored(build)
        assert (row.sent_at, row.error) == (None, "TimeoutError")

    async def test_an_expired_link_is_not_sent(self, build: Builders, server: MailServer):
        """It would be useless: the mail is given up, however long the server was away."""
        await ask(build, await build.a_user())
        await make_due(build, expires_at=datetime.now(UTC) - timedelta(seconds=1))
        worker = worker_of(build, server.port)
        assert await worker.send_next() is True
        assert await worker.send_next() is False
        assert (server.messages, worker.counts) == ([], {"given_up": 1})

    async def test_a_mail_that_cannot_be_made_does_not_hold_up_others(self, build: Builders, server: MailServer):
        """Such as one with details that this version does not understand."""
        user = await build.a_user()
        uow = build.as_(None)
        async with uow:
            enqueue(uow, MailKind.EMAIL_VERIFICATION, user.email, timedelta(hours=1), {"userId": "x"})
            await uow.commit()
        await ask(build, user)
        worker = worker_of(build, server.port)
        while await worker.send_next():
            pass
        assert len(server.messages) == 1
        assert worker.counts == {"failed": 1, "sent": 1}


class TestEncryption:
    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        """An authority that this machine does not trust."""
        return Authority(tmp_path / "ca")

    def context(self, authority: Authority, name: str = "127.0.0.1", **values: str) -> ssl.SSLContext:
        """The mail server's side, with a certificate of the authority."""
        certificate = authority.issue(name, **values)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.file, certificate.key)
        return context

    @pytest.mark.parametrize("security", [SMTPSecurity.STARTTLS, SMTPSecurity.TLS])
    async def test_a_certificate_that_is_not_trusted(
        self, build: Builders, authority: Authority, security: SMTPSecurity
    ):
        """Nothing is sent, no password either. The mail waits until the certificate is right."""
        await ask(build, await build.a_user())
        context = self.context(authority)
        way = {"starttls": context} if security is SMTPSecurity.STARTTLS else {"tls": context}
        async with mail_server(**way) as server:  # type: ignore[arg-type]
            await worker_of(build, server.port, smtp_security=security).send_next()
            assert server.received == []
        [row] = await stored(build)
        assert (row.sent_at, row.failed_at) == (None, None)
        assert "certificate" in (row.error or "")

    async def test_a_certificate_of_another_host(
        self, build: Builders, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ):
        """Refused, although the authority is trusted."""
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        await ask(build, await build.a_user())
        context = self.context(authority, "other", alternative_name="DNS:mail.example.org")
        async with mail_server(tls=context) as server:
            await worker_of(build, server.port, smtp_security=SMTPSecurity.TLS).send_next()
            assert server.received == []

    async def test_a_server_without_encryption(self, build: Builders, server: MailServer):
        """With `starttls` nothing is sent in plain text."""
        await ask(build, await build.a_user())
        await worker_of(build, server.port, smtp_security=SMTPSecurity.STARTTLS).send_next()
        assert server.received == []

    async def test_signing_in_over_starttls(
        self, build: Builders, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ):
        """With the right password a mail is sent, and with a wrong one it waits: the settings can be corrected."""
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        await ask(build, await build.a_user())
        async with mail_server(starttls=self.context(authority), user=("mailer", "right")) as server:
            chosen = {"smtp_security": SMTPSecurity.STARTTLS, "smtp_username": "mailer"}
            wrong = SecretStr("wrong")
            with pytest.raises(NotSent, match="SMTPAuthenticationError 535"):
                await SMTPTransport(settings_of(server.port, **chosen, smtp_password=wrong)).check()
            await worker_of(build, server.port, **chosen, smtp_password=wrong).send_next()
            [row] = await stored(build)
            assert (row.failed_at, row.error) == (None, "SMTPAuthenticationError 535")
            await make_due(build)
            await worker_of(build, server.port, **chosen, smtp_password=SecretStr("right")).send_next()
            assert len(server.received) == 1


class TestProcesses:
    async def test_many_workers_share_the_mails(self, build: Builders, server: MailServer):
        """Each mail is sent once while none of them dies."""
        users = [await build.a_user() for _ in range(12)]
        for user in users:
            await ask(build, user)
        workers = [worker_of(build, server.port) for _ in range(4)]

        async def drain(worker: MailWorker) -> None:
            while await worker.send_next():
                pass

        await asyncio.gather(*map(drain, workers))
        assert sorted(each.rcpt_tos[0] for each in server.received) == sorted(user.email for user in users)
        assert sum(worker.counts["sent"] for worker in workers) == 12

    async def test_a_process_that_is_killed_while_it_sends(self, build: Builders, server: MailServer):
        """With SIGKILL, after the mail server has its connection. Another process sends the mail after the lease."""
        server.hangs = True
        user = await build.a_user()
        await ask(build, user)
        program = dedent(
            """
            import asyncio, sys
            from persistence.database import Database
            from server.mail_worker import MailWorker
            from server.settings import Settings
            from server.smtp import SMTPTransport
            from services.mail import LinkMaker

            async def main():
                settings = Settings(_env_file=None)
                database = Database(settings.database_url.get_secret_value(), pool_size=2)
                links = LinkMaker(b"a key of 32 bytes for these tests", settings.public_url)
                transport = SMTPTransport(settings)
                await MailWorker(lambda: database.unit_of_work(None), transport, links, settings.mail_from).send_next()

            asyncio.run(main())
            """
        )
        environment = {
            "DATABASE_URL": build.database.engine.url.render_as_string(hide_password=False),
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(server.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": SENDER,
            "PUBLIC_URL": str(LINKS.public_url),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, cwd=Path(__file__).parents[2], env=os.environ | environment
        )
        async with asyncio.timeout(HANG_SECONDS):
            while [row.attempts for row in await stored(build)] != [1] or not server.is_busy:
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        await process.wait()

        server.hangs = False
        worker = worker_of(build, server.port)
        assert await worker.send_next() is False  # the lease of the dead process
        [row] = await stored(build)
        assert row.next_attempt_at - datetime.now(UTC) <= LEASE
        await make_due(build)
        await worker.send_next()
        assert [each.rcpt_tos for each in server.received] == [[user.email]]

    async def test_a_late_failure_does_not_move_the_attempt_of_another_process(
        self, build: Builders, server: MailServer
    ):
        """A process that was frozen finds that another one has the mail now."""
        await ask(build, await build.a_user())
        [row] = await stored(build)
        uow = build.as_(None)
        async with uow:
            first = await uow.mails.claim(LEASE)
        await make_due(build)
        async with uow:
            second = await uow.mails.claim(LEASE)
        assert first is not None
        assert second is not None
        async with uow:
            await uow.mails.try_later(first, timedelta(days=1), "late")
        [row] = await stored(build)
        assert (row.next_attempt_at, row.error) == (second.next_attempt_at, None)


async def test_the_terminal_gets_the_text():
    """What `taskriver dev` prints."""
    printed: list[str] = []
    message = EmailMessage()
    message["Subject"] = "A subject"
    message.set_content("A line\nhttp://127.0.0.1:8000/join#token=x\n")
    await TerminalTransport(printed.append).send(message, "grace@example.org")
    assert "To: grace@example.org" in printed[0]
    assert "http://127.0.0.1:8000/join#token=x" in printed[0]


async def test_tokens_are_stored_as_hashes_only(build: Builders, server: MailServer):
    """No column of any table has the text of a token."""
    await ask(build, await build.a_user())
    await worker_of(build, server.port).send_next()
    token = token_in(server.messages[0])
    async with orm_session(build.database) as session:
        [row] = (await session.scalars(select(LinkTokenRow))).all()
    assert len(row.token_hash) == 32
    assert token not in repr(await build.snapshot())
