"""A master, a replica and three Sentinels, all real and on loopback."""

import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from redis import Redis

from embedded.accounts import account_for
from embedded.binaries import find_valkey
from embedded.cluster import reachable
from embedded.ports import HOST
from embedded.processes import Child
from embedded.server import PrivateServer, StopMode, make_private
from embedded.valkey import Valkey
from embedded.watchdog import Plan
from streaming.redis_acl import RULES, SENTINEL_RULES

SERVICE: Final = "tasks"
USER: Final = "taskriver"
PASSWORD: Final = "a/pass@word"
ENCODED: Final = "a%2Fpass%40word"
OWN_PASSWORD: Final = "between-servers"
_QUORUM: Final = 2
_DOWN_MILLISECONDS: Final = 1_000
_PLAN: Final[Plan] = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))

_MEMBER: Final = f"""\
masterauth {OWN_PASSWORD}
repl-diskless-sync-delay 0
repl-diskless-load swapdb
user {USER} on >{PASSWORD} resetkeys resetchannels {RULES}
"""

_SENTINEL: Final = f"""\
bind {HOST}
port {{port}}
dir {{folder}}
requirepass {OWN_PASSWORD}
sentinel sentinel-pass {OWN_PASSWORD}
user {USER} on >{PASSWORD} {SENTINEL_RULES}
sentinel monitor {SERVICE} {HOST} {{master}} {_QUORUM}
sentinel auth-pass {SERVICE} {OWN_PASSWORD}
sentinel down-after-milliseconds {SERVICE} {_DOWN_MILLISECONDS}
sentinel failover-timeout {SERVICE} 5000
"""


class Member(Valkey):
    """A Valkey that Sentinels can make the master or a replica. *replica_of* is a port."""

    def __init__(self, folder: Path, *, replica_of: int | None = None) -> None:
        super().__init__(folder)
        self._replica_of = replica_of

    @cached_property
    def admin(self) -> Redis:
        """A client with all permissions."""
        return _client(self.port)

    def _prepare(self) -> None:
        make_private(self.folder)
        (self.folder / "password").write_text(OWN_PASSWORD)

    def _configuration(self, port: int) -> str:
        replication = f"replicaof {HOST} {self._replica_of}\n" if self._replica_of is not None else ""
        return super()._configuration(port) + _MEMBER + replication


class Sentinel(PrivateServer):
    """A Sentinel for the master at the port *master*."""

    name = "Sentinel"
    plan = _PLAN

    def __init__(self, folder: Path, *, master: int) -> None:
        super().__init__(folder)
        self._master = master
        self._account = account_for()

    @property
    def url(self) -> str:
        """redis://:PASSWORD@127.0.0.1:PORT"""
        return f"redis://:{OWN_PASSWORD}@{HOST}:{self.port}"

    @cached_property
    def admin(self) -> Redis:
        """A client with all permissions."""
        return _client(self.port)

    def plan_for(self, mode: StopMode) -> Plan:
        """The signals for *mode*."""
        return self.plan

    def _prepare(self) -> None:
        make_private(self.folder)
        data = self.folder / "data"
        if not data.exists():
            data.mkdir(mode=0o700)
            self._account.give(data)

    def _launch(self, port: int) -> Child:
        data = self.folder / "data"
        with reachable(data, self._account) as (path, open_files):
            file = data / "sentinel.conf"
            if file.exists():  # it has written its state to this file
                text = re.sub(r"^dir .*$", f"dir {path}", file.read_text(), flags=re.MULTILINE)
            else:
                text = _SENTINEL.format(port=port, folder=path, master=self._master)
            file.write_text(text)
            self._account.give(file)
            command = [str(find_valkey(self._account)), f"{path}/sentinel.conf", "--sentinel"]
            return Child(command, log=self.log, plan=self.plan, account=self._account, open_files=open_files)

    def _is_ready(self, child: Child, log: str) -> bool:
        return "Sentinel ID is" in log


class SentinelCluster:
    """The running servers."""

    def __init__(self, members: list[Member], sentinels: list[Sentinel]) -> None:
        self.members = members
        self.sentinels = sentinels

    @property
    def addresses(self) -> str:
        """The addresses of the Sentinels, as in the URL."""
        return ",".join(f"{HOST}:{each.port}" for each in self.sentinels)

    @property
    def url(self) -> str:
        """The URL for a user with the documented permissions, in Redis and in the Sentinels."""
        return (
            f"redis+sentinel://{USER}:{ENCODED}@{self.addresses}/{SERVICE}"
            f"?sentinel_username={USER}&sentinel_password={ENCODED}"
        )

    def master_port(self) -> int:
        """The port of the master, as the first Sentinel that runs sees it."""
        for each in self.sentinels:
            try:
                return int(_state(each.admin)["port"])
            except OSError:
                continue
        raise AssertionError("no Sentinel answers")

    def member(self, port: int) -> Member:
        """The member at this port."""
        return next(each for each in self.members if each.port == port)

    def is_complete(self) -> bool:
        """Whether all Sentinels know each other and a connected replica, so that a failover is possible."""
        return all(_is_complete(each.admin, len(self.sentinels) - 1) for each in self.sentinels)


def _state(sentinel: Redis) -> dict[str, Any]:
    state = sentinel.sentinel_master(SERVICE)
    assert isinstance(state, dict)
    return state


def _client(port: int) -> Redis:
    return Redis(host=HOST, port=port, password=OWN_PASSWORD, decode_responses=True)


def _is_complete(sentinel: Redis, others: int) -> bool:
    state = _state(sentinel)
    replicas = sentinel.sentinel_slaves(SERVICE)
    return state["num-other-sentinels"] == others and [each["master-link-status"] for each in replicas] == ["ok"]


@contextmanager
def sentinel_cluster(folder: Path, *, sentinels: int = 3) -> Iterator[SentinelCluster]:
    """Start the servers. Wait for `is_complete` before a failover."""
    with ExitStack() as stack:
        master = stack.enter_context(Member(folder / "member-0"))
        replica = stack.enter_context(Member(folder / "member-1", replica_of=master.port))
        started = [
            stack.enter_context(Sentinel(folder / f"sentinel-{number}", master=master.port))
            for number in range(sentinels)
        ]
        for client in (master.admin, replica.admin, *(each.admin for each in started)):
            stack.callback(client.close)
        yield SentinelCluster([master, replica], started)
