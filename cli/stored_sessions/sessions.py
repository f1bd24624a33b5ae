"""Starts, renews and ends sessions at a server, for `taskriver login` and `taskriver token`."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from cli.errors import CommandError, server_error
from cli.stored_sessions.store import StoredSession
from verification.client.failures import Failed, Refused
from verification.client.http import Api

_SIGNED_IN: Final = "accessToken refreshToken expiresAt user { username } userErrors { message }"
_LOGIN: Final = f"mutation ($input: LoginInput!) {{ in: login(input: $input) {{ {_SIGNED_IN} }} }}"
_REFRESH: Final = f"mutation ($input: RefreshTokenInput!) {{ in: refreshToken(input: $input) {{ {_SIGNED_IN} }} }}"
_EXCHANGE: Final = (
    f"mutation ($input: ExchangeSignInCodeInput!) {{ in: exchangeSignInCode(input: $input) {{ {_SIGNED_IN} }} }}"
)
_ME: Final = "{ me { id } }"
_LOGOUT: Final = "mutation { logout { userErrors { message } } }"


@dataclass(frozen=True, slots=True)
class StoredSessions:
    """The sessions at one server."""

    api: Api

    async def sign_in(self, username: str, password: str) -> StoredSession:
        """Start a session.

        Raises:
            CommandError: the server does not answer, or the name or the password is wrong.
        """
        credentials = {"username": username, "password": password, "returnRefreshToken": True}
        session = self._session_of(await self._ask(_LOGIN, {"input": credentials}))
        if isinstance(session, str):
            raise CommandError(f"{self.api.url}: {session}")
        return session

    async def exchange(self, code: str, verifier: str, port: int) -> StoredSession:
        """Start a session with a code that a browser brought.

        Raises:
            CommandError: the server does not answer, or does not accept the code.
        """
        values = {"code": code, "codeVerifier": verifier, "port": port}
        session = self._session_of(await self._ask(_EXCHANGE, {"input": values}))
        if isinstance(session, str):
            raise CommandError(f"{self.api.url}: {session}")
        return session

    async def renew(self, stored: StoredSession) -> StoredSession | None:
        """The session with a new access token; None if the session has ended.

        Raises:
            CommandError: the server does not answer.
        """
        found = self._session_of(await self._ask(_REFRESH, {"input": {"refreshToken": stored.refresh_token}}))
        return None if isinstance(found, str) else replace(found, url=stored.url)

    async def validate(self, stored: StoredSession) -> StoredSession | None:
        """The session with an access token that the server accepts now, renewed if necessary; None if it has ended.

        Raises:
            CommandError: the server does not answer.
        """
        if stored.is_fresh and await self._ask(_ME, None, stored.access_token) is not None:
            return stored
        return await self.renew(stored)

    async def end(self, stored: StoredSession) -> None:
        """Sign out, unless the session has already ended.

        Raises:
            CommandError: the server does not answer.
        """
        fresh = stored if stored.is_fresh else await self.renew(stored)
        if fresh is not None:
            await self._ask(_LOGOUT, None, fresh.access_token)

    async def _ask(self, query: str, variables: dict[str, Any] | None, token: str | None = None) -> Any:
        try:
            return await self.api.ask(query, variables, token)
        except Refused as refused:
            if token is not None and refused.code == "UNAUTHENTICATED":
                return None
            raise server_error(self.api.url, refused) from None
        except Failed as failed:
            raise server_error(self.api.url, failed) from None

    def _session_of(self, answer: dict[str, Any]) -> StoredSession | str:
        """The session in an answer, or the message of its error."""
        payload = answer["in"]
        if payload["userErrors"]:
            return str(payload["userErrors"][0]["message"])
        return StoredSession(
            url=self.api.url,
            username=payload["user"]["username"],
            access_token=payload["accessToken"],
            refresh_token=payload["refreshToken"],
            expires_at=datetime.fromisoformat(payload["expiresAt"]),
        )
