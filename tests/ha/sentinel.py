"""Valkey with a replica, and three Sentinels that know which one is the master."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.ha.programs import Programs
from tests.ha.service import Service
from tests.support.ports import reserved_port
from tests.support.waiting import HANG_SECONDS

SERVICE: Final = "taskriver"
_SENTINELS: Final = 3
_SERVER: Final = """\
bind 127.0.0.1
port {port}
dir {folder}
requirepass {password}
masterauth {password}
save ""
appendonly no
maxmemory 64mb
maxmemory-policy volatile-ttl
repl-diskless-sync-delay 0
"""
_SENTINEL: Final = """\
bind 127.0.0.1
port {port}
dir {folder}
requirepass {password}
sentinel sentinel-pass {password}
sentinel monitor {service} 127.0.0.1 {master} 2
sentinel auth-pass {service} {password}
sentinel down-after-milliseconds {service} 2000
sentinel failover-timeout {service} 6000
"""


class RedisServer(Service):
    """A Valkey server, or a Sentinel."""

    def __init__(self, folder: Path, name: str, programs: Programs, password: str) -> None:
        super().__init__(folder / name, programs.account)
        self.port = reserved_port()
        self._password = password
        self._program = str(programs.valkey)

    def start(self, template: str, *options: str, **values: Any) -> None:
        """Start it with a new configuration. Sentinels change this file."""
        text = template.format(port=self.port, folder=self.folder, password=self._password, **values)
        path = self.write("valkey.conf", text)
        self.launch([self._program, str(path), *options])

    async def ask(self, *command: str) -> Any:
        """The answer to a command; None if there is none."""
        try:
            async with Redis(
                port=self.port, password=self._password, socket_timeout=2, decode_responses=True
            ) as client:
                return await client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py
        except (RedisError, OSError):
            return None


class RedisCluster:
    """Two servers and their Sentinels."""

    def __init__(self, folder: Path, programs: Programs, password: str) -> None:
        self._password = password
        self._servers = [RedisServer(folder, f"valkey{number}", programs, password) for number in (1, 2)]
        self._sentinels = [
            RedisServer(folder, f"sentinel{number}", programs, password) for number in range(1, _SENTINELS + 1)
        ]

    @property
    def url(self) -> str:
        """The URL for the product."""
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in self._sentinels)
        secret = self._password
        return f"redis+sentinel://:{secret}@{hosts}/{SERVICE}/0?sentinel_password={secret}"

    def start(self, stack: ExitStack) -> None:
        """Start everything; *stack* ends it."""
        first, second = self._servers
        for each in (*self._servers, *self._sentinels):
            stack.callback(each.kill)
        first.start(_SERVER)
        second.start(_replica_of(first))
        for sentinel in self._sentinels:
            sentinel.start(_SENTINEL, "--sentinel", service=SERVICE, master=first.port)

    async def fail_over(self, old: RedisServer) -> None:
        """Kill this master, wait until the Sentinels have another one, and start the old one again as its replica."""
        old.kill()
        fresh = next(each for each in self._servers if each is not old)
        await self._until_master_is(fresh)
        old.start(_replica_of(fresh))

    async def healthy(self) -> RedisServer:
        """Wait until the replica follows the master that all Sentinels name; returns the master."""
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                for master in self._servers:
                    if await self._is_healthy(master):
                        return master
                await asyncio.sleep(0.2)

    async def _is_healthy(self, master: RedisServer) -> bool:
        role = await master.ask("ROLE")
        if not role or role[0] != "master" or len(role[2]) != len(self._servers) - 1:
            return False
        states = await self._states()
        return all(int(state.get("port", 0)) == master.port and _is_complete(state) for state in states)

    async def _until_master_is(self, server: RedisServer) -> None:
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                role, states = await server.ask("ROLE"), await self._states()
                if role and role[0] == "master" and all(int(each.get("port", 0)) == server.port for each in states):
                    return
                await asyncio.sleep(0.1)

    async def _states(self) -> Sequence[dict[str, str]]:
        """What each Sentinel knows of the master; nothing if it does not answer."""
        answers = await asyncio.gather(*(each.ask("SENTINEL", "MASTER", SERVICE) for each in self._sentinels))
        return [_dictionary(answer) for answer in answers]


def _replica_of(master: RedisServer) -> str:
    return f"{_SERVER}replicaof 127.0.0.1 {master.port}\n"


def _is_complete(state: dict[str, str]) -> bool:
    """Whether a Sentinel knows the other ones and the replica, and finds the master up."""
    return (
        state.get("flags") == "master"
        and int(state["num-other-sentinels"]) == _SENTINELS - 1
        and int(state["num-slaves"]) >= 1
    )


def _dictionary(answer: Any) -> dict[str, str]:
    if isinstance(answer, dict):
        return {str(name): str(value) for name, value in answer.items()}
    listed = list(map(str, answer or ()))
    return dict(zip(listed[::2], listed[1::2], strict=True))
