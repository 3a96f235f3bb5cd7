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


CONTACT = "A_BusinessPartnerContact"
LOST_PERSON = {
    "send.lost_answer_is_looked_up": "the answer lost is that of the person, which is no contact yet: the mark finds it at the"
    " next try; tests/contract/test_s4hana_contacts.py loses the answers of both steps"
}


@dataclass
class ContactRig(S4Rig):
    """Contact persons of one company; their label is the person's last name."""

    entity: str = CONTACT
    label: str = "Person.LastName"
    fields: Collection[str] = (
        "BusinessPartnerCompany",
        "ValidityStartDate",
        "Person.LastName",
        "Person.LastChangeDate",
        "to_ContactRelationship.EmailAddress",
    )
    missing: str = "4711/4712/4713"
    waivers: Mapping[str, str] = field(default_factory=lambda: LOST_PERSON)
    company: str = ""

    def native_keys(self) -> Collection[str]:
        return {self.contact(key) for key in self.sandbox.records(CONTACT)}

    @staticmethod
    def contact(key: str) -> str:
        """The contact's key in that of its period, which ends with a day."""
        return key.rpartition("/")[0]

    def label_of(self, key: str) -> str | None:
        if key not in self.native_keys():
            return None
        found = self.sandbox.ask("record", entity=PARTNER, key=key.rpartition("/")[2])
        return found["LastName"] if found else None

    def touch(self, key: str) -> None:
        person = key.rpartition("/")[2]
        self.sandbox.tell("change", entity=PARTNER, key=person, set={"LastName": f"touched {next(self.numbers)}"})

    def add(self) -> str:
        person = {
            "BusinessPartnerCategory": "1",
            "BusinessPartnerGrouping": "BP02",
            "LastName": f"person {next(self.numbers)}",
        }
        number = self.sandbox.tell("create", entity=PARTNER, set=person)["key"]
        values = {
            "BusinessPartnerCompany": self.company,
            "BusinessPartnerPerson": number,
            "to_ContactRelationship": {"ContactPersonFunction": "0001"},
        }
        return self.contact(self.sandbox.tell("create", entity=CONTACT, set=values)["key"])

    def new(self, label: str) -> Change:
        data = {"BusinessPartnerCompany": self.company, "Person": {"LastName": label}}
        return Change(Record("", data), mark=f"MARK-{next(self.numbers)}")

    def bad(self) -> Change:
        data = {"BusinessPartnerCompany": self.company, "Person": {"LastName": "bad", "CorrespondenceLanguage": "1X"}}
        return Change(Record("", data), mark=f"MARK-{next(self.numbers)}")

    def edit(self, record: Record, label: str) -> Change:
        before = {"Person": {"LastName": record.data["Person"]["LastName"]}}
        return Change(Record(record.key, {"Person": {"LastName": label}}), before=before, etag=record.etag)


@contextmanager
def rig(profile: str, kind: type[S4Rig] = S4Rig) -> Iterator[S4Rig]:
    """A system with 23 partners, or 23 contacts of a company."""
    options = ("--partners", "0", "--profile", profile, "--user", USER, "--password", SECRET)
    with started("s4hana", *options, service="^/sap/opu/") as sandbox:
        made = kind(sandbox, profile)
        if isinstance(made, ContactRig):
            made.company = S4Rig(sandbox, profile).add()
        for _ in range(23):
            made.add()
        yield made


RIGS: Mapping[str, partial[AbstractContextManager[S4Rig]]] = {
    **{profile: partial(rig, profile) for profile in ("cloud", "onpremise")},
    "contacts": partial(rig, "cloud", ContactRig),
}
