"""`taskriver verify-stream`: the judge of the stream, for operators, against a running server."""

import sys
from typing import Annotated

import typer

from graphql_api.cli import stopping
from graphql_api.cli.failure import CommandError
from graphql_api.cli.signing_in import DEFAULT_URL, PasswordFromStdin, ServerURL, Username, endpoint, sign_in
from verification.client.failures import Failed
from verification.trial import Plan, Trial

Writers = Annotated[int, typer.Option(min=1, max=50, help="How many change tasks.")]
Listeners = Annotated[int, typer.Option(min=1, max=40, help="How many listen, each on a socket of its own.")]
Seconds = Annotated[float, typer.Option(min=1, max=3600, help="For how long.")]
Faults = Annotated[bool, typer.Option(help="Drop own sockets and stop reading now and then.")]

SHOWN = 20


def verify_stream(
    url: ServerURL = DEFAULT_URL,
    username: Username = None,
    password_stdin: PasswordFromStdin = False,
    writers: Writers = 4,
    listeners: Listeners = 4,
    seconds: Seconds = 10,
    faults: Faults = True,
) -> None:
    """Prove from outside that a server's stream loses nothing.

    Creates tasks of its own, changes them, listens on several sockets that it hurts meanwhile, compares what was
    acknowledged with what was told, and removes its tasks. The last line says how many changes were acknowledged and
    how many events delivered, lost, duplicated, out of order, forbidden or wrong; the exit code is 1 if any was.
    """
    api = endpoint(url)
    account = sign_in(api, username, password_stdin=password_stdin)
    trial = Trial(account, Plan(writers, listeners, seconds, faults), lambda text: print(text, file=sys.stderr))
    try:
        report = stopping.run(trial.run())
    except (Failed, TimeoutError) as failed:
        raise CommandError(f"{api.url}: {failed}") from None
    for finding in report.findings[:SHOWN]:
        print(finding, file=sys.stderr)
    print(report.line())
    raise typer.Exit(0 if report.clean else 1)
