"""How much one primary and one process can hold: the tables of docs/scale.md.

    make bench-capacity          or  python -m benchmarks.capacity [tasks members projects connections] [--sizes …]

`tasks` fills databases with as many tasks as --sizes says, and keeps them in .taskriver/capacity (10 million tasks:
10 GB, a quarter of an hour). The other parts make what they need in seconds. --short does all in small. Processor
times are right only if nothing else runs: the load average is printed beside the numbers.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import uvloop

import embedded
from benchmarks import machine
from benchmarks.capacity import connections, members, tasks
from cli.output import say

ALL: Final = "all"
FOLDER: Final = Path(".taskriver/capacity")


@dataclass(frozen=True, slots=True)
class Amount:
    """The sizes of each part, and how often something is measured."""

    sizes: dict[str, Sequence[int]]
    rounds: int
    requests: int
    changes: int
    users: int
    imported: int
    idle_seconds: float


USUAL: Final = Amount(
    {
        "tasks": (100_000, 1_000_000, 10_000_000),
        "members": (1, 100, 1_000, 10_000),
        "projects": (1, 100, 1_000),
        "connections": (1_000, 5_000, 10_000, 20_000),
    },
    rounds=3,
    requests=200,
    changes=20,
    users=200,
    imported=20_000,
    idle_seconds=24.0,
)
SHORT: Final = Amount(
    {"tasks": (4_000, 8_000), "members": (1, 20), "projects": (1, 20), "connections": (50,)},
    rounds=1,
    requests=5,
    changes=2,
    users=10,
    imported=100,
    idle_seconds=1.0,
)


async def measure(servers: embedded.Servers, folder: Path, part: str, sizes: Sequence[int], amount: Amount) -> str:
    """Measure a part; returns its tables."""
    if part == "tasks":
        found = await tasks.measure(servers, folder, sizes, amount.rounds, amount.requests, amount.imported)
        return f"{tasks.room_table(found[0])}\n\n{tasks.cost_table(found[1])}"
    if part == "members":
        return members.projects_table(await members.measure_projects(servers, sizes, amount.changes))
    if part == "projects":
        return members.users_table(await members.measure_users(servers, sizes, amount.users, amount.changes))
    permitted = connections.permitted(sizes)
    return connections.table(await connections.measure(servers, permitted, amount.changes, amount.idle_seconds))


def main() -> int:
    """Parse and run."""
    options = _parser().parse_args()
    amount = SHORT if options.short else USUAL
    amount = replace(amount, rounds=options.rounds or amount.rounds)
    parts = list(amount.sizes) if ALL in options.parts else list(options.parts)
    if options.sizes and len(parts) != 1:
        sys.stderr.write("--sizes needs one part: for example `connections --sizes 1000 5000`.\n")
        return 2
    options.folder.mkdir(parents=True, exist_ok=True)
    connections.raise_limit(max(amount.sizes["connections"]))  # the server processes inherit it
    say(machine.described(machine.commit()))
    with embedded.running(options.folder / "servers", durable=False) as servers:
        for part in parts:
            sizes = options.sizes or amount.sizes[part]
            before = os.getloadavg()[0]
            text = uvloop.run(measure(servers, options.folder, part, sizes, amount))
            say(f"\n{part} (load average {before:.1f} before, {os.getloadavg()[0]:.1f} after)\n\n{text}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.capacity", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*USUAL.sizes, ALL], default=ALL, metavar="|".join(USUAL.sizes))
    parser.add_argument("--sizes", nargs="+", type=int, help="of the part; only with one part")
    parser.add_argument("--rounds", type=int, help="of the requests of `tasks`")
    parser.add_argument("--short", action="store_true", help="small sizes, in seconds")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the servers keep their files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
