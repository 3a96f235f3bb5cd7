"""Mappings and simulated systems use fields as SAP's real metadata have them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from l2c.config import Project
from l2c.mapping import Mapper, load_mapper
from tests.contract import edmx
from tests.contract.edmx import Document, Property, differences, unequal
from tests.contract.rigs.sandbox import started

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT.parent / "shared" / "contracts"
FIRST = ("s4hana.business_partner.read", "commerce.business_partner.unit.write")
LEAST_FROM_MAPPINGS = 60  # of those
LEAST_FURTHER = 80
# what the connectors compose of entities of their own
COMPOSED = {("A_BusinessPartnerContact", "Person"): "A_BusinessPartner"}
# no public contract shows the shop's consumers
WITHOUT_CONTRACT = {"Customer"}
OWN_PREFIXES = ("L2C", "l2c", "YY1_")
OWN = frozenset({"modifiedtime", "Contact"})
# attributes of the platform's type system that SAP's inbound object leaves out and the hub's own object shows
ADDED = frozenset({"vatID", "addresses.email", "addresses.url", "addresses.owner"})
SERVICE = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"


@dataclass(frozen=True)
class Subject:
    """A real document, what the simulated system serves for it, and the sets each native entity is read from in both."""

    kind: str
    real: Document
    served: Document
    sets: dict[str, str]
    served_sets: dict[str, str]


def real(name: str) -> Document:
    path = CONTRACTS / name
    if not path.is_file():
        pytest.skip(f"SAP's real metadata are not here: {path}")
    return edmx.read(path.read_bytes())


def fetch(url: str, **options) -> bytes:
    answer = requests.get(url, timeout=20, **options)
    answer.raise_for_status()
    return answer.content


@pytest.fixture(scope="module")
def s4_bytes() -> Iterator[bytes]:
    with started("s4hana", "--partners", "1", service=SERVICE) as sandbox:
        yield fetch(f"{sandbox.url}{SERVICE}/$metadata", auth=("HUB_USER", "sandbox-s4-secret"))


@pytest.fixture(scope="module")
def shop_documents() -> Iterator[dict[str, Document]]:
    with started("commerce", service="^/odata2webservices/") as sandbox:
        url = f"{sandbox.url}/authorizationserver/oauth/token"
        form = {"grant_type": "client_credentials"}
        token = requests.post(url, data=form, auth=("l2c-hub", "sandbox"), timeout=20).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        yield {
            name: edmx.read(fetch(f"{sandbox.url}/odata2webservices/{name}/$metadata", headers=headers))
            for name in ("InboundB2BUnit", "L2CB2BUnit", "InboundB2BCustomer", "L2CB2BCustomer")
        }


@pytest.fixture(scope="module")
def s4(s4_bytes: bytes) -> Subject:
    document = edmx.read(s4_bytes)
    sets = {name: name for name in document.sets}
    return Subject("s4hana", real("s4hana/API_BUSINESS_PARTNER.edmx"), document, sets, sets)


@pytest.fixture(scope="module")
def shop(shop_documents: dict[str, Document]) -> Subject:
    sets = {"B2BUnit": "B2BUnits"}
    return Subject("commerce", real("commerce/InboundB2BUnit.edmx"), shop_documents["L2CB2BUnit"], sets, sets)


@pytest.fixture(scope="module")
def shop_contacts(shop_documents: dict[str, Document]) -> Subject:
    sets = {"B2BCustomer": "B2BCustomers"}
    return Subject("commerce", real("commerce/InboundB2BCustomer.edmx"), shop_documents["L2CB2BCustomer"], sets, sets)


def apart(path: str) -> bool:
    last = path.rpartition(".")[2]
    return last.startswith(OWN_PREFIXES) or last in OWN or path in ADDED


def mappings(kind: str) -> Iterator[Mapper]:
    project = Project(ROOT)
    for file in sorted((ROOT / "mappings" / kind).glob("*.yaml")):
        yield load_mapper(project, file.relative_to(ROOT).as_posix())


def used(mapper: Mapper) -> dict[str, set[str]]:
    """The native paths a mapping uses, by native entity: a person inside a contact is an entity of its own."""
    found: dict[str, set[str]] = {}
    for path in mapper.fields if mapper.direction == "read" else mapper.targets:
        first, _, rest = path.partition(".")
        composed = COMPOSED.get((mapper.native, first))
        if composed is None:
            found.setdefault(mapper.native, set()).add(path)
        elif rest:
            found.setdefault(composed, set()).add(rest)
    return found


def compared(subject: Subject) -> tuple[dict[str, int], list[str], list[str]]:
    """How many fields of each mapping were compared, which were left apart, and what differs."""
    counts, left, wrong = {}, [], []
    for mapper in mappings(subject.kind):
        for entity, paths in used(mapper).items():
            if entity not in subject.sets:
                continue
            named, shown = subject.sets[entity], subject.served_sets[entity]
            ours = sorted(path for path in paths if not apart(path))
            left += [f"{named}.{path}" for path in sorted(paths) if apart(path)]
            wrong += differences(subject.served, subject.real, ours, shown, named)
            fields = {path: subject.real.at(named, path) for path in ours}
            fields = {path: one for path, one in fields.items() if isinstance(one, Property)}
            counts[mapper.name] = counts.get(mapper.name, 0) + len(fields)
            if mapper.direction == "write":
                wrong += [
                    f"{mapper.name}: {named}.{path} cannot be created" for path, p in fields.items() if not p.creatable
                ]
                wrong += [
                    f"{mapper.name}: {named}.{path} cannot be changed" for path, p in fields.items() if not p.updatable
                ]
    return counts, sorted(set(left)), wrong


def served(subject: Document, real: Document) -> tuple[int, list[str], list[str]]:
    """The same for everything a simulated system serves, type by type."""
    count, left, wrong = 0, [], []
    for kind, properties in subject.properties.items():
        if kind not in real.properties:
            wrong.append(f"{kind} does not exist")
            continue
        nested = "addresses." if kind == "Address" else ""
        for name, ours in properties.items():
            if apart(nested + name):
                left.append(f"{kind}.{name}")
            elif name not in real.properties[kind]:
                wrong.append(f"{kind}.{name} does not exist")
            else:
                count += 1
                wrong += [f"{kind}.{name}: {line}" for line in unequal(ours, real.properties[kind][name])]
        for name, target in subject.navigations[kind].items():
            if apart(nested + name):
                left.append(f"{kind}.{name}")
            elif real.navigations[kind].get(name) != target:
                wrong.append(f"{kind}.{name} leads to {target}, really to {real.navigations[kind].get(name)}")
    return count, left, wrong


def test_every_mapped_field_is_as_in_the_real_metadata(s4, shop, shop_contacts, capsys):
    results = [compared(subject) for subject in (s4, shop, shop_contacts)]
    counts = {name: count for one, _, _ in results for name, count in one.items()}
    with capsys.disabled():
        for one, left, _ in results:
            print(f"\nfields compared: {one}; apart: {', '.join(left) or 'none'}", end="")
    assert [line for _, _, wrong in results for line in wrong] == []
    assert sum(counts[name] for name in FIRST) >= LEAST_FROM_MAPPINGS
    assert sum(count for name, count in counts.items() if name not in FIRST) >= LEAST_FURTHER
    without = {
        mapper.native for kind in ("s4hana", "commerce") for mapper in mappings(kind) if mapper.name not in counts
    }
    assert without == WITHOUT_CONTRACT


def test_every_served_field_is_as_in_the_real_metadata(s4, shop, shop_contacts, shop_documents, capsys):
    results = {
        "API_BUSINESS_PARTNER": served(s4.served, s4.real),
        "InboundB2BUnit": served(shop_documents["InboundB2BUnit"], shop.real),
        "L2CB2BUnit": served(shop.served, shop.real),
        "InboundB2BCustomer": served(shop_documents["InboundB2BCustomer"], shop_contacts.real),
        "L2CB2BCustomer": served(shop_contacts.served, shop_contacts.real),
    }
    with capsys.disabled():
        for name, (count, left, _) in results.items():
            print(f"\nsimulated {name}: {count} fields compared; apart: {', '.join(left) or 'none'}", end="")
    assert {name: wrong for name, (_, _, wrong) in results.items() if wrong} == {}
    for name, subject in (("InboundB2BUnit", shop), ("InboundB2BCustomer", shop_contacts)):
        assert results[name][0] == sum(len(properties) for properties in subject.real.properties.values())
        assert results[name][1] == []


def test_a_wrong_name_is_found(s4, s4_bytes):
    path = "to_BusinessPartnerAddress.CityNam"
    set_name = "A_BusinessPartner"
    assert differences(s4.served, s4.real, [path], set_name, set_name) == [f"{set_name}.{path} does not exist"]
    planted = edmx.read(s4_bytes.replace(b'"CityName"', b'"CityNam"'))
    assert "A_BusinessPartnerAddressType.CityNam does not exist" in served(planted, s4.real)[2]


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("MaxLength", "41", "length is 40, served as 41"),
        ("Nullable", "false", "nullable is True, served as False"),
        ("Type", "Edm.Int32", "type is Edm.String, served as Edm.Int32"),
        (f"{edmx.SAP}creatable", "false", "creatable is True, served as False"),
        (f"{edmx.SAP}updatable", "false", "updatable is True, served as False"),
    ],
)
def test_a_wrong_facet_is_found(s4, s4_bytes, attribute, value, said):
    planted = edmx.read(edmx.changed(s4_bytes, "A_BusinessPartnerAddressType", "CityName", attribute, value))
    path, set_name = "to_BusinessPartnerAddress.CityName", "A_BusinessPartner"
    assert differences(planted, s4.real, [path], set_name, set_name) == [f"{set_name}.{path}: {said}"]
    assert f"A_BusinessPartnerAddressType.CityName: {said}" in served(planted, s4.real)[2]


@pytest.mark.parametrize(
    ("attribute", "said"), [("creatable", "cannot be created"), ("updatable", "cannot be changed")]
)
def test_a_written_field_the_system_sets_itself_is_found(s4, attribute, said):
    real_bytes = (CONTRACTS / "s4hana/API_BUSINESS_PARTNER.edmx").read_bytes()
    planted = edmx.changed(
        real_bytes, "A_BPContactToFuncAndDeptType", "EmailAddress", f"{edmx.SAP}{attribute}", "false"
    )
    wrong = compared(replace(s4, real=edmx.read(planted)))[2]
    path = "A_BusinessPartnerContact.to_ContactRelationship.EmailAddress"
    assert f"s4hana.contact.write: {path} {said}" in wrong
