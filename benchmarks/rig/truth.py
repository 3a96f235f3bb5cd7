"""What must stand in both systems, by their control addresses and commit logs alone: not a line of the hub.

Everybody who registered in the shop is one partner (or one contact) of S/4HANA, S/4HANA's log created nobody besides, no
mark stands twice, and the shop knows the number. Every customer of S/4HANA stands in the shop once, as S/4HANA shows it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.registrations.systems import Control
from benchmarks.rig import standing

PARTNER, RELATIONSHIP, MARK = "A_BusinessPartner", "A_BusinessPartnerContact", "BusinessPartnerIDByExtSystem"
MAIN = frozenset({"B2BUnit", "Customer", "B2BCustomer", PARTNER, RELATIONSHIP})
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Registered:
    """One who registered: a company (has a VAT number), a consumer, or a contact (of the company `unit`)."""

    kind: str
    uid: str
    key: str
    name: str
    mail: str
    vat: str | None = None
    unit: str | None = None


@dataclass
class Found:
    """What stands in both systems; all lists empty: nothing is lost, nothing doubled, everything as it must be."""

    records: int = 0
    documents: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # who cannot be a consumer: another one signs in with this address
    held: list[str] = field(default_factory=list)  # who may be another one: they share a tax number

    def add(self, other: "Found") -> None:
        """What stands in two more systems besides."""
        self.records += other.records
        self.documents += other.documents
        self.lost += other.lost
        self.doubled += other.doubled
        self.wrong += other.wrong
        self.taken += other.taken
        self.held += other.held

    @property
    def mistakes(self) -> list[str]:
        """Everything that is not as it must be."""
        return [
            f"{name}: {text}"
            for name, texts in (("lost", self.lost), ("doubled", self.doubled), ("wrong", self.wrong))
            for text in texts
        ]


def register(shop: Control, number: int, kind: str, *, home: bool = True, unit: str | None = None) -> Registered:
    """Somebody registers at the storefront; nobody else has this name, number or e-mail address."""
    place = {"streetname": "Pfeifenweg", "streetnumber": str(number % 90 + 1), "postalcode": "89073", "town": "Ulm"}
    address = {"address": {**place, "country": "DE"}} if home else {}
    if kind == "company":
        name, mail, vat = f"Werkstatt {number:06} KG", f"info@werkstatt{number:06}.example", f"DE{800_000_000 + number}"
        told = shop.tell("register", kind=kind, name=name, vatID=vat, l2cEmail=mail, **address)
        return Registered(kind, told["uid"], told["key"], name, mail, vat)
    last, mail = f"Anmelder{number:06}", f"anmelder{number:06}@example.com"
    form = {"first_name": "Jan", "last_name": last, "email": mail}
    told = shop.tell("register", kind=kind, **form, **({"unit": unit} if unit else address))
    return Registered(kind, told["uid"], told["key"], f"Jan {last}", mail, unit=unit)


def check(s4: Control, shop: Control, registered: Iterable[Registered], *, today: str | None = None) -> Found:
    """Compare what stands in both systems with who registered, and both systems with each other; `today` as ISO text."""
    found = Found()
    partners = dict(s4.records(PARTNER))
    hits = _Hits(s4, partners)
    born = {entry["key"] for entry in s4.log(entity=PARTNER) if entry["action"] == "created"}
    found.documents = len(born) + sum(e["action"] == "created" for e in s4.log(entity=RELATIONSHIP))
    shown = {name: dict(shop.records(name)) for name in ("B2BUnit", "Customer", "B2BCustomer")}
    known: set[str] = set()
    for one in registered:
        known |= _one(one, hits, shown, found)
    found.doubled += [f"partner {key} is nobody who registered" for key in sorted(born - known)]
    carriers = defaultdict(list)
    for key, row in partners.items():
        if row[MARK]:
            carriers[row[MARK]].append(key)
    found.doubled += [f"mark {mark} is carried by {keys}" for mark, keys in carriers.items() if len(keys) > 1]
    both = standing.check(s4, shop, today=today)
    found.lost += both.lost
    found.doubled += both.doubled
    found.wrong += [*both.wrong, *both.stray]
    found.taken += both.taken
    found.held += both.held
    found.records = replicated(s4, shop)
    return found


def replicated(*systems: Control) -> int:
    """How many different contents of records were written, by the logs: a repetition is not counted."""
    return sum(
        len({(e["entity"], e["key"], e["payload_hash"]) for e in one.log() if e["entity"] in MAIN}) for one in systems
    )


class _Hits:
    """Where those who registered can be found in S/4HANA."""

    def __init__(self, s4: Control, partners: Mapping[str, Row]) -> None:
        self.partners = partners
        self.names: defaultdict[str, set[str]] = defaultdict(set)
        self.vats: defaultdict[str, set[str]] = defaultdict(set)
        self.mails: defaultdict[str, set[str]] = defaultdict(set)
        self.companies: defaultdict[str, list[str]] = defaultdict(list)
        for key, row in partners.items():
            person = f"{row['FirstName'] or ''} {row['LastName'] or ''}".strip()
            self.names[row["OrganizationBPName1"] or person].add(key)
        for _, row in s4.records("A_BusinessPartnerTaxNumber"):
            self.vats[row["BPTaxNumber"]].add(row["BusinessPartner"])
        places = {row["AddressID"]: row["BusinessPartner"] for _, row in s4.records("A_BusinessPartnerAddress")}
        for _, row in s4.records("A_AddressEmailAddress"):
            if row["AddressID"] in places:
                self.mails[row["EmailAddress"].lower()].add(places[row["AddressID"]])
        for _, row in s4.records("A_BPAddressIndependentEmail"):
            self.mails[row["EmailAddress"].lower()].add(row["BusinessPartner"])
        for _, row in s4.records(RELATIONSHIP):
            self.companies[row["BusinessPartnerPerson"]].append(row["BusinessPartnerCompany"])

    def of(self, one: Registered) -> set[str]:
        """The partners this one became."""
        if one.kind == "contact":  # its address is its company's
            return set(self.names[one.name])
        return self.names[one.name] | self.mails[one.mail.lower()] | (self.vats[one.vat] if one.vat else set())


def _one(one: Registered, hits: _Hits, shown: Mapping[str, Mapping[str, Row]], found: Found) -> set[str]:
    there = hits.of(one)
    if len(there) != 1:
        text = f"{one.kind} {one.name} is {', '.join(sorted(there)) or 'no partner'}"
        (found.doubled if there else found.lost).append(text)
        return there
    number = next(iter(there))
    if one.kind == "contact":
        _relationship(one, number, hits, shown, found)
    entity = {"company": "B2BUnit", "consumer": "Customer", "contact": "B2BCustomer"}[one.kind]
    field_name = "sapBusinessPartnerID" if one.kind == "contact" else "l2cPartnerNumber"
    row = shown[entity].get(one.key)
    if row is None:
        found.lost.append(f"{one.kind} {one.name} does not stand in the shop any more")
    elif row[field_name] != number:
        found.wrong.append(f"{one.kind} {one.name} has {row[field_name]} in the shop, is {number}")
    return there


def _relationship(
    one: Registered, person: str, hits: _Hits, shown: Mapping[str, Mapping[str, Row]], found: Found
) -> None:
    companies = hits.companies[person]
    if len(companies) != 1:
        text = f"contact {one.name} ({person}) belongs to {companies or 'no company'}"
        (found.doubled if companies else found.lost).append(text)
        return
    unit = next((row for row in shown["B2BUnit"].values() if row["uid"] == one.unit), None)
    if unit is not None and unit["l2cPartnerNumber"] != companies[0]:
        found.wrong.append(f"contact {one.name} belongs to {companies[0]}, registered for {unit['l2cPartnerNumber']}")
