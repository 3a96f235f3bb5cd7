"""The ImpEx files a customer imports describe the integration objects that the simulated shop serves."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .commerce_shop import ROOT, started

FOLDER = ROOT / "connectors/commerce/impex"
EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"
SAP = "{http://schemas.sap.com/commerce}"
OBJECTS = {"L2CB2BUnit": "20-b2b-unit", "L2CB2BCustomer": "21-b2b-customer", "L2CCustomer": "22-customer"}
FILES = [FOLDER / f"{name}.impex" for name in OBJECTS.values()]


def tables(path):
    """Header and rows of every statement of an ImpEx file, cells stripped, macros replaced."""
    found, macros, rights = [], {}, False
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(("$START_USERRIGHTS", "$END_USERRIGHTS")):
            rights = line.startswith("$START")
        elif re.match(r"\$\w+\s*=", line):
            name, _, value = line.partition("=")
            macros[name.strip()] = value.strip()
        elif line.startswith("INSERT_UPDATE ") or (rights and line.startswith("Type")):
            found.append((re.split(r";\s*", line), []))
        elif line.strip() and not line.startswith("#"):
            assert found, f"{path}: a row before any header: {line}"
            found[-1][1].append([macros.get(cell.strip(), cell.strip()) for cell in line.split(";")])
    return found


def rows(path, kind):
    return [row for header, lines in tables(path) if header[0] == f"INSERT_UPDATE {kind}" for row in lines]


@pytest.fixture(scope="module")
def documents():
    with started() as shop:
        yield {name: ET.fromstring(shop.get(f"/odata2webservices/{name}/$metadata").content) for name in OBJECTS}


@pytest.fixture(params=OBJECTS)
def served(request, documents):
    """Name, ImpEx file and metadata of one integration object."""
    name = request.param
    return name, FOLDER / f"{OBJECTS[name]}.impex", documents[name]


def test_rows_have_no_more_cells_than_their_header():
    paths = sorted(FOLDER.glob("*.impex"))
    assert len(paths) == 6
    for path in paths:
        for header, lines in tables(path):
            assert lines, header[0]
            for line in lines:
                assert len(line) <= len(header), (path.name, line)


def test_the_integration_object_has_the_items_and_attributes_that_are_served(served):
    name, path, document = served
    assert [row[1] for row in rows(path, "IntegrationObject")] == [name]
    items = {row[2] for row in rows(path, "IntegrationObjectItem")}
    described = {tuple(row[1:3]) for row in rows(path, "IntegrationObjectItemAttribute")}
    kinds = {kind.get("Name"): kind for kind in document.iter(f"{EDM}EntityType") if "___" not in kind.get("Name")}
    assert items == set(kinds)
    engineered = {"integrationKey", "localizedAttributes"}
    assert described == {
        (f"{name}:{kind}", element.get("Name"))
        for kind, found in kinds.items()
        for element in found
        if element.get("Name") and element.get("Name") not in engineered
    }


def test_unique_autocreate_and_targets_are_those_that_are_served(served):
    _, path, document = served
    flags = {}
    for _, item, name, descriptor, target, *more in rows(path, "IntegrationObjectItemAttribute"):
        assert descriptor == f"{item.partition(':')[2]}:{name}"
        unique, create, *_ = [*more, "", ""]
        flags[item.partition(":")[2], name] = (unique == "true", create == "true", target.partition(":")[2])
    for kind in document.iter(f"{EDM}EntityType"):
        for element in kind:
            wanted = flags.get((kind.get("Name"), element.get("Name")))
            if wanted:
                has = [element.get(f"{SAP}{flag}") == "true" for flag in ("IsUnique", "IsAutoCreate")]
                assert (*has, element.get("ToRole") or "") == wanted, (kind.get("Name"), element.get("Name"))


def test_consumers_are_read_without_contact_persons():
    (root,) = (row for row in rows(FILES[2], "IntegrationObjectItem") if row[4] == "true")
    assert root[2:] == ["Customer", "Customer", "true", "RESTRICT_TO_ITEM_TYPE"]


def test_every_attribute_of_the_hub_is_declared_before_it_is_used():
    declared = {(row[2], row[1]) for row in rows(FOLDER / "10-attributes.impex", "AttributeDescriptor")}
    used = {
        (row[1].partition(":")[2], row[2]) for path in FILES for row in rows(path, "IntegrationObjectItemAttribute")
    }
    assert declared == {pair for pair in used if pair[1].startswith("l2c")}


def test_the_user_has_rights_on_every_type_and_may_delete_only_addresses():
    header, lines = next(table for table in tables(FOLDER / "30-access.impex") if table[0][0].startswith("Type"))
    at = {name.strip(): number for number, name in enumerate(header)}
    rights = {
        row[at["Target"]]: {name for name in ("read", "change", "create", "remove") if row[at[name]] == "+"}
        for row in lines[1:]
    }
    assert set(rights) == {row[2] for path in FILES for row in rows(path, "IntegrationObjectItem")}
    written = [kind for kind, given in rights.items() if given >= {"read", "change", "create"}]
    assert written == ["B2BUnit", "B2BCustomer", "Customer", "Address"]
    assert [kind for kind, given in rights.items() if "remove" in given] == ["Address"]


def test_every_integration_object_has_its_login_and_its_webhooks():
    assert [row[1] for row in rows(FOLDER / "30-access.impex", "InboundChannelConfiguration")] == list(OBJECTS)
    hooks = [(row[1], row[3].rpartition(".")[2]) for row in rows(FOLDER / "40-webhooks.impex", "WebhookConfiguration")]
    assert hooks == [(name, event) for event in ("ItemSavedEvent", "ItemDeletedEvent") for name in OBJECTS]


def test_no_secret_stands_in_the_files():
    texts = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.impex"))]
    assert re.findall(r"^\$\w*(?:Secret|Password) = (.*)$", "\n".join(texts), re.MULTILINE) == [
        "SET-A-SECRET-OF-YOUR-OWN",
        "SET-A-PASSWORD-OF-YOUR-OWN",
        "SET-A-PASSWORD-OF-YOUR-OWN",
    ]


def test_the_readme_lists_every_file_and_declares_the_same_attributes_in_xml():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in FOLDER.glob("*.impex")} == set(
        re.findall(r"^\| `([\w-]+\.impex)`", text, re.MULTILINE)
    )
    xml = ET.fromstring(re.search(r"```xml\n(.*?)```", text, re.DOTALL)[1])
    declared = {(row[2], row[1]) for row in rows(FOLDER / "10-attributes.impex", "AttributeDescriptor")}
    in_xml = {
        (kind.get("code"), one.get("qualifier")) for kind in xml.iter("itemtype") for one in kind.iter("attribute")
    }
    assert in_xml == declared
