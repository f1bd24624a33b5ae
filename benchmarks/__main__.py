"""Compares the server with its peers, in less than seven minutes.

    make bench                   or  python -m benchmarks [W1 W2 …] [--peers ours,mercurius] [--rounds 2] [--seconds 3]

The server has one core; PostgreSQL, Valkey and the clients share the other one. The responses of all peers are
compared with SQL first. Then each peer is measured in turn, round after round. Only ratios within a round count.
Each part has a first round before time is spent on the second one of any other; what does not fit into the time
(--minutes) is left out, and its targets are not decided.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks import machine
from benchmarks.environment import Stage, stage
from benchmarks.growth import listeners, numbering
from benchmarks.imports import SHORT_TASKS, Import
from benchmarks.load import Missing, check_wrk
from benchmarks.parts import NAMES, Part, workloads
from benchmarks.peers.catalogue import PEERS, SHORT, Peer
from benchmarks.progress import line, summary
from benchmarks.results import Measurement
from benchmarks.rounds import Plan
from benchmarks.stalls import Stalls
from benchmarks.targets import marked
from benchmarks.time_limit import TimeLimit
from cli.output import say
from streaming.numbering import BATCH_SIZE

ALL = "all"


def compare(
    ground: Stage, part: Part, peers: Sequence[Peer], plan: Plan, limit: TimeLimit, later: float = 0
) -> list[Measurement]:
    """The rounds of a part for which there is time, with a line for each measurement and the medians at the end.

    *later* is the weight of the parts that follow.
    """
    say(f"\n{part.name}: {part.about}")
    if not limit.allows(part.weight):
        say("  not measured: there is no time left (--minutes)")
        return []
    measured: list[Measurement] = []
    began = time.monotonic()
    for some in part.play(ground, plan, 0):
        measured += some
        for each in some:
            say(line(each, some))
        took, began = time.monotonic() - began, time.monotonic()
        limit.note(part.weight, took)
        if not limit.allows(part.weight, later):
            break
    for name in dict.fromkeys(each.what for each in measured):
        for text in summary(measured, name, [peer.name for peer in peers]):
            say(text)
    return measured


def parts_of(peers: Sequence[Peer], names: Sequence[str]) -> list[Part]:
    """The workloads with these names and the short forms of the other parts, or all."""
    others: list[Part] = [Import(SHORT_TASKS), numbering((BATCH_SIZE,)), Stalls(), listeners((1_000,))]
    answering = [name for name in names if name in NAMES]
    asked = workloads(peers, answering) if answering or not names else []
    return [*asked, *(part for part in others if not names or part.name in names)]


def main() -> int:
    """Parse and run."""
    options = _parser().parse_args()
    limit = TimeLimit(options.minutes * 60)
    try:
        peers = choose(options.peers.split(","))
        check_wrk()
    except Missing as missing:
        say(str(missing))
        return 1
    say(f"Processor: {machine.processor()}")
    plan = Plan(options.seconds, options.rounds, alone_seconds=1, warm_up=0, first_warm_up=2)
    parts = parts_of(peers, () if ALL in options.parts else options.parts)
    measured: list[Measurement] = []
    with stage() as ground:
        for number, part in enumerate(parts):
            later = sum(each.weight for each in parts[number + 1 :])
            measured += compare(ground, part, peers, plan, limit, later)
    say("\nTargets")
    for text in marked(measured):
        say(f"  {text}")
    return 0


def choose(names: Sequence[str]) -> list[Peer]:
    """The peers with these names, installed.

    Raises:
        Missing: a name is unknown, or a peer cannot be installed.
    """
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise Missing(f"There is no peer {', '.join(unknown)}: choose from {', '.join(PEERS)}.")
    peers = [PEERS[name] for name in names]
    for peer in peers:
        peer.prepare()
    return peers


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description=(__doc__ or "").splitlines()[0])
    names = [part.name for part in parts_of((), ()) if part.name not in NAMES]
    parser.add_argument("parts", nargs="*", choices=[*NAMES, *names, ALL], default=ALL, metavar="W1 … W10, import, …")
    parser.add_argument("--peers", default=",".join(SHORT), help=f"from {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=2, help="under load, each peer in each round")
    parser.add_argument("--minutes", type=float, default=6.5, help="the time for all rounds")
    return parser


if __name__ == "__main__":
    sys.exit(main())
