"""Checks of `read` and `fetch`: it ends, loses nothing, and resumes anywhere."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from l2c.contract.conformance.rig import Broken, NotApplicable, Trial
from l2c.contract.connector import Partitions
from l2c.contract.records import Record

Pages = list[tuple[list[Record], str | None]]


def pages(
    trial: Trial, since: str | None = None, partition: str | None = None
) -> Iterator[tuple[list[Record], str | None]]:
    """Pages as (records, cursor), cut off where there are more than there can be, so that every check ends."""
    rig = trial.rig
    found = trial.connector.read(
        rig.entity, since=since, partition=partition, page_size=rig.page_size, fields=rig.fields
    )
    for page in islice(found, _most_pages(trial) + 1):
        yield list(page.records), page.cursor


def _most_pages(trial: Trial) -> int:
    return 20 + 4 * len(trial.rig.native_keys())


def value_at(data: Any, path: str) -> Any:
    """The value at a dotted path of nested objects; None where a step is absent."""
    for name in path.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data


def keys_of(read: Pages) -> list[str]:
    """The keys of every record of these pages, in order."""
    return [record.key for records, _ in read for record in records]


def terminates(trial: Trial) -> None:
    """Reading everything ends, and pages carry no more records than asked for."""
    size, most = trial.rig.page_size, _most_pages(trial)
    for number, (records, _) in enumerate(pages(trial)):
        if len(records) > size:
            raise Broken(f"a page of {len(records)} records, {size} were asked for")
        if number >= most:
            raise Broken(f"still reading after {most} pages")


def never_repeats_a_page(trial: Trial) -> None:
    """No page shows only records that earlier pages of the same read showed."""
    seen: set[str] = set()
    for number, (records, _) in enumerate(pages(trial)):
        keys = [record.key for record in records]
        if keys and seen.issuperset(keys):
            raise Broken(f"page {number + 1} repeats {_some(keys)}")
        seen.update(keys)


def shows_every_record(trial: Trial) -> None:
    """A read from nothing shows each record the system holds."""
    shown = set(keys_of(list(pages(trial))))
    lost = sorted(set(trial.rig.native_keys()) - shown)
    if lost:
        raise Broken(f"not shown: {_some(lost)}")


def in_change_order(trial: Trial) -> None:
    """What changed after a cursor comes in the order of its change stamps, oldest first; a first load may go by key."""
    if trial.schema.delta not in {"stamp", "day"}:
        raise NotApplicable(f"delta is '{trial.schema.delta}'")
    cursor = list(pages(trial))[-1][1]
    changed = sorted(trial.rig.native_keys(), reverse=True)[: trial.rig.page_size + 1]
    for key in changed:
        trial.rig.touch(key)
    newest: datetime | None = None
    stamped: dict[str, datetime] = {}
    for records, _ in pages(trial, since=cursor):
        for record in records:
            stamp = record.changed_at
            if stamp is None or stamped.get(record.key) == stamp:
                continue  # never changed since it was created, or a repeat, which is another check's matter
            if stamp.tzinfo is None:
                raise Broken(f"the change stamp of record '{record.key}' has no time zone")
            if newest is not None and stamp < newest:
                raise Broken(f"record '{record.key}' of {stamp} comes after one of {newest}")
            newest = stamped[record.key] = stamp
    silent = [key for key in changed if key not in stamped]
    if silent:
        raise Broken(f"changed after the cursor and not shown with a change stamp: {_some(silent)}")


def resumes_anywhere(trial: Trial) -> None:
    """Resuming at any page's cursor shows at least what the pages after it showed."""
    if trial.schema.delta == "none":
        raise NotApplicable("delta is 'none'")
    whole = list(pages(trial))
    if whole[-1][1] is None:
        raise Broken("the last page gives no cursor, so every later read starts again from nothing")
    for number, (_, cursor) in enumerate(whole):
        if cursor is None:
            continue
        rest = set(keys_of(whole[number + 1 :])) - set(keys_of(whole[: number + 1]))
        lost = sorted(rest - set(keys_of(list(pages(trial, since=cursor)))))
        if lost:
            raise Broken(f"resumed after page {number + 1}, lost {_some(lost)}")


def sees_changes_made_meanwhile(trial: Trial) -> None:
    """What users change and add while a read runs, or is broken off and resumed, is shown when the next read ends."""
    if trial.schema.delta == "none":
        raise NotApplicable("delta is 'none'")
    for broken_off in (False, True):
        shown: dict[str, Any] = {}
        worked_on: Sequence[str] = ()
        cursor: str | None = None
        for number, (records, resume) in enumerate(pages(trial)):
            cursor = _note(trial, shown, records, resume, cursor)
            if number == 1:
                worked_on = _work(trial, shown, records[0].key)
                if broken_off:
                    break
        for _ in range(2 if broken_off else 1):
            for records, resume in pages(trial, since=cursor):
                cursor = _note(trial, shown, records, resume, cursor)
        stale = [key for key in worked_on if shown.get(key) != trial.rig.label_of(key)]
        if stale:
            what = "broken off and resumed" if broken_off else "with changes"
            raise Broken(f"after a read {what} and the next one, not up to date: {_some(stale)}")


def _work(trial: Trial, shown: dict[str, Any], just_read: str) -> Sequence[str]:
    unread = sorted(set(trial.rig.native_keys()) - set(shown))
    touched = [next(iter(shown)), just_read, *unread[:1]]
    for key in touched:
        trial.rig.touch(key)
    return [*touched, trial.rig.add()]


def _note(
    trial: Trial, shown: dict[str, Any], records: list[Record], resume: str | None, cursor: str | None
) -> str | None:
    for record in records:
        shown[record.key] = value_at(record.data, trial.rig.label)
    return resume or cursor


def partitions_cover(trial: Trial) -> None:
    """Partitions show every record, each in one partition only."""
    if not isinstance(trial.connector, Partitions):
        raise NotApplicable("offers no partitions")
    seen: dict[str, str] = {}
    for partition in trial.connector.partitions(trial.rig.entity, 3):
        for key in keys_of(list(pages(trial, partition=partition))):
            if seen.setdefault(key, partition) != partition:
                raise Broken(f"record '{key}' is in two partitions, '{seen[key]}' and '{partition}'")
    lost = sorted(set(trial.rig.native_keys()) - set(seen))
    if lost:
        raise Broken(f"in no partition: {_some(lost)}")


def plain_values(trial: Trial) -> None:
    """Data hold text, Decimal, whole numbers, booleans, None, dicts and lists: no float, no wrapper of the wire format."""
    for records, _ in pages(trial):
        for record in records:
            _plain(record.key, record.data)


def _plain(key: str, value: Any, path: str = "") -> None:
    if isinstance(value, float):
        raise Broken(f"record '{key}': '{path}' is a float")
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in {"__metadata", "__deferred"} or (name == "results" and len(value) == 1):
                raise Broken(f"record '{key}': '{path}' still has the wrapper '{name}'")
            _plain(key, inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            _plain(key, inner, path)


def fetch_says_what_is_gone(trial: Trial) -> None:
    """Fetch shows the records of these keys, and the one that is not there as deleted."""
    rig = trial.rig
    there = sorted(rig.native_keys())[:2]
    found = {
        record.key: record for record in trial.connector.fetch(rig.entity, [*there, rig.missing], fields=rig.fields)
    }
    for key in there:
        record = found.get(key)
        if record is None or record.deleted:
            raise Broken(f"record '{key}' is there and was not fetched")
        if value_at(record.data, rig.label) != rig.label_of(key):
            raise Broken(f"record '{key}' was fetched with another '{rig.label}' than the system shows")
    gone = found.get(rig.missing)
    if gone is None or not gone.deleted:
        raise Broken(f"key '{rig.missing}' is not there and was not fetched as deleted")
    if len(found) != len(there) + 1:
        raise Broken(f"{len(found)} records fetched for {len(there) + 1} keys")


def _some(keys: list[str]) -> str:
    shown = ", ".join(f"'{key}'" for key in keys[:5])
    return f"{shown} and {len(keys) - 5} more" if len(keys) > 5 else shown
