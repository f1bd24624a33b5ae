"""Signing in, staying so and signing out at a server, for the shelf."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from cli.errors import without_help
from cli.token.store import StoredSession
from server.errors import CommandError
from verification.client.failures import Failed, Refused
from verification.client.http import Api

_SIGNED_IN: Final = "accessToken refreshToken expiresAt user { username } userErrors { message }"
_LOGIN: Final = f"mutation ($input: LoginInput!) {{ in: login(input: $input) {{ {_SIGNED_IN} }} }}"
_REFRESH: Final = f"mutation ($input: RefreshTokenInput!) {{ in: refreshToken(input: $input) {{ {_SIGNED_IN} }} }}"
_ME: Final = "{ me { id } }"
_LOGOUT: Final = "mutation { logout { userErrors { message } } }"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Those at one server."""

    api: Api

    async def sign_in(self, username: str, password: str) -> StoredSession:
        """Begin one.

        Raises:
            CommandError: the server does not answer, or the name or the password is wrong.
        """
        asked = {"username": username, "password": password, "returnRefreshToken": True}
        kept = self._kept(await self._ask(_LOGIN, {"input": asked}))
        if isinstance(kept, str):
            raise CommandError(f"{self.api.url}: {kept}")
        return kept

    async def renew(self, kept: StoredSession) -> StoredSession | None:
        """Go on with another access token; None if the session is over.

        Raises:
            CommandError: the server does not answer.
        """
        found = self._kept(await self._ask(_REFRESH, {"input": {"refreshToken": kept.refresh_token}}))
        return None if isinstance(found, str) else replace(found, url=kept.url)

    async def validate(self, kept: StoredSession) -> StoredSession | None:
        """The session with an access token that the server accepts now, renewed if necessary; None if it has ended.

        Raises:
            CommandError: the server does not answer.
        """
        if kept.is_fresh and await self._ask(_ME, None, kept.access_token) is not None:
            return kept
        return await self.renew(kept)

    async def end(self, kept: StoredSession) -> None:
        """Sign out; a session that is over already needs that no more.

        Raises:
            CommandError: the server does not answer.
        """
        fresh = kept if kept.is_fresh else await self.renew(kept)
        if fresh is not None:
            await self._ask(_LOGOUT, None, fresh.access_token)

    async def _ask(self, query: str, variables: dict[str, Any] | None, token: str | None = None) -> Any:
        try:
            return await self.api.ask(query, variables, token)
        except Refused as refused:
            if token is not None and refused.code == "UNAUTHENTICATED":
                return None
            raise without_help(self.api.url, refused) from None
        except Failed as failed:
            raise without_help(self.api.url, failed) from None

    def _kept(self, answer: dict[str, Any]) -> StoredSession | str:
        """The session of an answer, or why there is none."""
        told = answer["in"]
        if told["userErrors"]:
            return str(told["userErrors"][0]["message"])
        return StoredSession(
            url=self.api.url,
            username=told["user"]["username"],
            access_token=told["accessToken"],
            refresh_token=told["refreshToken"],
            expires_at=datetime.fromisoformat(told["expiresAt"]),
        )
