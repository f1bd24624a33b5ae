"""What is wrong with a history. Pure: the same history, the same verdict."""

from verification.history import History
from verification.index import Index
from verification.listener_check import ListenerCheck
from verification.log_check import judge_records
from verification.report import Report


def check_history(history: History) -> Report:
    """Look for everything that the stream promises not to do.

    The log must have every acknowledged write once, each task's versions in order, and nothing before what was
    acknowledged before it began; each listener must have been told what it may see of the log, once per connection,
    in order, with no gap that a resync does not cover, and nothing else; and what a client makes of it must be what
    the database says in the end.
    """
    report = Report(acknowledged=len(history.writes))
    index = Index(history)
    judge_records(history, index, report)
    for listener in history.listeners:
        ListenerCheck(history, index, listener, report).judge()
    return report
