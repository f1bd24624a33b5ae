"""A telling of which everything can be said beforehand."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from graphql_api.resolvers.delivery import Delivery


class AnyDelivery(Delivery):
    """Something to tell, for as long as *is_current* says; what it stands on is given."""

    def __init__(
        self,
        viewpoint: Hashable,
        viewer: Hashable,
        *,
        rights: Hashable,
        is_current: Callable[[], bool],
        renewed: Callable[[], Awaitable[Delivery]],
    ) -> None:
        super().__init__(viewpoint, viewer)
        self._rights, self._is_current, self._renewed = rights, is_current, renewed

    @property
    def rights(self) -> Hashable:
        """As given."""
        return self._rights

    def make(self) -> Any:
        """Nothing."""

    def is_current(self) -> bool:
        """As given."""
        return self._is_current()

    async def renewed(self) -> Delivery:
        """As given."""
        return await self._renewed()
