"""Signing in with recovery codes, with a rate limit."""

from collections.abc import Mapping
from typing import Final

from asgi.client import Client, throttle_key
from domain.audit import AuditAction
from domain.errors import InvalidCredentials
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from persistence.database import Database
from services.failed_sign_in import FailedSignIns
from services.recovery import use_recovery
from services.session import OpenSession

PER_ADDRESS: Final = RateLimit("recoveries-address", 100, 600)
"""Attempts. The codes cannot be guessed; the limit protects the database."""
TOO_MANY: Final = "Too many recovery codes were tried from this address. Try again later."


class Recoveries:
    """Signs users in with recovery codes."""

    def __init__(
        self,
        database: Database,
        *,
        rate_limiter: RateLimiter,
        key_ring: Mapping[str, bytes],
        failed_sign_ins: FailedSignIns,
    ) -> None:
        self._database = database
        self._rate_limiter = rate_limiter
        self._key_ring = key_ring
        self._failed_sign_ins = failed_sign_ins

    async def use(self, client: Client, code: str, *, request_id: str) -> OpenSession:
        """Start a session; see `services.recovery.use_recovery`.

        Raises:
            RateLimited: there were too many attempts from this address.
        """
        address = throttle_key(client.address)
        await self._rate_limiter.take(PER_ADDRESS, address, message=TOO_MANY)
        uow = self._database.unit_of_work(None, request_id=request_id, address=lambda: client.address)
        try:
            return await use_recovery(
                uow,
                code=code,
                key_ring=self._key_ring,
                ip_address=client.address,
                user_agent=client.user_agent,
            )
        except InvalidCredentials:
            self._failed_sign_ins.add(AuditAction.SIGN_IN_FAILED, None, address)
            raise
