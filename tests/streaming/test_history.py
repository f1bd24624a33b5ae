"""Which promotions continue the epoch, and which start a new one."""

from dataclasses import replace

import pytest

from persistence.epoch import DatabaseIdentity, LogServer, OtherServer
from persistence.event_log import Head, Observation
from streaming.history import DECISION_SECONDS, RETURN_SECONDS, History, Verdict
from streaming.tail import ReadHead

EPOCH = "e"
POSITION, FINGERPRINT = 7, 4711
REQUEST = ReadHead(POSITION, FINGERPRINT)


def at(timeline: int, **parts: int | None) -> DatabaseIdentity:
    """The identity of the server on a timeline."""
    return replace(DatabaseIdentity(1, timeline, 3, 4), **parts)


OLD, NEW = at(1), at(2)
SYNCHRONOUS = LogServer(OLD, OLD, is_synchronous=True, was_synchronous=True)
PROMOTED = LogServer(NEW, OLD, is_synchronous=False, was_synchronous=True)


def seen(server: LogServer, *, fingerprint: int | None = FINGERPRINT, **head: object) -> Observation:
    """The log at a server; it has the last event of this process unless something else is given."""
    facts = {"epoch": EPOCH, "position": POSITION, "trimmed": 0, "pending": False, "has_fingerprints": True} | head
    return Observation(Head(**facts), server, fingerprint)  # type: ignore[arg-type]


def a_witness(server: LogServer = SYNCHRONOUS) -> History:
    """The history of a process that has read the log at a server."""
    history = History()
    history.accept(server)
    return history


def judged(history: History, observation: Observation, now: float = 0.0) -> Verdict:
    """The verdict of a process whose last event is the usual one."""
    return history.judge(EPOCH, REQUEST, observation, now)


class TestTheSameServer:
    def test_it_continues(self):
        """Nothing has changed; also for a process that has just started."""
        assert judged(a_witness(), seen(SYNCHRONOUS)) is Verdict.CONTINUE
        assert judged(History(), seen(SYNCHRONOUS)) is Verdict.CONTINUE

    @pytest.mark.parametrize(
        "server",
        [
            LogServer(OLD, DatabaseIdentity(None, None, None, None)),
            LogServer(OLD, OLD, is_synchronous=True, was_synchronous=False),
            LogServer(OLD, OLD, is_synchronous=False, was_synchronous=True),
        ],
        ids=["it is not known yet", "commits wait now", "commits do not wait any more"],
    )
    def test_news_of_the_server_are_remembered(self, server: LogServer):
        """The epoch stays."""
        assert judged(a_witness(), seen(server)) is Verdict.REMEMBER

    @pytest.mark.parametrize("part", ["system_id", "database_id", "table_id"])
    def test_another_database_is_another_history(self, part: str):
        """A dump that was restored, whatever the commits waited for."""
        server = replace(SYNCHRONOUS, here=at(1, **{part: 99}))
        assert judged(a_witness(), seen(server)) is Verdict.NEW_EPOCH

    @pytest.mark.parametrize(
        "observation",
        [seen(SYNCHRONOUS, position=POSITION - 1), seen(SYNCHRONOUS, position=POSITION + 9, fingerprint=1)],
        ids=["a shorter log", "another event at the last position"],
    )
    def test_a_log_without_the_last_event_is_another_history(self, observation: Observation):
        """A backup was copied back under a running process."""
        assert judged(a_witness(), observation) is Verdict.NEW_EPOCH

    def test_events_without_a_fingerprint_prove_nothing(self):
        """They are of an earlier version."""
        assert judged(a_witness(), seen(SYNCHRONOUS, fingerprint=None)) is Verdict.CONTINUE
        without = ReadHead(POSITION, None)
        assert a_witness().judge(EPOCH, without, seen(SYNCHRONOUS), 0.0) is Verdict.CONTINUE

    def test_positions_of_another_epoch_are_not_compared(self):
        """Another process has started the epoch."""
        assert judged(a_witness(), seen(SYNCHRONOUS, epoch="f", position=1, fingerprint=1)) is Verdict.CONTINUE


class TestPromotion:
    def test_a_synchronous_standby_continues_the_epoch(self):
        """It is remembered, and then it is the server as before."""
        history = a_witness()
        assert judged(history, seen(PROMOTED)) is Verdict.REMEMBER
        assert judged(history, seen(LogServer(NEW, NEW))) is Verdict.CONTINUE

    @pytest.mark.parametrize(
        ("server", "witness"),
        [
            (replace(PROMOTED, was_synchronous=False), SYNCHRONOUS),
            (PROMOTED, replace(SYNCHRONOUS, is_synchronous=False)),
            (replace(PROMOTED, recovered_to_a_target=True), SYNCHRONOUS),
        ],
        ids=["the log says no", "this process saw that commits did not wait", "a point in time"],
    )
    def test_it_starts_a_new_epoch_if_changes_can_be_lost(self, server: LogServer, witness: LogServer):
        """Also if the last event of this process is there: clients may know of later changes."""
        assert judged(a_witness(witness), seen(server)) is Verdict.NEW_EPOCH

    @pytest.mark.parametrize(
        "observation",
        [
            seen(PROMOTED, position=POSITION - 1),
            seen(PROMOTED, fingerprint=1),
            seen(PROMOTED, has_fingerprints=False),
        ],
        ids=["events are missing", "another event", "cursors have no fingerprints"],
    )
    def test_it_starts_a_new_epoch_without_proof(self, observation: Observation):
        """Whatever the commits waited for."""
        assert judged(a_witness(), observation) is Verdict.NEW_EPOCH

    def test_a_process_checks_what_another_one_has_continued(self):
        """It knows of a commit that did not wait, or of an event that is missing."""
        continued = LogServer(NEW, NEW, was_synchronous=False)
        assert judged(a_witness(), seen(continued)) is Verdict.CONTINUE
        assert judged(a_witness(replace(SYNCHRONOUS, is_synchronous=False)), seen(continued)) is Verdict.NEW_EPOCH
        assert judged(a_witness(), seen(continued, fingerprint=1)) is Verdict.NEW_EPOCH

    @pytest.mark.parametrize("history", [History(), a_witness(LogServer(at(3), at(3)))], ids=["new", "of another one"])
    def test_a_process_that_was_no_witness_waits_for_one(self, history: History):
        """After a while, it starts a new epoch. Then no process was there."""
        promoted = seen(replace(PROMOTED, here=at(4)))
        for now in (10.0, 10.0 + DECISION_SECONDS - 0.1):
            with pytest.raises(OtherServer):
                judged(history, promoted, now)
        assert judged(history, promoted, 10.0 + DECISION_SECONDS) is Verdict.NEW_EPOCH

    def test_the_server_before_a_promotion_is_refused(self):
        """It was frozen, and answers again. If it stays, it was restored, without a new timeline."""
        history = a_witness(LogServer(NEW, NEW))
        for now in (10.0, 10.0 + RETURN_SECONDS - 0.1):
            with pytest.raises(OtherServer):
                judged(history, seen(SYNCHRONOUS, position=1), now)
        assert judged(history, seen(SYNCHRONOUS, position=1), 10.0 + RETURN_SECONDS) is Verdict.NEW_EPOCH

    def test_each_wait_begins_anew(self):
        """The server that is known answers in between."""
        history, new = a_witness(LogServer(NEW, NEW)), LogServer(NEW, NEW)
        with pytest.raises(OtherServer):
            judged(history, seen(SYNCHRONOUS), 10.0)
        assert judged(history, seen(new), 11.0) is Verdict.CONTINUE
        history.accept(new)
        with pytest.raises(OtherServer):
            judged(history, seen(SYNCHRONOUS), 10.0 + RETURN_SECONDS)

    def test_two_promotions_in_a_row(self):
        """The log may remember the first of them, which this process has not seen."""
        assert judged(a_witness(), seen(replace(PROMOTED, here=at(3)))) is Verdict.REMEMBER
        with pytest.raises(OtherServer):
            judged(a_witness(), seen(replace(PROMOTED, here=at(3), remembered=NEW)))


class TestServersThatDoNotReportTheirIdentity:
    def test_the_rest_counts(self):
        """A promotion is not seen; another database is."""
        unknown = DatabaseIdentity(None, None, 3, 4)
        assert judged(a_witness(), seen(replace(SYNCHRONOUS, here=unknown))) is Verdict.CONTINUE
        other = replace(SYNCHRONOUS, here=replace(unknown, table_id=99))
        assert judged(a_witness(), seen(other)) is Verdict.NEW_EPOCH
