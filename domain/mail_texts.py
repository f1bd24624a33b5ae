"""The texts of mails, as plain text and as HTML.

Names of users and projects are data of others: they are on one line, short, and escaped in HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Final

from domain.audit import one_line

MAX_SHOWN: Final = 60
"""Characters of a name in a mail."""

_PAGE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    '<body style="font-family:sans-serif;line-height:1.5;max-width:36rem">{body}</body></html>'
)


@dataclass(frozen=True, slots=True)
class MailText:
    """The subject and the text. *before* and *after* are paragraphs around the link."""

    subject: str
    before: Sequence[str]
    link: str
    after: Sequence[str]

    @property
    def plain(self) -> str:
        """The text without mark-up."""
        return "\n\n".join([*self.before, self.link, *self.after]) + "\n"

    @property
    def html(self) -> str:
        """The text as a simple HTML document, without pictures, styles of others and scripts."""
        address = escape(self.link)
        parts = [
            *(f"<p>{escape(each)}</p>" for each in self.before),
            f'<p><a href="{address}">{address}</a></p>',
            *(f"<p>{escape(each)}</p>" for each in self.after),
        ]
        return _PAGE.format(title=escape(self.subject), body="".join(parts))


def password_reset(username: str, link: str) -> MailText:
    """To a user who has asked for a new password."""
    return MailText(
        "Set a new password for Taskriver",
        [
            f"Hello {shown(username)},",
            "someone has asked for a new password for your account. You can set one with this link, within an hour:",
        ],
        link,
        [
            "A new password ends all your sessions. Your access tokens stay valid; revoke those that you do not know.",
            "If you did not ask for this, ignore this mail. Your password stays as it is.",
        ],
    )


def email_verification(username: str, link: str) -> MailText:
    """To a user who has registered, or has asked for this mail."""
    return MailText(
        "Confirm your e-mail address for Taskriver",
        [
            f"Hello {shown(username)},",
            "please confirm that this address is yours. The link is valid for an hour, once:",
        ],
        link,
        ["If you have no account, ignore this mail: someone has typed a wrong address."],
    )


def invitation(inviter: str | None, project: str | None, lifetime: timedelta, link: str) -> MailText:
    """To a person who is invited, to a project if one is given."""
    by = f"{shown(inviter)} invites you" if inviter is not None else "You are invited"
    to = f"to the project {shown(project)} in Taskriver" if project is not None else "to Taskriver"
    return MailText(
        "Your invitation to Taskriver",
        ["Hello,", f"{by} {to}. With this link you can join, once:"],
        link,
        [
            f"The link is valid until {max(1, round(lifetime / timedelta(hours=1)))} hours after the invitation.",
            "If you do not know why you get this mail, ignore it.",
        ],
    )


def shown(name: str) -> str:
    """A name on one line, without control characters, and not longer than a line."""
    line = one_line(name)
    return line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}…"
