"""Tasks of one process beside the requests: the scheduled clean-up, the metrics file, the audit log, and others."""

import asyncio
from collections.abc import Callable

from graphql_api.auth.token_uses import TokenUses
from observability.metrics import Snapshot
from observability.metrics_files import MetricsFile
from persistence.database import Database
from server.mail_worker import MailWorker
from server.oldest_snapshot import OldestSnapshot
from server.scheduled_cleanup import clean_up_by_schedule
from server.settings import Settings
from server.start_entry import record_start
from server.token_uses import store_token_uses
from server.user_deletions import continue_user_deletions
from services.failed_sign_in import FailedSignIns


class BackgroundTasks:
    """Starts and stops the tasks, some of which the settings enable; *collect* returns the current metrics."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        oldest_snapshot: OldestSnapshot,
        token_uses: TokenUses,
        collect: Callable[[], Snapshot],
        failed_sign_ins: FailedSignIns,
        mail_worker: MailWorker | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._oldest_snapshot = oldest_snapshot
        self._token_uses = token_uses
        self._collect = collect
        self._failed_sign_ins = failed_sign_ins
        self._mail_worker = mail_worker
        self._tasks: list[asyncio.Task[None]] = []
        self._metrics_file: MetricsFile | None = None

    def start(self) -> None:
        """Start the tasks."""
        settings = self._settings
        self._tasks.append(asyncio.create_task(store_token_uses(self._database, self._token_uses)))
        self._tasks.append(asyncio.create_task(self._failed_sign_ins.run()))
        self._tasks.append(asyncio.create_task(continue_user_deletions(self._database)))
        self._tasks.append(asyncio.create_task(record_start(self._database, settings)))
        if settings.cleanup_cron is not None:
            self._start_cleanup(settings.cleanup_cron)
        if self._mail_worker is not None:
            self._tasks.append(asyncio.create_task(self._mail_worker.run()))
        if settings.metrics_folder is not None:
            self._metrics_file = MetricsFile(settings.metrics_folder, self._collect)
            self._tasks.append(asyncio.create_task(self._metrics_file.run()))
            self._tasks.append(asyncio.create_task(self._oldest_snapshot.watch()))
            if self._mail_worker is not None:
                self._tasks.append(asyncio.create_task(self._mail_worker.watch()))

    async def stop(self) -> None:
        """Cancel the tasks, add the last failed sign-ins to the audit log, and write the metrics for the last time."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)  # a flush that was cancelled keeps what it has
        await self._failed_sign_ins.try_to_flush()
        if self._metrics_file is not None:
            self._metrics_file.close()

    def _start_cleanup(self, schedule: str) -> None:
        cleanup = clean_up_by_schedule(
            self._database,
            schedule=schedule,
            event_retention=self._settings.event_retention,
            trash_retention=self._settings.trash_retention,
            audit_retention=self._settings.audit_retention,
            mail_retention=self._settings.mail_retention,
        )
        self._tasks.append(asyncio.create_task(cleanup))
