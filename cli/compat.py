"""`taskriver compat …`: compare a server with the older REST API, for users who migrate from it."""

import sys
from collections import Counter
from dataclasses import asdict
from typing import Final

import typer

from cli.errors import REFUSED, WARNING, CommandError
from cli.output import AsJSON, counted, examples, print_result
from cli.progress import ProgressBar
from cli.sign_in import DEFAULT_URL, ServerURL, split_server_url
from cli.table import Column, table
from verification.compat.check import CHECKS, Compatibility
from verification.compat.http import PREFIX, AnotherAPI, NoServer
from verification.compat.result import Comparison, Verdict

compat: Final = typer.Typer(help="Compare servers with the older REST API.", no_args_is_help=True)

_STYLES: Final = {
    Verdict.MATCHES.value: "green",
    Verdict.ON_PURPOSE.value: "cyan",
    Verdict.DIFFERS.value: "bold red",
    Verdict.NOT_TRIED.value: "yellow",
}


@compat.command(
    epilog=examples("taskriver compat check", "taskriver compat check https://old.example.org --json > before.json")
)
def check(url: ServerURL = DEFAULT_URL, as_json: AsJSON = False) -> None:
    """Replay the contract of the older REST API against a server.

    The server can be a Taskriver or your old one. The command registers users, creates and removes tasks, and signs
    out. The users stay, because no endpoint removes them. The exit code is 1 if something differs that is not intended,
    and 3 if a check could not run.
    """
    compatibility = Compatibility(_base(url))
    findings: list[Comparison] = []
    try:
        with ProgressBar("checks", total=len(CHECKS), paced=False) as meter:
            for finding in compatibility.run():
                findings.append(finding)
                meter.advance(1, at=len(findings))
    except AnotherAPI as error:
        raise CommandError(str(error)) from None
    except NoServer as error:
        raise CommandError(f"{error}. Check the URL, and that the server is running.") from None
    counts = Counter(finding.verdict for finding in findings)
    facts = {"url": compatibility.url, "counts": counts, "findings": [asdict(finding) for finding in findings]}
    print_result(_words(compatibility, findings, counts), facts, as_json=as_json)
    raise typer.Exit(REFUSED if counts[Verdict.DIFFERS] else WARNING if counts[Verdict.NOT_TRIED] else 0)


def _words(compatibility: Compatibility, findings: list[Comparison], counts: Counter[Verdict]) -> str:
    below = sys.stdout.isatty()
    rows = [[each.verdict, each.what, each.told] for each in findings]
    columns = [Column("verdict", styles=_STYLES), Column("what")]
    if below:
        shown = table(columns, [[verdict, f"{what}\n→ {told}" if told else what] for verdict, what, told in rows])
    else:
        shown = table([*columns, Column("seen")], rows)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    left = f" Not removed: {compatibility.left}." if compatibility.left else ""
    return f"{shown}\n{summary}; {counted(compatibility.requests, 'request')} sent.{left}"


def _base(url: str) -> str:
    """The URL of the server, without the path of the older API.

    Raises:
        CommandError: *url* is not the URL of a server.
    """
    parts = split_server_url(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix(PREFIX)}"
