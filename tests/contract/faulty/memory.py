"""A system in memory, a correct connector for it, and its rig: the ground the faulty connectors stand on."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from l2c.contract import (
    Change,
    Connection,
    EntitySchema,
    FieldSchema,
    Health,
    Outcome,
    Page,
    Prepared,
    Record,
    Request,
    Status,
    System,
)
from l2c.contract.conformance import Fault, Operation
from l2c.errors import AuthError, ConfigError, TransientError

ENTITY = "Customer"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "a secret of the memory system"
WRONG = "a wrong secret of the memory system"


@dataclass
class Store:
    """Rows by key; each change gets the next tick, which is its stamp and its ETag."""

    rows: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    tick: int = 0
    fault: tuple[Fault, Operation] | None = None

    def put(self, key: str, data: Mapping[str, Any]) -> None:
        self.tick += 1
        self.rows[key] = (self.tick, {**self.rows.get(key, (0, {}))[1], **data})

    def create(self, data: Mapping[str, Any]) -> str:
        key = f"C{len(self.rows) + 1:04}"
        self.put(key, {"address": {"city": "Ulm"}, "limits": [{"amount": "10.50"}], **data, "number": key})
        return key

    def after(self, tick: int) -> list[tuple[int, str, dict[str, Any]]]:
        return sorted((stamp, key, data) for key, (stamp, data) in self.rows.items() if stamp > tick)


class MemorySettings(BaseModel):
    """Where the rows are."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    store: Any


class MemoryConnector:
    """A correct connector: keyset reads, ETags, marks."""

    Settings = MemorySettings

    def __init__(self, system: System, settings: BaseModel) -> None:
        assert isinstance(settings, MemorySettings)
        self.store: Store = settings.store
        self.secret = system.connection.secret.get_secret_value() if system.connection.secret else ""

    def check(self) -> Health:
        try:
            self.call(Operation.READ)
        except (AuthError, TransientError) as error:
            return Health(ok=False, message=str(error))
        return Health(ok=True, message="well")

    def describe(self, entity: str) -> EntitySchema:
        self.known(entity)
        names = ("number", "name", "mark", "address", "address.city", "limits", "limits.amount")
        return EntitySchema(
            "number", {name: FieldSchema("text") for name in names}, delta="stamp", safe_by="lookup", batch=10
        )

    def read(
        self,
        entity: str,
        *,
        since: str | None,
        until: str | None = None,
        partition: str | None = None,
        page_size: int,
        fields: Collection[str] = (),
    ) -> Iterator[Page]:
        self.known(entity)
        tick = json.loads(since) if since else 0
        while True:
            self.call(Operation.READ)
            rows = [row for row in self.store.after(tick) if partition in (None, row[1][-1])][:page_size]
            tick = rows[-1][0] if rows else tick
            yield Page([self.record(*row) for row in rows], json.dumps(tick))
            if len(rows) < page_size:
                return

    def fetch(self, entity: str, keys: Sequence[str], *, fields: Collection[str] = ()) -> Iterator[Record]:
        self.known(entity)
        self.call(Operation.READ)
        for key in keys:
            row = self.store.rows.get(key)
            yield self.record(row[0], key, row[1]) if row else Record(key, {}, deleted=True)

    def partitions(self, entity: str, n: int) -> Sequence[str]:
        return list("0123456789")

    def prepare(self, entity: str, changes: Sequence[Change]) -> Sequence[Prepared]:
        self.known(entity)
        return [Prepared(change, [Request("PUT", change.record.key)]) for change in changes]

    def send(self, prepared: Sequence[Prepared]) -> Sequence[Outcome]:
        self.call(Operation.WRITE)
        if self.store.fault in {(Fault.LOST, Operation.WRITE), (Fault.TIMEOUT, Operation.WRITE)}:
            for one in prepared:
                self.apply(one.change)
            return [self.lost(one.change) for one in prepared]
        return [self.apply(one.change) for one in prepared]

    def find(self, entity: str, marks: Sequence[str]) -> Mapping[str, Sequence[str]]:
        self.call(Operation.READ)
        return {mark: [key for key, (_, data) in self.store.rows.items() if data.get("mark") == mark] for mark in marks}

    def close(self) -> None:
        self.secret = ""

    def known(self, entity: str) -> None:
        if entity != ENTITY:
            raise ConfigError(self.unknown(entity))

    def unknown(self, entity: str) -> str:
        return f"unknown entity '{entity}'; did you mean '{ENTITY}'?"

    def refused(self) -> AuthError:
        return AuthError("credentials refused")

    def away(self, fault: Fault, operation: Operation) -> Exception:
        return TransientError(f"{fault}", retry_after=7.0 if fault is Fault.BUSY else None)

    def lost(self, change: Change) -> Outcome:
        return Outcome(Status.UNKNOWN)

    def call(self, operation: Operation) -> None:
        """What every request meets: the login, and the fault in force."""
        if self.secret != SECRET:
            raise self.refused()
        fault, on = self.store.fault or (Fault.LOST, None)
        acts = fault is Fault.LOST or (fault is Fault.TIMEOUT and operation is Operation.WRITE)
        if on is operation and not acts:
            raise self.away(fault, operation)

    def apply(self, change: Change) -> Outcome:
        data = {**change.record.data, **({"mark": change.mark} if change.mark else {})}
        if not data.get("name"):
            return self.refuse(change)
        if not change.record.key:
            return Outcome(Status.CREATED, self.store.create(data))
        stamp = self.store.rows[change.record.key][0]
        if change.etag and change.etag != str(stamp):
            return Outcome(Status.CONFLICT, change.record.key)
        self.store.put(change.record.key, data)
        return Outcome(Status.UPDATED, change.record.key)

    def refuse(self, change: Change) -> Outcome:
        return Outcome(Status.REJECTED, code="no_name", message="a customer needs a name")

    def record(self, stamp: int, key: str, data: dict[str, Any]) -> Record:
        return Record(key, dict(data), EPOCH + timedelta(seconds=stamp), etag=str(stamp))


@dataclass
class MemoryRig:
    """The strings to pull on the store."""

    store: Store = field(default_factory=Store)
    waivers: Mapping[str, str] = field(default_factory=dict)
    entity: str = ENTITY
    label: str = "name"
    page_size: int = 5
    fields: Collection[str] = ("number", "name")
    missing: str = "C9999"
    secrets: Collection[str] = (SECRET, WRONG)
    made: int = 0

    def __post_init__(self) -> None:
        for number in range(23):
            self.store.create({"name": f"customer {number}"})

    def system(self, *, good_credentials: bool = True) -> System:
        secret = SecretStr(SECRET if good_credentials else WRONG)
        return System("memory", Connection("memory:", secret=secret))

    def settings(self) -> BaseModel:
        return MemorySettings(store=self.store)

    def native_keys(self) -> Collection[str]:
        return self.store.rows.keys()

    def label_of(self, key: str) -> str | None:
        return self.store.rows[key][1].get("name") if key in self.store.rows else None

    def touch(self, key: str) -> None:
        self.store.put(key, {"name": f"touched at {self.store.tick}"})

    def add(self) -> str:
        return self.store.create({"name": f"added at {self.store.tick}"})

    def new(self, label: str) -> Change:
        self.made += 1
        return Change(Record("", {"name": label}), mark=f"mark {self.made}")

    def bad(self) -> Change:
        return replace(self.new("bad"), record=Record("", {"name": ""}))

    def edit(self, record: Record, label: str) -> Change:
        return Change(Record(record.key, {"name": label}), before={"name": record.data["name"]}, etag=record.etag)

    def fault(self, fault: Fault, operation: Operation) -> None:
        self.store.fault = (fault, operation)

    def heal(self) -> None:
        self.store.fault = None
