"""Faults that a history injects: processes, connections, notifications and the log fail."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from domain.stream_cursor import StreamCursor
from tests.simulation.database_model import Backup
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.world import World


class Faults:
    """Each fault chooses its target, and schedules its own end."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._backup: Backup | None = None

    def all(self) -> list[Callable[[], None]]:
        """All faults; frequent ones appear twice."""
        return [
            *(
                self._freeze,
                self._freeze,
                self._cut_connection,
                self._silence_notifier,
                self._confirm,
                self._restart,
                self._shut_down,
            ),
            *(
                self._trim,
                self._new_epoch,
                self._back_up,
                self._sever,
                self._sever,
                self._forge_cursor,
            ),
            *(self._fail_over, self._fail_over, self._fail_over_late),
        ]

    def _freeze(self) -> None:
        process = self._world.chance.choice(self._world.processes)
        seconds = self._world.chance.choice((0.05, 0.5, 1.1, 2.0))
        self._world.say(f"{process.name} freezes for {seconds} s")
        self._world.loop.freeze(process.machine)
        self._world.loop.call_later(seconds, self.thaw, process)

    def thaw(self, process: Process) -> None:
        """Let a frozen process continue."""
        if not (process.machine.runs or process.machine.dead):
            self._world.say(f"{process.name} thaws")
            self._world.loop.thaw(process.machine)

    def _cut_connection(self) -> None:
        process = self._world.chance.choice(self._world.processes)
        process.line.cut, process.line.swallows = True, self._world.chance.random() < 0.5
        seconds = self._world.chance.choice((0.05, 0.5, 1.2, 2.0))
        self._world.say(f"{process.name} is cut off from the database for {seconds} s")
        self._world.loop.call_later(seconds, self._repair, process)

    def _repair(self, process: Process) -> None:
        process.line.cut = False

    def _silence_notifier(self) -> None:
        self._world.say("the notifier is silent")
        self._world.notifiers.silent = True
        self._world.loop.call_later(self._world.chance.uniform(0.1, 2.0), self._restore_notifier)

    def _restore_notifier(self) -> None:
        self._world.notifiers.silent = False
        self._world.notifiers.confirm()

    def _confirm(self) -> None:
        self._world.notifiers.confirm()

    def _restart(self) -> None:
        process = self._world.chance.choice(self._world.processes)
        self._world.say(f"{process.name} dies")
        self._replace(process)

    def _shut_down(self) -> None:
        process = self._world.chance.choice(self._world.processes)
        self._world.say(f"{process.name} shuts down")
        process.open = False
        self._world.loop.spawn(process.machine, process.connections.drain(0.2))
        self._world.loop.call_later(0.5, self._replace, process)

    def _replace(self, gone: Process) -> None:
        if gone not in self._world.processes:
            return
        self._world.loop.kill(gone.machine)
        self._world.notifiers.hung = [each for each in self._world.notifiers.hung if each.machine is not gone.machine]
        fresh = self._world.processes[self._world.processes.index(gone)] = self._world.new_process()
        for client in self._world.clients:
            fresh.stream_requests[client.name] = client.stream_request
            if client.wire is not None and client.wire.process is gone:
                client.wire.sever(server_receives=False)
        self._world.say(f"{fresh.name} starts")
        self._world.loop.spawn(fresh.machine, fresh.start())

    def _trim(self) -> None:
        keep = self._world.chance.choice((0, 1, 3))
        self._world.say(f"all but {keep} of {len(self._world.table.log)} events are trimmed")
        self._world.table.trim(len(self._world.table.log) - keep)

    def _new_epoch(self) -> None:
        self._world.table.new_epoch()
        self._world.say(f"history is called {self._world.table.epoch}")

    def _back_up(self) -> None:
        self._backup = self._world.table.back_up()
        self._world.say(f"a backup is made at {len(self._backup.log)}")
        self._world.loop.call_later(self._world.chance.uniform(0.05, 0.8), self._restore)

    def _restore(self) -> None:
        assert self._backup is not None
        self._world.table.restore(self._backup)
        self._world.say(f"the backup is restored: {self._world.table.epoch} at {len(self._world.table.log)}")

    def _fail_over(self) -> None:
        self._world.table.promote()
        self._world.say("a standby is promoted that has everything")

    def _fail_over_late(self) -> None:
        """Promote a standby that was late, if commits do not wait for it."""
        if self._world.table.is_synchronous:
            self._fail_over()
            return
        standby = self._world.table.back_up()
        self._world.say(f"the standby has {len(standby.log)} events from now on")
        self._world.loop.call_later(self._world.chance.uniform(0.05, 0.8), self._promote, standby)

    def fail_over_unnoticed(self) -> None:
        """Promote a standby that lacks delivered events, although commits seemed to wait for it. No other fault may
        occur: the processes that have delivered the events have to live.
        """
        self._world.table.is_synchronous = True
        standby = self._world.table.back_up()
        self._world.say(f"the standby has {len(standby.log)} events, and commits do not wait")
        self._world.loop.call_later(self._world.chance.uniform(0.05, 0.8), self._promote_if_delivered, standby)

    def _promote_if_delivered(self, standby: Backup) -> None:
        # What no process has delivered is not noticed: clients may have seen it in a page.
        table = self._world.table
        delivered = min(process.stream.position for process in self._world.processes)
        if delivered == len(table.log) and not table.pending:
            self._promote(standby)

    def _promote(self, standby: Backup) -> None:
        self._world.table.promote(standby)
        self._world.say(f"the standby is promoted, with {len(standby.log)} events")

    def _sever(self) -> None:
        client = self._world.chance.choice(self._world.clients)
        if client.wire is not None:
            self._world.say(f"{client.name} loses its socket")
            client.wire.sever(server_receives=self._world.chance.random() < 0.6)

    def _forge_cursor(self) -> None:
        client = self._world.chance.choice(self._world.clients)
        if client.cursor is not None and client.wire is not None:
            self._world.say(f"{client.name} comes back with a cursor from the future")
            client.forged = True
            client.cursor = StreamCursor(client.cursor.epoch, 10**6, client.cursor.access_version)
            client.base, client.since = client.cursor, None
            client.received.clear()
            client.wire.sever(server_receives=True)
