"""`taskriver verify-stream`: verify the event stream of a running server."""

import sys
from typing import Annotated, Final

import typer

from cli.errors import server_error
from cli.output import AsJSON, examples, print_result
from cli.sign_in import DEFAULT_URL, PasswordFromStdin, ServerURL, Username, endpoint, sign_in
from server import signals
from verification.client.failures import Failed
from verification.stream_test import StreamTest, StreamTestPlan

Writers = Annotated[int, typer.Option(metavar="N", min=1, max=50, help="Number of clients that change tasks.")]
Listeners = Annotated[
    int, typer.Option(metavar="N", min=1, max=40, help="Number of subscribers, each with its own WebSocket.")
]
Seconds = Annotated[float, typer.Option(metavar="S", min=1, max=3600, help="Duration of the test.")]
Faults = Annotated[bool, typer.Option(help="Break connections and pause reading at random.")]

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
    """Verify that the event stream of a server loses nothing.

    The command creates tasks, changes them, and subscribes with several WebSockets that it breaks at random. It
    compares the acknowledged changes with the events that arrived, and removes its tasks. The last line has the number
    of changes, and of events that were delivered, lost, duplicated, out of order, forbidden or wrong. The exit code is
    1 if any event was lost, duplicated, out of order, forbidden or wrong.
    """
    api = endpoint(url)
    account = sign_in(api, username, password_stdin=password_stdin)
    test = StreamTest(
        account, StreamTestPlan(writers, listeners, seconds, faults), lambda text: print(text, file=sys.stderr)
    )
    try:
        report = signals.run(test.run())
    except (Failed, TimeoutError) as failed:
        raise server_error(api.url, failed) from None
    for finding in report.findings[:SHOWN]:
        print(finding, file=sys.stderr)
    print_result(report.line(), report.to_json(), as_json=as_json)
    raise typer.Exit(0 if report.clean else 1)
