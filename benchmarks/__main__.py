"""Compare the server with its peers.

    python -m benchmarks [W1 W2 …] [--peers ours,mercurius] [--rounds 3] [--seconds 5]

The server alone on one core; PostgreSQL, Valkey and whoever asks on the other one. Everybody's answers are held
against SQL's first; then everybody is put under load in turn, round after round. Only ratios within a round count.
"""

import argparse
import sys

from benchmarks.load import Missing, check_wrk
from benchmarks.peers.catalogue import PEERS, SHORT, Peer
from benchmarks.ratios import Spread, ratio, values
from benchmarks.results import Measurement
from benchmarks.rounds import Match, Plan
from benchmarks.stage import Stage, stage
from benchmarks.workloads import Workload
from graphql_api.cli.saying import say

BASE = "mercurius"


def compare(ground: Stage, workload: Workload, peers: list[Peer], plan: Plan) -> list[Measurement]:
    """All rounds of a workload, with a line for each measurement and the medians at the end."""
    say(f"\n{workload}: {workload.about}")
    measured: list[Measurement] = []
    for some in Match(ground, workload, peers, plan).play(0):
        measured += some
        for each in some:
            say(_line(each, some))
    base = BASE if BASE in {peer.name for peer in peers} else peers[0].name
    for peer in peers:
        say(_summary(measured, workload, peer, base))
    return measured


def _line(each: Measurement, some: list[Measurement]) -> str:
    base = next((other for other in some if other.peer == BASE), None)
    times = f"{each.value / base.value:6.2f} × {BASE}" if base else ""
    numbers = "  ".join(f"{name} {value:.3g}" for name, value in each.numbers.items())
    return f"  round {each.round + 1}  {each.peer:<18} {each.value:>9,.0f}/s {times}   {numbers}"


def _summary(measured: list[Measurement], workload: Workload, peer: Peer, base: str) -> str:
    rates = Spread.of(values(measured, workload, peer.name).values())
    times = ratio(measured, workload, peer.name, base)
    per_cpu = ratio(measured, workload, peer.name, base, "per_cpu")
    assert times is not None  # every round has both
    assert per_cpu is not None
    return (
        f"  median   {peer.name:<18} {rates.median:>9,.0f}/s ({rates.least:,.0f} to {rates.most:,.0f}), "
        f"{times.median:.2f} × {base} ({times.least:.2f} to {times.most:.2f}); "
        f"per CPU second {per_cpu.median:.2f} × ({per_cpu.least:.2f} to {per_cpu.most:.2f})"
    )


def main() -> int:
    """Parse and run."""
    options = _parser().parse_args()
    try:
        peers = [PEERS[name] for name in options.peers.split(",")]
    except KeyError as unknown:
        say(f"There is no peer {unknown}: take some of {', '.join(PEERS)}.")
        return 2
    try:
        check_wrk()
        for peer in peers:
            peer.prepare()
    except Missing as missing:
        say(str(missing))
        return 1
    with stage() as ground:
        for workload in options.workloads or Workload:
            compare(ground, Workload(workload), peers, Plan(options.seconds, options.rounds))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workloads", nargs="*", choices=[*Workload, []], help="default: all")
    parser.add_argument("--peers", default=",".join(SHORT), help=f"some of {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="under load, each peer in each round")
    return parser


if __name__ == "__main__":
    sys.exit(main())
