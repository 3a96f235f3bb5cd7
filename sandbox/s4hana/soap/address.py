"""Addresses of a request on a partner that exists, with telephone, e-mail, fax, web and uses."""

from collections.abc import Callable
from typing import Any

from sandbox.s4hana.complete import DEFAULT_FLAGS
from sandbox.s4hana.context import Context
from sandbox.s4hana.model import Model
from sandbox.s4hana.soap import fields, partner
from sandbox.s4hana.soap.lists import Wanted, by_value, keyed, save, settle
from sandbox.s4hana.soap.partner import GONE, action_of, complete, listed
from sandbox.s4hana.soap.tree import Tree
from sandbox.s4hana.tables import Row

Take = Callable[[Model, Tree], dict[str, Any]]
COMMUNICATION: tuple[tuple[str, str, str, tuple[str, ...], Take], ...] = (
    (
        "Email",
        "email",
        "A_AddressEmailAddress",
        ("EmailAddress",),
        lambda model, item: fields.take(item, fields.EMAIL, model["A_AddressEmailAddress"]),
    ),
    (
        "Telephone",
        "telephone",
        "A_AddressPhoneNumber",
        ("PhoneNumber", "PhoneNumberExtension", "DestinationLocationCountry", "PhoneNumberType"),
        partner.telephone,
    ),
    (
        "Facsimile",
        "facsimile",
        "A_AddressFaxNumber",
        ("FaxNumber", "FaxNumberExtension", "FaxCountry"),
        partner.fax,
    ),
    (
        "Web",
        "web",
        "A_AddressHomePageURL",
        ("WebsiteURL",),
        lambda model, item: fields.take(item, fields.WEB, model["A_AddressHomePageURL"]),
    ),
)


def settle_addresses(context: Context, owner: Row, node: Tree, *, clear: bool) -> None:
    """Bring the addresses of a partner to what a message says."""
    entity, key = context.model["A_BusinessPartnerAddress"], {"BusinessPartner": owner["BusinessPartner"]}
    existing = context.find(entity, key)
    met: list[Row] = []
    for item in listed(node, "AddressInformation"):
        row = _locate(existing, item)
        if row is not None:
            met.append(row)
        if row is None and action_of(item) not in (*GONE, "06"):
            body = partner.new_address(context.model, item)
        else:
            body = partner.address_fields(context.model, item, clear=clear)
        kept = settle(context, entity, key, [Wanted(action_of(item), body, row)])
        if row is not None and kept and action_of(item) != "06":
            _below(context, kept[0], item)
    if complete(node, "addressInformation"):
        settle(context, entity, key, [], leftover=[row for row in existing if row not in met])


def settle_own_email(context: Context, owner: Row, node: Tree) -> None:
    """Bring the e-mail addresses of the partner itself to what a message says."""
    own = node.get("AddressIndependentCommInfo") or {}
    entity, key = context.model[partner.OWN_EMAIL], {"BusinessPartner": owner["BusinessPartner"]}
    existing = sorted(context.find(entity, key), key=lambda row: int(row["OrdinalNumber"]))
    items = [(action_of(item), fields.take(item, fields.EMAIL, entity)) for item in listed(own, "Email")]
    wanted, left = by_value(existing, items, ("EmailAddress",), complete=complete(own, "email"))
    if items or left:
        settle(context, entity, key, wanted, leftover=left)


def _locate(existing: list[Row], node: Tree) -> Row | None:
    """By the receiver's id, the shared id, or the sender's own key: an address without any of them is a new one."""
    ways = (
        ("ReceiverUUID", "AddressUUID"),
        ("UUID", "AddressUUID"),
        ("ExternalAddressID", "AddressIDByExternalSystem"),
    )
    for name, own in ways:
        value = node.get(name) or ""
        value = value.lower() if own == "AddressUUID" else value
        for row in existing:
            if value and row.get(own) == value:
                return row
    return None


def _below(context: Context, address: Row, node: Tree) -> None:
    owner = {"AddressID": address["AddressID"], "Person": address.get("Person", "")}
    for name, flag, entity_name, names, take in COMMUNICATION:
        entity = context.model[entity_name]
        existing = sorted(context.find(entity, owner), key=lambda row: int(row["OrdinalNumber"]))
        items = [(action_of(item), take(context.model, item)) for item in listed(node["Address"], name)]
        whole = complete(node["Address"], flag)
        wanted, left = by_value(existing, items, names, complete=whole)
        if items or left:
            kept = settle(context, entity, owner, wanted, leftover=left)
            _choose_default(context, entity_name, owner, kept if whole else [])
    _usages(context, address, node)


def _choose_default(context: Context, entity_name: str, owner: Row, first: list[Row]) -> None:
    """The first of a complete list is the default; else whichever was it, or the lowest number when that one is gone."""
    entity, flag = context.model[entity_name], DEFAULT_FLAGS[entity_name]
    rows = sorted(context.find(entity, owner), key=lambda row: int(row["OrdinalNumber"]))
    if not rows or entity.properties[flag].key:
        return
    chosen = first[0]["OrdinalNumber"] if first else next((r["OrdinalNumber"] for r in rows if r.get(flag)), None)
    for row in rows:
        save(context, entity, row, {flag: row["OrdinalNumber"] == (chosen or rows[0]["OrdinalNumber"])})


def _usages(context: Context, address: Row, node: Tree) -> None:
    entity = context.model["A_BuPaAddressUsage"]
    key = {"BusinessPartner": address["BusinessPartner"], "AddressID": address["AddressID"]}
    existing = context.find(entity, key)
    bodies = [(action_of(item), fields.take(item, fields.USAGE, entity)) for item in listed(node, "AddressUsage")]
    wanted = keyed(entity, existing, bodies)
    met = [item.row for item in wanted if item.row is not None]
    left = [row for row in existing if row not in met] if complete(node, "addressUsage") else []
    settle(context, entity, key, wanted, leftover=left)
