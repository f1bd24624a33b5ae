"""`taskriver verify-stream`: the judge of the stream, for operators, against a running server."""

import sys
from typing import Annotated, Final

import typer

from cli.errors import without_help
from cli.output import AsJSON, answer, examples
from cli.sign_in import DEFAULT_URL, PasswordFromStdin, ServerURL, Username, endpoint, sign_in
from server import signals
from verification.client.failures import Failed
from verification.stream_test import Plan, StreamTest

Writers = Annotated[int, typer.Option(metavar="N", min=1, max=50, help="How many change tasks.")]
Listeners = Annotated[
    int, typer.Option(metavar="N", min=1, max=40, help="How many listen, each on a socket of its own.")
]
Seconds = Annotated[float, typer.Option(metavar="S", min=1, max=3600, help="For how long.")]
Faults = Annotated[bool, typer.Option(help="Drop own sockets and stop reading now and then.")]

SHOWN = 20

EXAMPLES: Final = examples(
    "taskriver verify-stream --username admin",
    "taskriver verify-stream https://tasks.example.org --seconds 60 --json",
)


def verify_stream(
    url: ServerURL = DEFAULT_URL,
    username: Username = None,
    password_stdin: PasswordFromStdin = False,
    writers: Writers = 4,
    listeners: Listeners = 4,
    seconds: Seconds = 10,
    faults: Faults = True,
    as_json: AsJSON = False,
) -> None:
    """Check from outside that a server's stream loses nothing.

    Creates tasks of its own, changes them, listens on several sockets that it hurts meanwhile, compares what was
    acknowledged with what was told, and removes its tasks. The last line says how many changes were acknowledged and
    how many events delivered, lost, duplicated, out of order, forbidden or wrong; the exit code is 1 if any was.
    """
    api = endpoint(url)
    account = sign_in(api, username, password_stdin=password_stdin)
    trial = StreamTest(account, Plan(writers, listeners, seconds, faults), lambda text: print(text, file=sys.stderr))
    try:
        report = signals.run(trial.run())
    except (Failed, TimeoutError) as failed:
        raise without_help(api.url, failed) from None
    for finding in report.findings[:SHOWN]:
        print(finding, file=sys.stderr)
    answer(report.line(), report.to_json(), as_json=as_json)
    raise typer.Exit(0 if report.clean else 1)
