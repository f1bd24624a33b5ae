"""Removing what has had its time, by the clock; in one process at a time, however many there are."""

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
    """Refuse what is no schedule (cron's five fields, or six with seconds), or one that never comes.

    Raises:
        ValueError: it is none.
    """
    try:
        next(CronSim(schedule, datetime.now(UTC)))
    except (CronSimError, StopIteration) as error:
        raise ValueError(f"{schedule!r} is not a schedule in cron's format.") from error


async def clean_up_by_schedule(database: Database, *, schedule: str, event_retention: timedelta) -> None:
    """Clean up whenever the schedule (cron, in UTC) says so; never returns, and never fails for good."""
    for instant in CronSim(schedule, datetime.now(UTC)):
        await asyncio.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds()))
        try:
            removed = await clean_up(database.unit_of_work(None), event_retention=event_retention)
        except ClocksDiffer as error:
            log.error("the clean-up was skipped. %s", error)
        except Unavailable as error:
            log.warning("the clean-up failed, the next one is due as scheduled. %s", error)
        except Exception:
            log.exception("the clean-up failed; the next one is due as scheduled")
        else:
            log.info("clean-up: %s", removed or "another process is at it")
