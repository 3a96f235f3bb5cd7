"""Schedules of flows as Airflow's timetables."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    DeltaTriggerTimetable,
    MultipleCronTriggerTimetable,
)
from croniter import croniter  # type: ignore[import-untyped]  # comes with airflow

from l2c.config import Schedule

SAFETY_NET = "*/10 * * * *"


def timetable(schedule: Schedule, zone: str) -> Any:
    """The timetable of one schedule; cron texts are read in `zone`."""
    if schedule.every is not None:
        return DeltaTriggerTimetable(schedule.every)
    return CronTriggerTimetable(schedule.cron, timezone=zone)


def common_timetable(schedules: Iterable[Schedule], zone: str) -> Any:
    """One timetable for several schedules: the shortest distance if any has one, else every cron."""
    distances: list[timedelta] = []
    crons: set[str] = set()
    for schedule in schedules:
        if schedule.every is not None:
            distances.append(schedule.every)
        elif schedule.cron is not None:
            crons.add(schedule.cron)
    if distances:
        return DeltaTriggerTimetable(min(distances))
    return MultipleCronTriggerTimetable(*sorted(crons), timezone=zone)


def due(crons: Mapping[str, str | None], zone: str, *, since: datetime | None, until: datetime) -> list[str]:
    """The names whose cron came round after `since` and not after `until`; one without a cron is always due.

    Counting from the last run, not just at its minute, keeps a tick that fell while a run was under way.
    """
    if since is None:
        return list(crons)
    begin, end = (moment.astimezone(ZoneInfo(zone)) for moment in (since, until))
    return [name for name, cron in crons.items() if cron is None or croniter(cron, begin).get_next(datetime) <= end]


def bell_or_time(bell: Asset, schedule: Schedule | None, zone: str) -> Any:
    """Runs when the bell rings, and by time as safety net: a bell can be lost while a run is under way."""
    by_time = timetable(schedule, zone) if schedule else CronTriggerTimetable(SAFETY_NET, timezone="UTC")
    return AssetOrTimeSchedule(timetable=by_time, assets=[bell])
