"""Sign-in codes: a program signs in through the browser of a user."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from domain import sign_in_code as rules
from domain.errors import Forbidden, InvalidCredentials
from domain.session import token_hash
from persistence.unit_of_work import UnitOfWork
from services.session import OpenSession, open_session
from services.user import lock_user

INVALID: Final = "The sign-in code is unknown, used or expired. Start the sign-in again."
ONLY_SESSIONS: Final = "Only a user who is signed in with a session can create a sign-in code."


class CreatedCode(NamedTuple):
    """A new code; only its hash is stored."""

    code: str
    expires_at: datetime


async def create_sign_in_code(uow: UnitOfWork, *, challenge: str, port: int, client_name: str) -> CreatedCode:
    """Create a code for a program on the machine of the actor's browser. It replaces the session's earlier one.

    Raises:
        Invalid: a value breaks a rule.
        Forbidden: the actor has no session.
    """
    session_id = uow.actor.session_id
    if session_id is None:
        raise Forbidden(ONLY_SESSIONS)
    challenge, port = rules.check_challenge(challenge), rules.check_port(port)
    client_name = rules.check_client_name(client_name)
    code, expires_at = rules.new_code(), uow.now + rules.LIFETIME
    async with uow:
        await uow.sign_in_codes.store(
            session_id,
            token_hash(code),
            challenge=challenge,
            port=port,
            client_name=client_name,
            expires_at=expires_at,
        )
        await uow.commit()
    return CreatedCode(code, expires_at)


async def exchange_sign_in_code(
    uow: UnitOfWork,
    *,
    code: str,
    verifier: str,
    port: int,
    key_ring: Mapping[str, bytes],
    ip_address: str,
    user_agent: str | None,
) -> OpenSession:
    """Start a session for the program that has the code and the verifier. The code is used, also if the rest is wrong.

    Raises:
        InvalidCredentials: the code is unknown, used or expired, or belongs to another verifier or port; the message is
            always the same.
    """
    hashed = token_hash(code)
    async with uow:
        user_id = await uow.sign_in_codes.find_user(hashed)
        if user_id is None:
            raise InvalidCredentials(INVALID, path=("code",))
        # The user is locked first, as by everything that ends sessions, so that none waits for the other.
        user = await lock_user(uow, user_id)
        taken = await uow.sign_in_codes.take(hashed)
        if taken is None or taken.expires_at <= uow.now or not _is_for(taken.challenge, taken.port, verifier, port):
            await uow.commit()
            raise InvalidCredentials(INVALID, path=("code",))
        opened = await open_session(uow, user, key_ring=key_ring, ip_address=ip_address, user_agent=user_agent)
        await uow.commit()
    return opened


def _is_for(challenge: str, its_port: int, verifier: str, port: int) -> bool:
    return its_port == port and rules.is_verifier_of(challenge, verifier)
