"""Which of several watches are due."""

from datetime import UTC, datetime

import pytest

CRONS = {"parts": "5 * * * *", "texts": "35 * * * *", "always": None}


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{text}:00").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "names"),
    [
        ("07:35", "08:05", ["parts", "always"]),
        ("08:05", "08:35", ["texts", "always"]),
        ("08:05", "08:34", ["always"]),
        ("07:05", "08:05", ["parts", "texts", "always"]),
    ],
)
def test_a_watch_is_due_when_its_time_came_since_the_last_run(since: str, until: str, names: list[str]) -> None:
    from l2c.airflow.schedules import due

    assert due(CRONS, "UTC", since=at(since), until=at(until)) == names


def test_the_first_run_watches_everything() -> None:
    from l2c.airflow.schedules import due

    assert due(CRONS, "UTC", since=None, until=at("08:00")) == ["parts", "texts", "always"]


def test_times_are_those_of_the_flows_time_zone() -> None:
    from l2c.airflow.schedules import due

    daily = {"parts": "0 9 * * *"}
    assert due(daily, "Europe/Berlin", since=at("07:30"), until=at("08:00")) == ["parts"]
    assert due(daily, "UTC", since=at("07:30"), until=at("08:00")) == []
