"""Codes with which programs sign in through a browser."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from persistence.models.base import Base


class SignInCodeRow(Base):
    """The newest code that the user of a session confirmed; only its hash is stored. It ends with the session.

    A used code is deleted. `challenge` is the program's challenge (RFC 7636), `port` the port at which it listens.
    """

    __tablename__ = "sign_in_codes"

    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    challenge: Mapped[str] = mapped_column(String(43))
    port: Mapped[int]
    client_name: Mapped[str] = mapped_column(String(100))
    expires_at: Mapped[datetime]
