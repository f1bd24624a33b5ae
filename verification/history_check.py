"""Checks a history; a pure function."""

from verification.history import History
from verification.index import Index
from verification.listener_check import ListenerCheck
from verification.log_check import check_log
from verification.membership_check import check_memberships
from verification.report import Report


def check_history(history: History) -> Report:
    """Check all guarantees of the stream.

    The log must have each acknowledged write once, the versions of each task in order, and no event before an event
    that was acknowledged before it began. It must have each acknowledged change of a membership. A change
    of a task of a project must be by a user who has the right to do so at that place of the log. Each listener must
    receive exactly the events that it may see, once per connection and in order, without a gap that a resync does not
    cover. The cache of each client must be equal to the final state of the database.
    """
    report = Report(acknowledged=len(history.writes))
    index = Index(history)
    check_log(history, index, report)
    check_memberships(history, index, report)
    for listener in history.listeners:
        ListenerCheck(history, index, listener, report).run()
    return report
