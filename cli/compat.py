"""`taskriver compat …`: for whoever comes from the older API."""

import sys
from collections import Counter
from dataclasses import asdict
from typing import Final
from urllib.parse import urlsplit

import typer

from cli.errors import LOOK, REFUSED
from cli.output import AsJSON, answer, counted, examples
from cli.progress import ProgressBar
from cli.sign_in import DEFAULT_URL, ServerURL
from cli.table import Column, table
from server.errors import CommandError
from verification.compat.check import CHECKS, Compatibility
from verification.compat.http import PREFIX, AnotherAPI, NoServer
from verification.compat.result import Finding, Verdict

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
    """Replay the older API's contract against any server.

    Against this one, or the one that you are leaving. It registers users of its own, makes and removes tasks, and
    signs out; the users stay, since no endpoint removes them. The exit code is 1 if anything differs that is not on
    purpose, and 3 if something could not be tried.
    """
    compatibility = Compatibility(_base(url))
    findings: list[Finding] = []
    try:
        with ProgressBar("checks", total=len(CHECKS), paced=False) as meter:
            for finding in compatibility.run():
                findings.append(finding)
                meter.advance(1, at=len(findings))
    except AnotherAPI as error:
        raise CommandError(str(error)) from None
    except NoServer as error:
        raise CommandError(f"{error}: does a server run there?") from None
    counts = Counter(finding.verdict for finding in findings)
    facts = {"url": compatibility.url, "counts": counts, "findings": [asdict(finding) for finding in findings]}
    answer(_words(compatibility, findings, counts), facts, as_json=as_json)
    raise typer.Exit(REFUSED if counts[Verdict.DIFFERS] else LOOK if counts[Verdict.NOT_TRIED] else 0)


def _words(compatibility: Compatibility, findings: list[Finding], counts: Counter[Verdict]) -> str:
    below = sys.stdout.isatty()
    rows = [[each.verdict, each.what, each.told] for each in findings]
    columns = [Column("verdict", styles=_STYLES), Column("what")]
    if below:
        shown = table(columns, [[verdict, f"{what}\n→ {told}" if told else what] for verdict, what, told in rows])
    else:
        shown = table([*columns, Column("seen")], rows)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    left = f" Left behind: {compatibility.left}." if compatibility.left else ""
    return f"{shown}\n{told}, by {counted(compatibility.requests, 'request')}.{left}"


def _base(url: str) -> str:
    """Where the older API is below, without its own part of the path.

    Raises:
        CommandError: it is no URL of a server.
    """
    parts = urlsplit(url if "//" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError(f"{url} is no address of a server: it must look like {DEFAULT_URL}.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix(PREFIX)}"
