"""A master, a replica and three Sentinels, all real and on loopback."""

import re
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

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
from tests.support.certificates import Certificate
from tests.support.storing_valkey import ServerTLS, TLSValkey

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
{{tls}}
sentinel sentinel-pass {OWN_PASSWORD}
user {USER} on >{PASSWORD} {SENTINEL_RULES}
sentinel monitor {SERVICE} {HOST} {{master}} {_QUORUM}
sentinel auth-pass {SERVICE} {OWN_PASSWORD}
sentinel down-after-milliseconds {SERVICE} {_DOWN_MILLISECONDS}
sentinel failover-timeout {SERVICE} 5000
"""


@dataclass(frozen=True)
class ClusterTLS:
    """TLS of all servers, and the certificate of clients."""

    server: ServerTLS
    client: Certificate

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of a client, as in the URL."""
        files = {
            "ssl_ca_certs": self.server.authority.file,
            "ssl_certfile": self.client.file,
            "ssl_keyfile": self.client.key,
        }
        return {name: str(file) for name, file in files.items()}


class Member(Valkey):
    """A Valkey that Sentinels can make the master or a replica. *replica_of* is a port."""

    tls: ClusterTLS | None = None

    def __init__(self, folder: Path, *, replica_of: int | None = None) -> None:
        super().__init__(folder)
        self._replica_of = replica_of

    @cached_property
    def admin(self) -> Redis:
        """A client with all permissions."""
        return _client(self.port, self.tls)

    def _prepare(self) -> None:
        make_private(self.folder)
        (self.folder / "password").write_text(OWN_PASSWORD)
        super()._prepare()

    def _configuration(self, port: int) -> str:
        replication = f"replicaof {HOST} {self._replica_of}\n" if self._replica_of is not None else ""
        return super()._configuration(port) + _MEMBER + replication


class TLSMember(Member, TLSValkey):
    """The same, with TLS."""

    def __init__(self, folder: Path, tls: ClusterTLS, *, replica_of: int | None = None) -> None:
        TLSValkey.__init__(self, folder, tls.server)
        self._replica_of = replica_of
        self.tls = tls


class Sentinel(PrivateServer):
    """A Sentinel for the master at the port *master*."""

    name = "Sentinel"
    plan = _PLAN

    def __init__(self, folder: Path, *, master: int, tls: ClusterTLS | None = None) -> None:
        super().__init__(folder)
        self._master = master
        self._tls = tls
        self._account = account_for()

    @property
    def url(self) -> str:
        """redis://:PASSWORD@127.0.0.1:PORT"""
        return f"redis://:{OWN_PASSWORD}@{HOST}:{self.port}"

    @cached_property
    def admin(self) -> Redis:
        """A client with all permissions."""
        return _client(self.port, self._tls)

    def plan_for(self, mode: StopMode) -> Plan:
        """The signals for *mode*."""
        return self.plan

    def _prepare(self) -> None:
        make_private(self.folder)
        data = self.folder / "data"
        if not data.exists():
            data.mkdir(mode=0o700)
            self._account.give(data)
            if self._tls is not None:
                self._tls.server.copy_to(data, self._account)

    def _launch(self, port: int) -> Child:
        data = self.folder / "data"
        with reachable(data, self._account) as (path, open_files):
            file = data / "sentinel.conf"
            if file.exists():  # it has written its state to this file
                text = re.sub(r"^dir .*$", f"dir {path}", file.read_text(), flags=re.MULTILINE)
            else:
                # It has changed to its folder before it reads the files for TLS.
                tls = self._tls.server.settings(port, ".") if self._tls is not None else ""
                text = _SENTINEL.format(port=port, folder=path, tls=tls, master=self._master)
            file.write_text(text)
            self._account.give(file)
            program = self._tls.server.program if self._tls is not None else find_valkey(self._account)
            command = [str(program), f"{path}/sentinel.conf", "--sentinel"]
            return Child(command, log=self.log, plan=self.plan, account=self._account, open_files=open_files)

    def _is_ready(self, child: Child, log: str) -> bool:
        return "Sentinel ID is" in log


class SentinelCluster:
    """The running servers."""

    def __init__(self, members: list[Member], sentinels: list[Sentinel], tls: ClusterTLS | None = None) -> None:
        self.members = members
        self.sentinels = sentinels
        self.tls = tls

    @property
    def addresses(self) -> str:
        """The addresses of the Sentinels, as in the URL."""
        return ",".join(f"{HOST}:{each.port}" for each in self.sentinels)

    @property
    def url(self) -> str:
        """The URL for a user with the documented permissions, in Redis and in the Sentinels."""
        return self.url_with(self.tls.parameters if self.tls is not None else {})

    def url_with(self, parameters: Mapping[str, str]) -> str:
        """The same with other parameters for TLS."""
        scheme = "redis+sentinel" if self.tls is None else "rediss+sentinel"
        user = {"sentinel_username": USER, "sentinel_password": PASSWORD}
        return f"{scheme}://{USER}:{ENCODED}@{self.addresses}/{SERVICE}?{urlencode({**user, **parameters})}"

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


def _client(port: int, tls: ClusterTLS | None) -> Redis:
    options: dict[str, Any] = {"ssl": True, **tls.parameters} if tls is not None else {}
    return Redis(host=HOST, port=port, password=OWN_PASSWORD, decode_responses=True, **options)


def _is_complete(sentinel: Redis, others: int) -> bool:
    state = _state(sentinel)
    replicas = sentinel.sentinel_slaves(SERVICE)
    return state["num-other-sentinels"] == others and [each["master-link-status"] for each in replicas] == ["ok"]


@contextmanager
def sentinel_cluster(folder: Path, *, sentinels: int = 3, tls: ClusterTLS | None = None) -> Iterator[SentinelCluster]:
    """Start the servers. Wait for `is_complete` before a failover."""
    a_member: Callable[..., Member] = Member if tls is None else partial(TLSMember, tls=tls)
    with ExitStack() as stack:
        master = stack.enter_context(a_member(folder / "member-0"))
        replica = stack.enter_context(a_member(folder / "member-1", replica_of=master.port))
        started = [
            stack.enter_context(Sentinel(folder / f"sentinel-{number}", master=master.port, tls=tls))
            for number in range(sentinels)
        ]
        for client in (master.admin, replica.admin, *(each.admin for each in started)):
            stack.callback(client.close)
        yield SentinelCluster([master, replica], started, tls)
