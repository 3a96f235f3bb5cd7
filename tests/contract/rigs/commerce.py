"""The simulated shop as a rig, once for each entity."""

from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from pydantic import BaseModel, SecretStr

from connectors.commerce import CommerceSettings
from l2c.contract import Change, Connection, Record, System
from l2c.contract.conformance import Fault, Operation
from tests.contract.rigs.sandbox import WAIT_S, Sandbox, started

CLIENT, SECRET, WRONG = "l2c-hub", "secret-of-the-client-of-the-shop", "a-wrong-secret"
COUNTRIES = ("DE", "AT", "CH", "US", "JP")


@dataclass(frozen=True)
class Sort:
    """One entity of the shop: fields to ask for, and by a mark a record's payload, what the shop refuses in it, its key."""

    entity: str
    fields: Collection[str]
    missing: str
    payload: Callable[[str], dict[str, Any]]
    refused: Callable[[str], dict[str, Any]]
    key: Callable[[str], str]


def address(mark: str, country: str = "DE") -> dict[str, Any]:
    return {"publicKey": f"{mark}|1", "duplicate": False, "town": "Köln", "country": {"isocode": country}}


SORTS = {
    "": Sort(
        "B2BUnit",
        ("uid", "name", "active", "modifiedtime", "addresses.town", "addresses.country.isocode"),
        "no such unit",
        lambda mark: {"uid": mark, "addresses": [address(mark)]},
        lambda mark: {"addresses": [address(mark, "XX")]},
        lambda mark: mark,
    ),
    "contacts": Sort(
        "B2BCustomer",
        ("customerID", "uid", "integrationKey", "name", "defaultB2BUnit.uid", "title.code", "addresses.phone1"),
        "4711|no such contact",
        lambda mark: {
            "customerID": mark,
            "uid": f"{mark}@example.com",
            "email": f"{mark}@example.com",
            "title": {"code": "ms"},
            "addresses": [{"publicKey": f"{mark}|1", "phone1": "+49 221 1234"}],
        },
        lambda mark: {"title": {"code": "no such title"}},
        lambda mark: f"{mark}|{mark}@example.com",
    ),
    "consumers": Sort(
        "Customer",
        ("uid", "name", "loginDisabled", "sessionLanguage.isocode", "addresses.town", "addresses.country.isocode"),
        "no-such-consumer@example.com",
        lambda mark: {"uid": f"{mark}@example.com", "addresses": [address(mark)]},
        lambda mark: {"addresses": [address(mark, "XX")]},
        lambda mark: f"{mark}@example.com",
    ),
}


@dataclass
class CommerceRig:
    """Records with one address each."""

    sandbox: Sandbox
    sort: Sort
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    label: str = "name"
    page_size: int = 5
    secrets: Collection[str] = (
        SECRET,
        WRONG,
        b64encode(f"{CLIENT}:{SECRET}".encode()).decode(),
        "Bearer ",
    )
    waivers: Mapping[str, str] = field(
        default_factory=lambda: {
            "send.moved_target_is_a_conflict": "the Integration API knows no ETag and no condition on a write",
        }
    )

    def __post_init__(self) -> None:
        self.entity, self.fields, self.missing = self.sort.entity, self.sort.fields, self.sort.missing

    def system(self, *, good_credentials: bool = True) -> System:
        secret = SecretStr(SECRET if good_credentials else WRONG)
        return System("shop", Connection(self.sandbox.url, CLIENT, secret))

    def settings(self) -> BaseModel:
        return CommerceSettings(silence_s=WAIT_S, deadline_s=2 * WAIT_S, attempts=2)

    def native_keys(self) -> Collection[str]:
        return [key.replace("/", "|") for key in self.sandbox.records(self.entity)]

    def label_of(self, key: str) -> str | None:
        if key.count("|") != self.missing.count("|"):
            return None
        found = self.sandbox.ask("record", entity=self.entity, key=key.replace("|", "/"))
        return found["name"] if found else None

    def touch(self, key: str) -> None:
        values = {"name": f"touched {next(self.numbers)}"}
        self.sandbox.tell("change", entity=self.entity, key=key.replace("|", "/"), set=values)

    def add(self) -> str:
        number = next(self.numbers)
        values = {**self.sort.payload(f"u{number:04}"), "name": f"user's {number}"}
        places = [{**one, "country": COUNTRIES[number % len(COUNTRIES)]} for one in values["addresses"]]
        plain = {name: value["code"] if isinstance(value, dict) else value for name, value in values.items()}
        key: str = self.sandbox.tell("create", entity=self.entity, set={**plain, "addresses": places})["key"]
        return key.replace("/", "|")

    def new(self, label: str) -> Change:
        return self._create(f"n{next(self.numbers):04}", name=label)

    def bad(self) -> Change:
        mark = f"b{next(self.numbers):04}"
        return self._create(mark, **self.sort.refused(mark))

    def _create(self, mark: str, **more: Any) -> Change:
        key = self.sort.key(mark)
        return Change(Record(key, {**self.sort.payload(mark), **more}), mark=key)

    def edit(self, record: Record, label: str) -> Change:
        return Change(Record(record.key, {"name": label}), before={"name": record.data["name"]}, etag=record.etag)

    def fault(self, fault: Fault, operation: Operation) -> None:
        self.sandbox.arm(fault, operation)

    def heal(self) -> None:
        self.sandbox.disarm()


@contextmanager
def rig(sort: Sort) -> Iterator[CommerceRig]:
    """A shop with 23 records of one entity."""
    options = ("--client-id", CLIENT, "--client-secret", SECRET)
    with started("commerce", *options, service="^/odata2webservices/") as sandbox:
        made = CommerceRig(sandbox, sort)
        for _ in range(23):
            made.add()
        yield made


RIGS: Mapping[str, partial[AbstractContextManager[CommerceRig]]] = {
    name: partial(rig, sort) for name, sort in SORTS.items()
}
