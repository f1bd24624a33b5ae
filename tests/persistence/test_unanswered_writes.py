"""Writes are refused while the server does not answer earlier ones."""

import asyncio

from domain.errors import Unavailable
from persistence.queries.unanswered_writes import KEEP_SECONDS, PROBE_SECONDS, UnansweredWrites
from tests.support.virtual_time import in_virtual_time


class Kept:
    """A connection whose write is not answered."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False

    def is_closed(self) -> bool:
        """Whether it is closed."""
        return self.closed

    def terminate(self) -> None:
        """Close it; the driver then ends its waiting, too."""
        self.closed = True
        if not self.answered.done():
            self.answered.set_result(None)


class Server:
    """Says whether commits wait, and counts the questions."""

    def __init__(self) -> None:
        self.waits = True
        self.asked = 0

    async def __call__(self) -> bool:
        """The answer."""
        self.asked += 1
        return self.waits


async def is_refused(writes: UnansweredWrites, server: Server) -> bool:
    """Whether a write is refused now."""
    try:
        await writes.check(server)
    except Unavailable:
        return True
    return False


@in_virtual_time
async def test_writes_are_refused_from_the_limit_on():
    """The server is asked at most once a second."""
    writes, server = UnansweredWrites(2), Server()
    writes.keep(Kept())
    assert not await is_refused(writes, server)
    writes.keep(Kept())
    assert [await is_refused(writes, server) for _ in range(3)] == [True] * 3
    assert server.asked == 0
    await asyncio.sleep(PROBE_SECONDS)
    assert [await is_refused(writes, server) for _ in range(3)] == [True] * 3
    assert server.asked == 1


@in_virtual_time
async def test_an_answer_ends_the_refusal():
    """The connection is closed, because nobody waits for its result any more."""
    writes, server = UnansweredWrites(2), Server()
    kept = [Kept(), Kept()]
    for each in kept:
        writes.keep(each)
    kept[0].answered.set_result(None)
    await asyncio.sleep(0)

    assert not await is_refused(writes, server)
    assert ([each.closed for each in kept], len(writes)) == ([True, False], 1)


@in_virtual_time
async def test_a_closed_connection_is_no_answer():
    """Something between, such as a proxy with a time-out, may have closed it. The commit still waits."""
    writes, server = UnansweredWrites(1), Server()
    kept = Kept()
    writes.keep(kept)
    kept.terminate()
    await asyncio.sleep(0)

    assert len(writes) == 0
    assert await is_refused(writes, server)


@in_virtual_time
async def test_the_server_can_say_that_no_commit_waits():
    """Then it is another server, or an administrator has ended the commits."""
    writes, server = UnansweredWrites(1), Server()
    kept = Kept()
    writes.keep(kept)
    await asyncio.sleep(PROBE_SECONDS)
    server.waits = False

    assert not await is_refused(writes, server)
    assert kept.closed


@in_virtual_time
async def test_connections_are_not_kept_forever():
    """Writes are refused until the server says something else."""
    writes, server = UnansweredWrites(1), Server()
    kept = Kept()
    writes.keep(kept)
    await asyncio.sleep(KEEP_SECONDS + 1)

    assert (kept.closed, len(writes)) == (True, 0)
    assert await is_refused(writes, server)
