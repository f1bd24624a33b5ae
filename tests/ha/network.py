"""The network between the nodes: proxies that can be stalled and cut."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from tests.chaos.proxy import Proxy


class Network:
    """Proxies in a thread with its own event loop, so that the clients of this process do not delay the servers."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._proxies: list[Proxy] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lead_to(self, port: int) -> Proxy:
        """A new proxy that forwards to a local port."""
        return asyncio.run_coroutine_threadsafe(self._open(port), self._loop).result()

    def cut(self, proxies: Sequence[Proxy]) -> None:
        """Lose all data from now on: connections stay open, and nothing arrives."""
        self._for_each(proxies, Proxy.stall)

    def restore(self, proxies: Sequence[Proxy]) -> None:
        """Forward data again. The connections from before end: their other side has given them up."""
        self._for_each(proxies, Proxy.cut)
        self._for_each(proxies, Proxy.flow)

    def delay(self, proxies: Sequence[Proxy], seconds: float) -> None:
        """Deliver each piece of data late."""
        for proxy in proxies:
            proxy.delay = seconds

    def _for_each(self, proxies: Sequence[Proxy], action: Callable[[Proxy], None]) -> None:
        for proxy in proxies:
            self._loop.call_soon_threadsafe(action, proxy)

    async def _open(self, port: int) -> Proxy:
        proxy = await Proxy(port).__aenter__()
        self._proxies.append(proxy)
        return proxy

    async def _close(self) -> None:
        for proxy in self._proxies:
            await proxy.__aexit__(None, None, None)
