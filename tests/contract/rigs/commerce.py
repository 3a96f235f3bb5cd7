"""The simulated shop as a rig."""

from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from pydantic import BaseModel, SecretStr

from connectors.commerce import CommerceSettings
from l2c.contract import Change, Connection, Record, System
from l2c.contract.conformance import Fault, Operation
from tests.contract.rigs.sandbox import WAIT_S, Sandbox, started

CLIENT, SECRET, WRONG = "l2c-hub", "secret-of-the-client-of-the-shop", "a-wrong-secret"
COUNTRIES = ("DE", "AT", "CH", "US", "JP")


@dataclass
class CommerceRig:
    """Units with one address each."""

    sandbox: Sandbox
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    entity: str = "B2BUnit"
    label: str = "name"
    page_size: int = 5
    fields: Collection[str] = ("uid", "name", "active", "modifiedtime", "addresses.town", "addresses.country.isocode")
    missing: str = "no such unit"
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

    def system(self, *, good_credentials: bool = True) -> System:
        secret = SecretStr(SECRET if good_credentials else WRONG)
        return System("shop", Connection(self.sandbox.url, CLIENT, secret))

    def settings(self) -> BaseModel:
        return CommerceSettings(silence_s=WAIT_S, deadline_s=2 * WAIT_S, attempts=2)

    def native_keys(self) -> Collection[str]:
        return self.sandbox.records("B2BUnit").keys()

    def label_of(self, key: str) -> str | None:
        found = self.sandbox.ask("record", entity="B2BUnit", key=key)
        return found["name"] if found else None

    def touch(self, key: str) -> None:
        self.sandbox.tell("change", entity="B2BUnit", key=key, set={"name": f"touched {next(self.numbers)}"})

    def add(self) -> str:
        number = next(self.numbers)
        address = {"publicKey": f"A{number:04}|1", "town": "Ulm", "country": COUNTRIES[number % len(COUNTRIES)]}
        values = {"uid": f"U{number:04}", "name": f"unit {number}", "addresses": [address]}
        key: str = self.sandbox.tell("create", entity="B2BUnit", set=values)["key"]
        return key

    def new(self, label: str) -> Change:
        key = f"N{next(self.numbers):04}"
        address = {"publicKey": f"{key}|1", "duplicate": False, "town": "Köln", "country": {"isocode": "DE"}}
        return Change(Record(key, {"uid": key, "name": label, "addresses": [address]}), mark=key)

    def bad(self) -> Change:
        key = f"B{next(self.numbers):04}"
        address = {"publicKey": f"{key}|1", "duplicate": False, "country": {"isocode": "XX"}}
        return Change(Record(key, {"uid": key, "name": "bad", "addresses": [address]}), mark=key)

    def edit(self, record: Record, label: str) -> Change:
        return Change(Record(record.key, {"name": label}), before={"name": record.data["name"]}, etag=record.etag)

    def fault(self, fault: Fault, operation: Operation) -> None:
        self.sandbox.arm(fault, operation)

    def heal(self) -> None:
        self.sandbox.disarm()


@contextmanager
def rig() -> Iterator[CommerceRig]:
    """A shop with 23 units."""
    options = ("--client-id", CLIENT, "--client-secret", SECRET)
    with started("commerce", *options, service="^/odata2webservices/") as sandbox:
        made = CommerceRig(sandbox)
        for _ in range(23):
            made.add()
        yield made


RIGS = {"": rig}
