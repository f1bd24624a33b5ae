"""An account that uses the stored session."""

from cli.stored_sessions import store
from cli.stored_sessions.sessions import StoredSessions
from verification.client.account import Account
from verification.client.failures import Refused
from verification.client.http import Api


def has_stored_session(api: Api) -> bool:
    """Whether there is a stored session at this server."""
    with store.open_store() as opened:
        return opened.find(api.url, None) is not None


class StoredAccount(Account):
    """The user who signed in last with `taskriver login`.

    Each new refresh token is stored, because it replaces the one before.
    """

    def __init__(self, api: Api) -> None:
        super().__init__(lambda: api)
        self._refused: str | None = None

    def forget(self) -> None:
        """Get a new token the next time: the server refused this one, even if it has not expired."""
        self._refused, self._access = self._access, None

    async def _sign_in(self) -> None:
        sessions = StoredSessions(self.api())
        with store.open_store() as opened:
            found = opened.find(sessions.api.url, None)
            if found is not None and (not found.is_fresh or found.access_token == self._refused):
                found = await sessions.renew(found)
            if found is None:
                raise Refused("UNAUTHENTICATED", "The stored session has ended: sign in again with `taskriver login`.")
            opened.save(found)
        self._access = found.access_token
