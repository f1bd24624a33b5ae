"""An account that signs in, and renews its token."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain.user import Role
from verification.client.failures import Refused
from verification.client.http import Api
from verification.client.reading import member_of, uuid_of

_SIGNED_IN: Final = "accessToken refreshToken userErrors { code message }"
_LOGIN: Final = f"mutation ($input: LoginInput!) {{ in: login(input: $input) {{ {_SIGNED_IN} }} }}"
_REFRESH: Final = f"mutation ($input: RefreshTokenInput!) {{ in: refreshToken(input: $input) {{ {_SIGNED_IN} }} }}"
_ME: Final = "{ me { id username role } }"
_NOT_RENEWED: Final = (
    "The server does not accept the access token, and there is no password to get a new one: sign in again."
)
_LOGOUT: Final = "mutation { logout { userErrors { code message } } }"


@dataclass(frozen=True, slots=True)
class Me:
    """The user of an account."""

    user_id: UUID
    username: str
    role: Role


class Account:
    """A user with a name and a password, or only with a token that cannot be renewed.

    *api* returns the server for the next request. With several servers it can be any of them.
    """

    def __init__(
        self,
        api: Callable[[], Api],
        username: str | None = None,
        password: str | None = None,
        *,
        token: str | None = None,
    ) -> None:
        self.api = api
        self._username = username
        self._password = password
        self._access = token
        self._refresh: str | None = None
        self._signed_in = False
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """An access token; signs in if there is none.

        Raises:
            Refused: the password is wrong, or the token has expired and cannot be renewed.
            Unreachable: the server did not answer.
        """
        async with self._lock:
            if self._access is None:
                await self._sign_in()
        assert self._access is not None
        return self._access

    def forget(self) -> None:
        """Get a new token for the next request, because the server refused this one."""
        self._access = None

    @property
    def session_id(self) -> UUID | None:
        """The id of the token's session, if the token has it; the check of the history needs it."""
        try:
            assert self._access is not None
            middle = self._access.split(".")[1]
            return UUID(json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["sid"])
        except (AssertionError, IndexError, KeyError, ValueError, TypeError):
            return None

    async def ask(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """Send a request as this user; an expired token is renewed once.

        Raises:
            Refused, Unreachable: see `Api.ask`.
        """
        token = await self.token()
        try:
            return await self.api().ask(query, variables, token)
        except Refused as refused:
            if refused.code != "UNAUTHENTICATED":
                raise
        self.forget()
        return await self.api().ask(query, variables, await self.token())

    async def me(self) -> Me:
        """The user of this account."""
        found = (await self.ask(_ME))["me"]
        return Me(uuid_of(found["id"]), found["username"], member_of(Role, found["role"]))

    async def sign_out(self) -> None:
        """End the session that this account started with its password; the next request starts another one.

        A session whose token the caller gave stays: it belongs to the caller.
        """
        if self._signed_in and self._access is not None:
            await self.api().ask(_LOGOUT, token=self._access)
        if self._signed_in:
            self._access = self._refresh = None
        self._signed_in = False

    async def _sign_in(self) -> None:
        if self._refresh is not None:
            token, self._refresh = {"refreshToken": self._refresh}, None
            if self._store(await self.api().ask(_REFRESH, {"input": token})) is None:
                return
        if self._username is None or self._password is None:
            raise Refused("UNAUTHENTICATED", _NOT_RENEWED)
        credentials = {"username": self._username, "password": self._password, "returnRefreshToken": True}
        error = self._store(await self.api().ask(_LOGIN, {"input": credentials}))
        if error is not None:
            raise Refused(error["code"], error["message"])
        self._signed_in = True

    def _store(self, answer: dict[str, Any]) -> dict[str, str] | None:
        """Store the tokens of an answer, or return its error."""
        signed_in = answer["in"]
        if signed_in["userErrors"]:
            error: dict[str, str] = signed_in["userErrors"][0]
            return error
        self._access, self._refresh = signed_in["accessToken"], signed_in["refreshToken"]
        return None
