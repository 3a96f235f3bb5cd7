"""The ImpEx files a customer imports describe the integration object that the simulated shop serves."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .commerce_shop import ROOT, started

FOLDER = ROOT / "connectors/commerce/impex"
EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"
SAP = "{http://schemas.sap.com/commerce}"


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
def served():
    with started() as shop:
        yield ET.fromstring(shop.get("$metadata").content)


def test_rows_have_no_more_cells_than_their_header():
    paths = sorted(FOLDER.glob("*.impex"))
    assert len(paths) == 3
    for path in paths:
        for header, lines in tables(path):
            assert lines, header[0]
            for line in lines:
                assert len(line) <= len(header), (path.name, line)


def test_the_integration_object_has_the_items_and_attributes_that_are_served(served):
    path = FOLDER / "20-integration-object.impex"
    items = {row[2] for row in rows(path, "IntegrationObjectItem")}
    described = {tuple(row[1:3]) for row in rows(path, "IntegrationObjectItemAttribute")}
    kinds = {kind.get("Name"): kind for kind in served.iter(f"{EDM}EntityType") if "___" not in kind.get("Name")}
    assert items == set(kinds)
    engineered = {"integrationKey", "localizedAttributes"}
    assert described == {
        (f"L2CB2BUnit:{name}", element.get("Name"))
        for name, kind in kinds.items()
        for element in kind
        if element.get("Name") and element.get("Name") not in engineered
    }


def test_unique_autocreate_and_targets_are_those_that_are_served(served):
    flags = {}
    for _, item, name, descriptor, target, *more in rows(
        FOLDER / "20-integration-object.impex", "IntegrationObjectItemAttribute"
    ):
        assert descriptor == f"{item.partition(':')[2]}:{name}"
        unique, create, *_ = [*more, "", ""]
        flags[item.partition(":")[2], name] = (unique == "true", create == "true", target.partition(":")[2])
    for kind in served.iter(f"{EDM}EntityType"):
        for element in kind:
            wanted = flags.get((kind.get("Name"), element.get("Name")))
            if wanted:
                has = [element.get(f"{SAP}{flag}") == "true" for flag in ("IsUnique", "IsAutoCreate")]
                assert (*has, element.get("ToRole") or "") == wanted, (kind.get("Name"), element.get("Name"))


def test_every_attribute_of_the_hub_is_declared_before_it_is_used():
    declared = {row[1] for row in rows(FOLDER / "10-attributes.impex", "AttributeDescriptor")}
    used = {row[2] for row in rows(FOLDER / "20-integration-object.impex", "IntegrationObjectItemAttribute")}
    assert declared == {name for name in used if name.startswith("l2c")}


def test_the_user_has_rights_on_every_type_and_may_delete_only_addresses():
    header, lines = next(table for table in tables(FOLDER / "30-access.impex") if table[0][0].startswith("Type"))
    at = {name.strip(): number for number, name in enumerate(header)}
    rights = {
        row[at["Target"]]: {name for name in ("read", "change", "create", "remove") if row[at[name]] == "+"}
        for row in lines[1:]
    }
    assert set(rights) == {row[2] for row in rows(FOLDER / "20-integration-object.impex", "IntegrationObjectItem")}
    assert rights["B2BUnit"] == {"read", "change", "create"}
    assert [kind for kind, given in rights.items() if "remove" in given] == ["Address"]


def test_no_secret_stands_in_the_files():
    text = (FOLDER / "30-access.impex").read_text(encoding="utf-8")
    assert re.findall(r"^\$\w*(?:Secret|Password) = (.*)$", text, re.MULTILINE) == [
        "SET-A-SECRET-OF-YOUR-OWN",
        "SET-A-PASSWORD-OF-YOUR-OWN",
    ]


def test_the_readme_lists_every_file_and_declares_the_same_attributes_in_xml():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in FOLDER.glob("*.impex")} == set(
        re.findall(r"^\| `([\w-]+\.impex)`", text, re.MULTILINE)
    )
    xml = ET.fromstring(re.search(r"```xml\n(.*?)```", text, re.DOTALL)[1])
    declared = {row[1] for row in rows(FOLDER / "10-attributes.impex", "AttributeDescriptor")}
    assert {element.get("qualifier") for element in xml.iter("attribute")} == declared
