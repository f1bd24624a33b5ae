"""Staying signed in."""

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
    "The access token is not accepted, and there is no password to get another one with: sign in again."
)
_LOGOUT: Final = "mutation { logout { userErrors { code message } } }"


@dataclass(frozen=True, slots=True)
class Me:
    """Who one is."""

    user_id: UUID
    username: str
    role: Role


class Account:
    """Somebody with a name and a password, or with nothing but a token, which cannot be renewed.

    *place* says whom to ask the next time: with several servers, any of them.
    """

    def __init__(
        self,
        place: Callable[[], Api],
        username: str | None = None,
        password: str | None = None,
        *,
        token: str | None = None,
    ) -> None:
        self.place = place
        self._username = username
        self._password = password
        self._access = token
        self._refresh: str | None = None
        self._signed_in = False
        self._turn = asyncio.Lock()

    async def token(self) -> str:
        """An access token; signs in if there is none.

        Raises:
            Refused: the password is wrong, or the token is over and there is nothing to renew it with.
            Unreachable: nobody answered.
        """
        async with self._turn:
            if self._access is None:
                await self._sign_in()
        assert self._access is not None
        return self._access

    def forget(self) -> None:
        """The token was refused: get another one the next time."""
        self._access = None

    @property
    def session_id(self) -> UUID | None:
        """The session of the token, if it says so; for whoever judges what was heard with it."""
        try:
            assert self._access is not None
            middle = self._access.split(".")[1]
            return UUID(json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["sid"])
        except (AssertionError, IndexError, KeyError, ValueError, TypeError):
            return None

    async def ask(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """Ask as this person; a token that is over is renewed once.

        Raises:
            Refused, Unreachable: see `Api.ask`.
        """
        token = await self.token()
        try:
            return await self.place().ask(query, variables, token)
        except Refused as refused:
            if refused.code != "UNAUTHENTICATED":
                raise
        self.forget()
        return await self.place().ask(query, variables, await self.token())

    async def me(self) -> Me:
        """Who this is."""
        found = (await self.ask(_ME))["me"]
        return Me(uuid_of(found["id"]), found["username"], member_of(Role, found["role"]))

    async def sign_out(self) -> None:
        """End the session that this account began with its password; the next request begins another one.

        A session whose token was given from outside stays: it belongs to the caller, who goes on using it.
        """
        if self._signed_in and self._access is not None:
            await self.place().ask(_LOGOUT, token=self._access)
        if self._signed_in:
            self._access = self._refresh = None
        self._signed_in = False

    async def _sign_in(self) -> None:
        if self._refresh is not None:
            wanted, self._refresh = {"refreshToken": self._refresh}, None
            if self._keep(await self.place().ask(_REFRESH, {"input": wanted})) is None:
                return
        if self._username is None or self._password is None:
            raise Refused("UNAUTHENTICATED", _NOT_RENEWED)
        asked = {"username": self._username, "password": self._password, "returnRefreshToken": True}
        refusal = self._keep(await self.place().ask(_LOGIN, {"input": asked}))
        if refusal is not None:
            raise Refused(refusal["code"], refusal["message"])
        self._signed_in = True

    def _keep(self, answer: dict[str, Any]) -> dict[str, str] | None:
        """Keep the tokens of an answer, or return why there are none."""
        signed_in = answer["in"]
        if signed_in["userErrors"]:
            refusal: dict[str, str] = signed_in["userErrors"][0]
            return refusal
        self._access, self._refresh = signed_in["accessToken"], signed_in["refreshToken"]
        return None
