"""Compares the server with its peers, in less than seven minutes.

    make bench                   or  python -m benchmarks [W1 W2 …] [--peers ours,mercurius] [--rounds 2] [--seconds 3]

The server has one core; PostgreSQL, Valkey and the clients share the other one. The responses of all peers are
compared with SQL first. Then each peer is measured in turn, round after round. Only ratios within a round count.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import machine
from benchmarks.environment import Stage, stage
from benchmarks.load import Missing, check_wrk
from benchmarks.parts import NAMES, Part, workloads
from benchmarks.peers.catalogue import PEERS, SHORT, Peer
from benchmarks.progress import line, summary
from benchmarks.results import Measurement
from benchmarks.rounds import Plan
from benchmarks.targets import marked
from cli.output import say

ALL = "all"


def compare(ground: Stage, part: Part, peers: Sequence[Peer], plan: Plan) -> list[Measurement]:
    """All rounds of a part, with a line for each measurement and the medians at the end."""
    say(f"\n{part.name}: {part.about}")
    measured: list[Measurement] = []
    for some in part.play(ground, plan, 0):
        measured += some
        for each in some:
            say(line(each, some))
    for name in part.names:
        for text in summary(measured, name, [peer.name for peer in peers]):
            say(text)
    return measured


def main() -> int:
    """Parse and run."""
    options = _parser().parse_args()
    try:
        peers = choose(options.peers.split(","))
        check_wrk()
    except Missing as missing:
        say(str(missing))
        return 1
    say(f"Processor: {machine.processor()}")
    plan = Plan(options.seconds, options.rounds, alone_seconds=1, warm_up=0, first_warm_up=2)
    measured: list[Measurement] = []
    with stage() as ground:
        for part in workloads(peers, () if ALL in options.workloads else options.workloads):
            measured += compare(ground, part, peers, plan)
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
    parser.add_argument("workloads", nargs="*", choices=[*NAMES, ALL], default=ALL, metavar="W1 … W10")
    parser.add_argument("--peers", default=",".join(SHORT), help=f"from {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=3, help="under load, each peer in each round")
    return parser


if __name__ == "__main__":
    sys.exit(main())
