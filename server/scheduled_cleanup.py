"""Removes expired rows on a schedule, in one process at a time."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from cronsim import CronSim, CronSimError

from domain.errors import Unavailable
from persistence.database import Database
from services.cleanup import ClocksDiffer, clean_up

log: Final = logging.getLogger("taskriver.maintenance")


def check_schedule(schedule: str) -> None:
    """Check a schedule: cron's five fields, or six with seconds, with at least one future time.

    Raises:
        ValueError: it is invalid.
    """
    try:
        next(CronSim(schedule, datetime.now(UTC)))
    except (CronSimError, StopIteration) as error:
        raise ValueError(f"{schedule!r} is not a valid cron expression.") from error


async def clean_up_by_schedule(
    database: Database,
    *,
    schedule: str,
    event_retention: timedelta,
    trash_retention: timedelta,
    audit_retention: timedelta,
    mail_retention: timedelta,
) -> None:
    """Clean up at each time of the schedule (cron, in UTC). Runs until cancelled; failures are logged."""
    for instant in CronSim(schedule, datetime.now(UTC)):
        await asyncio.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds()))
        try:
            uow = database.unit_of_work(None)
            removed = await clean_up(
                uow,
                event_retention=event_retention,
                trash_retention=trash_retention,
                audit_retention=audit_retention,
                mail_retention=mail_retention,
            )
        except ClocksDiffer as error:
            log.error("the clean-up was skipped. %s", error)
        except Unavailable as error:
            log.warning("the clean-up failed; the next one runs as scheduled. %s", error)
        except Exception:
            log.exception("the clean-up failed; the next one runs as scheduled")
        else:
            log.info("clean-up: %s", removed or "another process is cleaning up")
