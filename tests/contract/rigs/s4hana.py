"""The simulated S/4HANA as a rig, in both profiles."""

from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from pydantic import BaseModel, SecretStr

from connectors.s4hana import S4HanaConnector
from l2c.contract import Change, Connection, Record, System
from l2c.contract.conformance import Fault, Operation
from tests.contract.rigs.sandbox import WAIT_S, Sandbox, started

USER, SECRET, WRONG = "HUB_USER", "secret-of-the-communication-user", "a-wrong-secret"
PARTNER = "A_BusinessPartner"
NAME = "OrganizationBPName1"


@dataclass
class S4Rig:
    """Organizations with one address each."""

    sandbox: Sandbox
    profile: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    entity: str = PARTNER
    label: str = NAME
    page_size: int = 5
    fields: Collection[str] = (
        "BusinessPartner",
        NAME,
        "LastChangeDate",
        "LastChangeTime",
        "to_BusinessPartnerAddress.CityName",
        "to_BusinessPartnerAddress.to_EmailAddress.EmailAddress",
        "to_BusinessPartnerRole.BusinessPartnerRole",
    )
    missing: str = "9999999999"
    secrets: Collection[str] = (SECRET, WRONG, b64encode(f"{USER}:{SECRET}".encode()).decode())
    waivers: Mapping[str, str] = field(default_factory=dict)

    def system(self, *, good_credentials: bool = True) -> System:
        secret = SecretStr(SECRET if good_credentials else WRONG)
        return System("erp", Connection(self.sandbox.url, USER, secret), profile=self.profile)

    def settings(self) -> BaseModel:
        # what is written by replication messages is confirmed later: those have tests of their own
        options: dict[str, Any] = {"deadline_s": WAIT_S, "partner_grouping": "BP02", "write_by": "odata"}
        return S4HanaConnector.Settings(**options, client="100" if self.profile == "onpremise" else None)

    def native_keys(self) -> Collection[str]:
        return self.sandbox.records(PARTNER).keys()

    def label_of(self, key: str) -> str | None:
        found = self.sandbox.ask("record", entity=PARTNER, key=key)
        return found[NAME] if found else None

    def touch(self, key: str) -> None:
        self.sandbox.tell("change", entity=PARTNER, key=key, set={NAME: f"touched {next(self.numbers)}"})

    def add(self) -> str:
        key: str = self.sandbox.tell("create", entity=PARTNER, set=self.organization(f"org {next(self.numbers)}"))[
            "key"
        ]
        return key

    def organization(self, name: str, country: str = "DE") -> dict[str, Any]:
        address = {"Country": country, "CityName": "Ulm", "PostalCode": "89073", "Language": "DE"}
        basic = {"BusinessPartnerCategory": "2", "BusinessPartnerGrouping": "BP02", NAME: name}
        roles = [{"BusinessPartnerRole": "FLCU00"}]
        return {**basic, "to_BusinessPartnerAddress": [address], "to_BusinessPartnerRole": roles}

    def new(self, label: str) -> Change:
        return Change(Record("", self.organization(label)), mark=f"MARK-{next(self.numbers)}")

    def bad(self) -> Change:
        return Change(Record("", self.organization("bad", country="ZZ")), mark=f"MARK-{next(self.numbers)}")

    def edit(self, record: Record, label: str) -> Change:
        return Change(Record(record.key, {NAME: label}), before={NAME: record.data[NAME]}, etag=record.etag)

    def fault(self, fault: Fault, operation: Operation) -> None:
        self.sandbox.arm(fault, operation)

    def heal(self) -> None:
        self.sandbox.disarm()


@contextmanager
def rig(profile: str) -> Iterator[S4Rig]:
    """A system with 23 partners."""
    options = ("--partners", "0", "--profile", profile, "--user", USER, "--password", SECRET)
    with started("s4hana", *options, service="^/sap/opu/") as sandbox:
        made = S4Rig(sandbox, profile)
        for _ in range(23):
            made.add()
        yield made


RIGS: Mapping[str, partial[AbstractContextManager[S4Rig]]] = {
    profile: partial(rig, profile) for profile in ("cloud", "onpremise")
}
