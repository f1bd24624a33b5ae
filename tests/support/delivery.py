"""A delivery whose properties are given by the test."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from graphql_api.resolvers.delivery import Delivery


class AnyDelivery(Delivery):
    """A delivery with given rights, which is current as *is_current* says."""

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
