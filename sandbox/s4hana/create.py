"""Creating records, deep or not, with what appears along with them."""

from typing import Any

from sandbox.s4hana import checks, contacts, derive, tables
from sandbox.s4hana.complete import complete
from sandbox.s4hana.context import Context
from sandbox.s4hana.errors import ODataError
from sandbox.s4hana.model import Entity
from sandbox.s4hana.payload import Node, read_tree
from sandbox.s4hana.sales.products import REPEATABLE
from sandbox.s4hana.tables import Row

CUSTOMER_ROLES = ("FLCU00", "FLCU01")
MARKS = {"A_BusinessPartner": "BusinessPartnerIDByExtSystem", "A_BusinessPartnerAddress": "AddressIDByExternalSystem"}
"""Fields a caller can mark a record with, to find it again after a lost answer."""


def create_record(context: Context, entity: Entity, body: Any, given: Row | None = None, via: str = "") -> Node:
    """Create what the body holds; `given` are fields known from the path, `via` the navigation it went through.

    Raises ODataError with everything that is wrong with the body, or with the records it describes.
    """
    node = read_tree(context.model, entity, body, strict=context.guarded, found=context.found)
    node.via = via
    _stop(context)
    node.row.update(given or {})
    _add_roles(context, node)
    _save(context, node, None)
    _stop(context)
    return node


def mark_of(entity: Entity, row: Row) -> str | None:
    """The caller's own mark on a record, or None."""
    return row.get(MARKS.get(entity.name, "")) or None


def _stop(context: Context) -> None:
    if context.found:
        raise ODataError(400, context.found)


def _save(context: Context, node: Node, parent: Node | None) -> None:
    row, entity = node.row, node.entity
    complete(context, node, parent)
    missing = [prop.name for prop in entity.key if row.get(prop.name) is None]
    for name in missing:
        context.complain("R1/100", f"Enter a value for key '{name}'", name)
    if missing:
        return
    derive.derive(entity.name, row)
    if context.strict:
        context.found += checks.messages(entity.name, row)
    checks.unique(context, entity.name, row)
    context.warnings += checks.warnings(entity.name, row)
    if tables.get(context.tx.db, entity, row) is not None:
        if entity.name in REPEATABLE and parent is not None:
            return
        context.complain(
            "R1/152", f"{entity.name} '{tables.key_text(entity, row)}' already exists", entity.key[-1].name
        )
        return
    tables.put_many(context.tx.db, entity, [row], replace=False)
    context.tx.log(entity.name, tables.key_text(entity, row), "created", node.given, mark=mark_of(entity, row))
    for navigation, children in node.children.items():
        _save_children(context, node, navigation, children)
    _appear(context, node)


def _save_children(context: Context, node: Node, navigation: str, children: list[Node]) -> None:
    link = node.entity.navigations[navigation]
    for child in children:
        for own, theirs in link.joins:
            if node.row.get(own):
                child.row[theirs] = node.row[own]
        _save(context, child, node)


def _add_roles(context: Context, node: Node) -> None:
    """A deep `to_Customer` brings its role along, and a sales area the sales role."""
    if not node.children.get("to_Customer"):
        return
    roles = node.children.pop("to_BusinessPartnerRole", [])
    with_area = node.children["to_Customer"][0].children.get("to_CustomerSalesArea")
    present = {role.row.get("BusinessPartnerRole") for role in roles}
    for name in CUSTOMER_ROLES if with_area else CUSTOMER_ROLES[:1]:
        if name not in present:
            fields = {"BusinessPartnerRole": name}
            roles.append(Node(context.model["A_BusinessPartnerRole"], fields, dict(fields)))
    # behind to_Customer, so that the customer a role brings along is there already
    node.children["to_BusinessPartnerRole"] = roles


def _appear(context: Context, node: Node) -> None:
    """What comes along with a record: standard use of a first address, customer of a customer role, role of a contact."""
    row, name = node.row, node.entity.name
    if name == "A_BusinessPartnerAddress" and not node.children.get("to_AddressUsage"):
        if context.count(node.entity, {"BusinessPartner": row["BusinessPartner"]}) == 1:
            usage = {"AddressUsage": "XXDEFAULT", "StandardUsage": True}
            child = Node(context.model["A_BuPaAddressUsage"], usage, dict(usage))
            _save_children(context, node, "to_AddressUsage", [child])
    elif name == "A_BusinessPartnerRole" and row["BusinessPartnerRole"] in CUSTOMER_ROLES:
        owner = context.get("A_BusinessPartner", BusinessPartner=row["BusinessPartner"])
        if owner is not None and not owner.get("Customer"):
            partner = Node(context.model["A_BusinessPartner"], {}, owner)
            _save(context, Node(context.model["A_Customer"], {}, {}), partner)
    elif name == "A_BusinessPartnerContact":
        _appear_with_contact(context, node)


def _appear_with_contact(context: Context, node: Node) -> None:
    """Every contact has a function and department, if an empty one, and its person the role of a contact person."""
    if not node.children.get("to_ContactRelationship"):
        _save_children(
            context, node, "to_ContactRelationship", [Node(context.model["A_BPContactToFuncAndDept"], {}, {})]
        )
    person = node.row["BusinessPartnerPerson"]
    if (
        not context.found
        and context.get("A_BusinessPartnerRole", BusinessPartner=person, BusinessPartnerRole=contacts.ROLE) is None
    ):
        role = {"BusinessPartner": person, "BusinessPartnerRole": contacts.ROLE}
        _save(context, Node(context.model["A_BusinessPartnerRole"], role, dict(role)), None)
