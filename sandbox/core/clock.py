"""The clock of one simulated system: real time plus an offset that can be moved."""

from datetime import UTC, datetime, timedelta

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Clock:
    """Current time of the system in UTC; `offset_s` is in seconds and may be negative."""

    def __init__(self, offset_s: float = 0.0) -> None:
        self.offset_s = offset_s

    def now(self) -> datetime:
        """Now, as the system believes."""
        return datetime.now(UTC) + timedelta(seconds=self.offset_s)

    def http_date(self) -> str:
        """Now in the form of a `Date` header."""
        now = self.now()
        day, month = WEEKDAYS[now.weekday()], MONTHS[now.month - 1]
        return f"{day}, {now.day:02d} {month} {now.year} {now:%H:%M:%S} GMT"
