"""The `$filter` texts of a read: change stamps, keys, and lists of keys."""

from collections.abc import Mapping, Sequence

from connectors.s4hana.cursor import Local, Stamp
from l2c.http import after, all_of, literal

DAY, TIME, KEY = "LastChangeDate", "LastChangeTime", "BusinessPartner"
STAMP_ORDER = (DAY, TIME, KEY)


def _day(text: str) -> str:
    return literal(text, "Edm.DateTime")


def _time(text: str) -> str:
    return literal(text, "Edm.Time")


def changed_from(start: Local, *, day: str = DAY, time: str = TIME) -> str:
    """Stamped at `start` or later; a stamp is two fields, so the day alone would give the whole day again."""
    return f"{day} gt {_day(start.day)} or ({day} eq {_day(start.day)} and {time} ge {_time(start.time)})"


def changed_until(end: Local) -> str:
    """Stamped at `end` or earlier."""
    return f"{DAY} lt {_day(end.day)} or ({DAY} eq {_day(end.day)} and {TIME} le {_time(end.time)})"


def behind_stamp(stamp: Stamp) -> str:
    """Strictly behind a position in stamp order; more partners of one stamp than a page holds still advance."""
    return after([(DAY, _day(stamp.day)), (TIME, _time(stamp.time)), (KEY, literal(stamp.key))])


def created_unstamped(start: Local, bare: str | None) -> str:
    """Created at `start` or later and never changed since: SAP leaves the change stamp of such a partner empty."""
    created = changed_from(start, day="CreationDate", time="CreationTime")
    conditions = [f"{DAY} eq null", created]
    if bare is not None:
        conditions.append(f"{KEY} gt {literal(bare)}")
    return all_of(conditions)


def behind_key(keys: Sequence[str], literals: Sequence[str]) -> str:
    """Strictly behind a key, given as literals, in key order."""
    return after(list(zip(keys, literals, strict=True)))


def key_range(above: str | None, to: str | None) -> list[str]:
    """The conditions of a partition."""
    conditions = [] if above is None else [f"{KEY} gt {literal(above)}"]
    return conditions if to is None else [*conditions, f"{KEY} le {literal(to)}"]


def one_of(keys: Sequence[str], values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The condition for each key text, by its values."""
    return {
        text: " and ".join(f"{name} eq {literal(value)}" for name, value in zip(keys, parts, strict=True))
        for text, parts in values.items()
    }
