"""Mappings and simulated systems use fields as SAP's real metadata have them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from l2c.config import Project
from l2c.mapping import load_mapper
from tests.contract import edmx
from tests.contract.edmx import Document, Property, differences, unequal
from tests.contract.rigs.sandbox import started

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT.parent / "shared" / "contracts"
LEAST_FROM_MAPPINGS = 60
OWN_PREFIXES = ("L2C", "l2c", "YY1_")
OWN = frozenset({"modifiedtime"})
# attributes of the platform's type system that SAP's inbound object leaves out and the hub's own object shows
ADDED = frozenset({"vatID", "addresses.email", "addresses.url", "addresses.owner"})
SERVICE = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"


@dataclass(frozen=True)
class Subject:
    """A real document, what the simulated system serves for it, and the set each native entity is read from."""

    kind: str
    real: Document
    served: Document
    sets: dict[str, str]


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
            for name in ("InboundB2BUnit", "L2CB2BUnit")
        }


@pytest.fixture(scope="module")
def s4(s4_bytes: bytes) -> Subject:
    document = edmx.read(s4_bytes)
    sets = {name: name for name in document.sets}
    return Subject("s4hana", real("s4hana/API_BUSINESS_PARTNER.edmx"), document, sets)


@pytest.fixture(scope="module")
def shop(shop_documents: dict[str, Document]) -> Subject:
    inbound = real("commerce/InboundB2BUnit.edmx")
    return Subject("commerce", inbound, shop_documents["L2CB2BUnit"], {"B2BUnit": "B2BUnits"})


def apart(path: str) -> bool:
    last = path.rpartition(".")[2]
    return last.startswith(OWN_PREFIXES) or last in OWN or path in ADDED


def mapped(kind: str) -> dict[str, set[str]]:
    """The native paths every mapping of a kind of system uses, by native entity."""
    project = Project(ROOT)
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "mappings" / kind).glob("*.yaml")):
        mapper = load_mapper(project, file.relative_to(ROOT).as_posix())
        paths = mapper.fields if mapper.direction == "read" else mapper.targets
        found.setdefault(mapper.native, set()).update(paths)
    return found


def compared(subject: Subject) -> tuple[int, list[str], list[str]]:
    """How many mapped fields were compared, which were left apart, and what differs."""
    count, left, wrong = 0, [], []
    for entity, paths in mapped(subject.kind).items():
        named = subject.sets[entity]
        ours = sorted(path for path in paths if not apart(path))
        count += sum(isinstance(subject.real.at(named, path), Property) for path in ours)
        left += [f"{named}.{path}" for path in sorted(paths) if apart(path)]
        wrong += differences(subject.served, subject.real, ours, named, named)
    return count, left, wrong


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


def test_every_mapped_field_is_as_in_the_real_metadata(s4, shop, capsys):
    results = {subject.kind: compared(subject) for subject in (s4, shop)}
    with capsys.disabled():
        for kind, (count, left, _) in results.items():
            print(f"\nmappings, {kind}: {count} fields compared; apart: {', '.join(left) or 'none'}", end="")
    assert {kind: wrong for kind, (_, _, wrong) in results.items() if wrong} == {}
    assert sum(count for count, _, _ in results.values()) >= LEAST_FROM_MAPPINGS
    assert all(count > 0 for count, _, _ in results.values())


def test_every_served_field_is_as_in_the_real_metadata(s4, shop, shop_documents, capsys):
    results = {
        "API_BUSINESS_PARTNER": served(s4.served, s4.real),
        "InboundB2BUnit": served(shop_documents["InboundB2BUnit"], shop.real),
        "L2CB2BUnit": served(shop.served, shop.real),
    }
    with capsys.disabled():
        for name, (count, left, _) in results.items():
            print(f"\nsimulated {name}: {count} fields compared; apart: {', '.join(left) or 'none'}", end="")
    assert {name: wrong for name, (_, _, wrong) in results.items() if wrong} == {}
    assert results["InboundB2BUnit"][0] == sum(len(properties) for properties in shop.real.properties.values())
    assert results["InboundB2BUnit"][1] == []


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
