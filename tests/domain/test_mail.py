"""Mails: texts with hostile names, headers, tokens, and pauses."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from itertools import pairwise
from uuid import uuid4

import pytest

from domain import mail_texts
from domain.mail import PAGES, LinkPurpose, MailKind, link, link_hash, link_token, wait_after
from persistence.models import MailRow
from server.mail_settings import mail_problems
from server.smtp import make_message
from services.mail import MadeMail

KEY = b"0123456789abcdef0123456789abcdef"
HOSTILE = [
    "a\r\nBcc: everyone@example.org",
    "a\nSubject: other",
    "a\x00b",
    "\u202eevil",
    "x" * 10_000,
    '"><script>alert(1)</script>',
    "grace <grace@example.com>",
    "=?utf-8?q?=0d=0aBcc:_x@example.org?=",
    "名前 🎉",
    "\ud800",
]


def sent(made: MadeMail) -> bytes:
    """The bytes of the message."""
    row = MailRow(id=uuid4(), kind=MailKind.INVITATION, created_at=datetime.now(UTC))
    return make_message(row, made, "Taskriver <noreply@example.org>").as_bytes()


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("place", ["inviter", "project", "username"])
def test_names_of_others_change_no_header_and_no_markup(name: str, place: str):
    """Headers are those of a harmless name; the HTML part has no element of the name, and the text stays short."""
    if place == "username":
        text = mail_texts.password_reset(name, "https://x/reset-password#token=t")
    else:
        names = {"inviter": None, "project": None} | {place: name}
        text = mail_texts.invitation(names["inviter"], names["project"], timedelta(days=7), "https://x/join#token=t")
    content = sent(MadeMail("grace@example.org", text))
    message = message_from_bytes(content, policy=policy.default)
    assert message.keys() == [
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert message["To"] == "grace@example.org"
    assert message["Subject"] == text.subject
    assert "<script" not in text.html
    assert len(text.plain) < 1_500
    assert all(line.isprintable() for line in text.plain.split("\n"))


@pytest.mark.parametrize(
    "recipient", ["a@b.org\r\nBcc: c@d.org", "a@b.org, c@d.org", "a\n@b.org", "Grace <a@b.org>", "a@b.org>"], ids=ascii
)
def test_addresses_that_no_rule_has_checked_make_no_header(recipient: str):
    """They raise, or are one address: no second recipient, and no other header."""
    text = mail_texts.password_reset("grace", "https://x/")
    try:
        content = sent(MadeMail(recipient, text))
    except ValueError:
        return
    message = message_from_bytes(content, policy=policy.default)
    assert message["Bcc"] is None
    assert len(message["To"].addresses) == 1


class TestTokens:
    def test_a_token_is_for_one_purpose_and_one_row(self):
        """Another purpose, row or key gives another token; and its text says the purpose."""
        row, other = uuid4(), uuid4()
        tokens = [
            link_token(purpose, each, key) for purpose in LinkPurpose for each in (row, other) for key in (KEY, b"k")
        ]
        assert len(set(tokens)) == len(tokens)
        assert all(len(token) == len("trv_rst_") + 43 for token in tokens)
        assert link_token(LinkPurpose.RESET, row, KEY) == link_token(LinkPurpose.RESET, row, KEY)

    @pytest.mark.parametrize("purpose", LinkPurpose)
    @pytest.mark.parametrize("given", LinkPurpose)
    def test_a_token_is_none_for_another_purpose(self, purpose: LinkPurpose, given: LinkPurpose):
        """It has no hash there, so it is not looked up."""
        hashed = link_hash(purpose, link_token(given, uuid4(), KEY))
        assert (hashed is not None) is (purpose is given)

    @pytest.mark.parametrize("text", ["", "x", "trv_rst_" + "a" * 10_000, "trv_pat_" + "a" * 36, "eyJhbGciOi.x.y"])
    def test_other_texts_are_no_tokens(self, text: str):
        """Whatever a client sends."""
        assert link_hash(LinkPurpose.RESET, text) is None

    def test_lone_surrogates_are_an_unknown_token(self):
        """No error: the hash is that of no token."""
        assert link_hash(LinkPurpose.RESET, "trv_rst_\ud800") is not None

    def test_the_token_is_in_the_fragment(self):
        """Which browsers send to no server."""
        assert link(LinkPurpose.INVITE, "t", "https://x.org") == "https://x.org/join#token=t"
        assert link(LinkPurpose.INVITE, "t", None) == "/join#token=t"
        assert set(PAGES) == set(LinkPurpose) - {LinkPurpose.RECOVER}  # which is no link


def test_pauses_grow_to_half_an_hour():
    """However many attempts there were."""
    pauses = [wait_after(attempts) for attempts in range(1, 200)]
    assert pauses[0] == timedelta(seconds=10)
    assert all(first <= second for first, second in pairwise(pauses))
    assert pauses[-1] == timedelta(minutes=30)


@pytest.mark.parametrize(
    "sender",
    ["x", "a@b.org, c@d.org", "Taskriver <a@b.org>\r\nBcc: c@d.org", "Taskriver", "a@localhost", ""],
    ids=ascii,
)
def test_senders_that_are_refused(sender: str):
    """At the start, not with the first mail."""
    problems = mail_problems(
        has_server=True, sender=sender, has_public_url=True, has_two_passwords=False, password_file=None
    )
    assert problems == ["MAIL_FROM must be one address, such as `Taskriver <noreply@example.org>`"]
