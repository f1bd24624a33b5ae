"""Checks of the settings for e-mail."""

from email.headerregistry import HeaderRegistry
from pathlib import Path
from typing import Any, Final

DEVELOPMENT_SENDER: Final = "Taskriver <taskriver@localhost.localdomain>"
"""The sender of e-mail that is printed."""


def mail_problems(
    *, has_server: bool, sender: str | None, has_public_url: bool, has_two_passwords: bool, password_file: Path | None
) -> list[str]:
    """What is missing or wrong, if a mail server is set."""
    if not has_server:
        return []
    found = {
        "MAIL_FROM is not set": sender is None,
        "MAIL_FROM must be one address, such as `Taskriver <noreply@example.org>`": sender is not None
        and not _is_address(sender),
        "PUBLIC_URL is not set; links in e-mail need it": not has_public_url,
        "SMTP_PASSWORD and SMTP_PASSWORD_FILE are both set": has_two_passwords,
        "SMTP_PASSWORD_FILE cannot be read": password_file is not None and not _is_readable(password_file),
    }
    return [problem for problem, present in found.items() if present]


def _is_address(sender: str) -> bool:
    if not sender.isprintable():
        return False
    header: Any = HeaderRegistry()("From", sender)
    addresses = header.addresses
    return len(addresses) == 1 and bool(addresses[0].username) and "." in addresses[0].domain and not header.defects


def _is_readable(path: Path) -> bool:
    try:
        path.read_text()
    except (OSError, ValueError):
        return False
    return True
