"""The etcd cluster: three members, in which Patroni stores who is the primary."""

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.ha.programs import Programs
from tests.ha.service import Service
from tests.support.ports import reserved_port

MEMBERS: Final = 3
_HEARTBEAT_MS: Final = 200
_ELECTION_MS: Final = 2000


class EtcdMember(Service):
    """One member."""

    def __init__(self, folder: Path, number: int, programs: Programs) -> None:
        super().__init__(folder / f"etcd{number}", programs.account)
        self.name = f"etcd{number}"
        self.port = reserved_port()
        self.peer_url = f"http://127.0.0.1:{reserved_port()}"
        self._program = programs.etcd

    @property
    def url(self) -> str:
        """The URL for clients."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, members: Sequence["EtcdMember"]) -> None:
        """Start it as one of *members*, for the first time or again."""
        options = {
            "name": self.name,
            "data-dir": str(self.folder / "data"),
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": self.peer_url,
            "initial-advertise-peer-urls": self.peer_url,
            "initial-cluster": ",".join(f"{each.name}={each.peer_url}" for each in members),
            "heartbeat-interval": str(_HEARTBEAT_MS),
            "election-timeout": str(_ELECTION_MS),
            "logger": "zap",
            "log-level": "warn",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        # Only a crash of the machine needs the data to be on the disk, and fsync slows the other servers down.
        self.launch([self._program, *arguments, *_without_fsync(self._program)])

    async def is_ready(self) -> bool:
        """Whether the members have agreed on the version of their protocol, which Patroni reads once at its start."""
        try:
            async with httpx2.AsyncClient(trust_env=False, timeout=2) as client:
                found: dict[str, str] = (await client.get(f"{self.url}/version")).json()
        except (httpx2.RequestError, ValueError):
            return False
        return found.get("etcdcluster", "not_decided") != "not_decided"

    async def is_leader(self) -> bool | None:
        """Whether it leads the cluster; None if it does not answer, or knows no leader."""
        try:
            async with httpx2.AsyncClient(trust_env=False, timeout=2) as client:
                found: dict[str, Any] = (await client.post(f"{self.url}/v3/maintenance/status", json={})).json()
        except (httpx2.RequestError, ValueError):
            return None
        leader = found.get("leader", "0")
        return None if leader == "0" else bool(leader == found["header"]["member_id"])


async def leader_of(members: Sequence[EtcdMember]) -> EtcdMember:
    """The leader; waits for an election."""
    while True:
        for member in members:
            if await member.is_leader():
                return member
        await asyncio.sleep(0.1)


def _without_fsync(program: str) -> list[str]:
    """The option for data that need not survive a crash of the machine; older versions do not have it."""
    option = "--unsafe-no-fsync"
    done = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=30, check=False)
    return [option] if option in done.stdout + done.stderr else []
