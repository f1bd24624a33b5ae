"""Stand-ins for the costly work on passwords."""

from domain.user import Verification


async def hash_password(password: str) -> str:
    """What is stored of a password."""
    return f"hash of {password}"


async def verify_password(password: str, known: str | None) -> Verification:
    """Whether the password is the one that is known."""
    return Verification(known == f"hash of {password}")
