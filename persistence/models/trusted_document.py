"""The table of trusted documents."""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, String
from sqlalchemy.orm import Mapped, mapped_column

from domain.trusted_document import MAX_CLIENT, MAX_DOCUMENT_NAME, MAX_ID
from persistence.models.base import Base


class TrustedDocumentRow(Base):
    """A document of a client. `serial` increases with each row that is added, so that processes notice it."""

    __tablename__ = "trusted_documents"

    id: Mapped[str] = mapped_column(String(MAX_ID, collation="C"), primary_key=True)
    client: Mapped[str] = mapped_column(String(MAX_CLIENT, collation="C"), primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_DOCUMENT_NAME))
    text: Mapped[str]
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    added_at: Mapped[datetime]
