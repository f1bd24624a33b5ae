"""A node of the cluster: Patroni, and the PostgreSQL that it runs."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2

from embedded import watchdog
from tests.chaos.proxy import Proxy
from tests.ha.etcd import EtcdMember
from tests.ha.network import Network
from tests.ha.programs import Programs
from tests.ha.service import Service
from tests.support.ports import reserved_port

SCOPE: Final = "taskriver"
TTL_SECONDS: Final = 20
"""How long a primary that does not report itself stays the primary; Patroni accepts nothing shorter."""
_PARAMETERS: Final = {
    "max_connections": 200,
    "shared_buffers": "64MB",
    "wal_keep_size": "256MB",
    "wal_sender_timeout": "10s",
    "wal_receiver_timeout": "10s",
    "wal_retrieve_retry_interval": "1s",
    "max_parallel_workers_per_gather": 0,
    "jit": "off",
    "fsync": "off",  # only a crash of the machine needs it, and three servers share its disk
    "unix_socket_directories": "",
}


@dataclass(frozen=True)
class Passwords:
    """The passwords of the cluster's users."""

    superuser: str
    replication: str
    rewind: str


class Node(Service):
    """One node. Other nodes reach it, and it reaches etcd, only through proxies; HAProxy reaches it directly."""

    def __init__(
        self, folder: Path, number: int, programs: Programs, network: Network, members: Sequence[EtcdMember]
    ) -> None:
        super().__init__(folder / f"node{number}", programs.account)
        self.name = f"node{number}"
        self.data = self.folder / "data"
        self.postgres_port, self.api_port = reserved_port(), reserved_port()
        self.replication = network.lead_to(self.postgres_port)
        self.api_wire = network.lead_to(self.api_port)
        self.etcd_wires = [network.lead_to(member.port) for member in members]
        self._programs = programs

    @property
    def wires_of_standbys(self) -> list[Proxy]:
        """The connections of the other nodes to this one."""
        return [self.replication, self.api_wire]

    @property
    def api(self) -> str:
        """Patroni's REST API."""
        return f"http://127.0.0.1:{self.api_port}"

    def start(self, passwords: Passwords, *, synchronous: bool) -> None:
        """Start Patroni, which starts PostgreSQL. The mode counts for the first start of the cluster."""
        configuration = self.write("patroni.json", self._configuration(passwords, synchronous=synchronous))
        self.launch([self._programs.patroni, str(configuration)])

    async def ask(self, path: str) -> dict[str, Any] | None:
        """An answer of the REST API; None if there is none."""
        try:
            async with httpx2.AsyncClient(trust_env=False, timeout=2) as client:
                answer: dict[str, Any] = (await client.get(f"{self.api}{path}")).json()
        except (httpx2.RequestError, ValueError):
            return None
        return answer

    async def switch_over(self) -> bool:
        """Let this primary hand over to a standby; returns, at the end, whether Patroni has done it."""
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            answer = await client.post(f"{self.api}/switchover", json={"leader": self.name})
        return bool(answer.status_code == 200)

    async def configure(self, **values: Any) -> bool:
        """Change the configuration of the whole cluster, which etcd stores; returns whether Patroni has stored it."""
        try:
            async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
                answer = await client.patch(f"{self.api}/config", json=values)
        except httpx2.RequestError:
            return False
        return bool(answer.status_code == 200)

    def postgres_processes(self) -> list[int]:
        """The processes of PostgreSQL, the first one at the beginning; none if it does not run."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            runs_here = Path(f"/proc/{pid}/cwd").stat().st_ino == self.data.stat().st_ino
        except (OSError, ValueError):
            return []
        return watchdog.family(pid) if runs_here else []

    def kill_postgres(self) -> None:
        """SIGKILL of all processes of PostgreSQL."""
        watchdog.send(signal.SIGKILL, self.postgres_processes())

    def kill(self) -> None:
        """SIGKILL of everything on the node. Patroni is first: it must not react."""
        super().kill()
        self.kill_postgres()

    def freeze(self) -> None:
        """SIGSTOP of everything on the node."""
        self.send(signal.SIGSTOP)
        watchdog.send(signal.SIGSTOP, self.postgres_processes()[:1])  # first, so that it starts no more processes
        watchdog.send(signal.SIGSTOP, self.postgres_processes())

    def thaw(self) -> None:
        """SIGCONT of everything on the node."""
        watchdog.send(signal.SIGCONT, self.postgres_processes())
        self.send(signal.SIGCONT)

    def _configuration(self, passwords: Passwords, *, synchronous: bool) -> dict[str, Any]:
        return {
            "scope": SCOPE,
            "name": self.name,
            "restapi": {
                "listen": f"127.0.0.1:{self.api_port}",
                "connect_address": f"127.0.0.1:{self.api_wire.port}",
            },
            "etcd3": {
                "hosts": [f"127.0.0.1:{wire.port}" for wire in self.etcd_wires],
                "use_proxies": True,  # Patroni must not ask etcd for the addresses of its members, and go there
            },
            "bootstrap": {
                "dcs": _rules(synchronous=synchronous),
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums", "no-sync"],
            },
            "postgresql": self._postgres_configuration(passwords),
        }

    def _postgres_configuration(self, passwords: Passwords) -> dict[str, Any]:
        return {
            "listen": f"127.0.0.1:{self.postgres_port}",
            "connect_address": f"127.0.0.1:{self.replication.port}",
            "data_dir": str(self.data),
            "bin_dir": str(self._programs.postgres.folder),
            "pgpass": str(self.folder / "pgpass"),
            "authentication": {
                "superuser": {"username": "postgres", "password": passwords.superuser},
                "replication": {"username": "replicator", "password": passwords.replication},
                "rewind": {"username": "rewind", "password": passwords.rewind},
            },
            "pg_hba": [
                "host all all 127.0.0.1/32 scram-sha-256",
                "host replication replicator 127.0.0.1/32 scram-sha-256",
            ],
            "remove_data_directory_on_rewind_failure": True,
            "remove_data_directory_on_diverged_timelines": True,
        }


def _rules(*, synchronous: bool) -> dict[str, Any]:
    """The configuration that etcd stores for the whole cluster."""
    return {
        "ttl": TTL_SECONDS,
        "loop_wait": 2,
        "retry_timeout": 5,
        "maximum_lag_on_failover": 16 * 1024 * 1024,
        "primary_start_timeout": 0,  # a standby takes over at once instead of waiting for a crashed primary
        "synchronous_mode": synchronous,
        "synchronous_mode_strict": synchronous,
        "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": _PARAMETERS},
    }
