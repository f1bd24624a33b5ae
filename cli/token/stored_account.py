"""Asking with the session that is kept, for as long as a command takes."""

from cli.token import store
from cli.token.sessions import Sessions
from verification.client.account import Account
from verification.client.failures import Refused
from verification.client.http import Api


def has_kept(api: Api) -> bool:
    """Whether a session at this server is kept."""
    with store.opened() as kept:
        return kept.find(api.url, None) is not None


class StoredAccount(Account):
    """Whoever signed in last by `taskriver token`. Each new token is kept, too: the one before is used up by it."""

    def __init__(self, api: Api) -> None:
        super().__init__(lambda: api)
        self._refused: str | None = None

    def forget(self) -> None:
        """The token was refused: get another one the next time, even if this one should still do."""
        self._refused, self._access = self._access, None

    async def _sign_in(self) -> None:
        sessions = Sessions(self.place())
        with store.opened() as kept:
            found = kept.find(sessions.api.url, None)
            if found is not None and (not found.is_fresh or found.access_token == self._refused):
                found = await sessions.renew(found)
            if found is None:
                raise Refused("UNAUTHENTICATED", "The session that was kept is over: `taskriver token` begins another.")
            kept.keep(found)
        self._access = found.access_token
