"""Registrations as a visitor of the storefront makes them: the shop gives uids, customer ids and public keys itself.

Other keys of a form than those named here are attributes of the item that is made. None may be a number of another system.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.commerce import database, users
from sandbox.commerce.database import Row
from sandbox.commerce.keys import text_key
from sandbox.commerce.typesystem import ADDRESSES
from sandbox.core import Transaction
from sandbox.prefill import own_uid

Form = Mapping[str, Any]
NUMBERS = frozenset(
    {"customerID", "l2cCustomerNumber", "l2cPartnerNumber", "sapBusinessPartnerID", "sapCustomerID", "sapIsReplicated"}
)
FIRST_UNIT = 100_001


def register(tx: Transaction, form: Form) -> dict[str, Any]:
    """Make the items of one registration, answer their keys; raises ValueError for a form that cannot be."""
    kind = form.get("kind")
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    rest = {name: value for name, value in form.items() if name not in ("kind", "address", "contact")}
    home = form.get("address")
    if numbers := sorted(NUMBERS & {*rest, *(home or {})}):
        raise ValueError(f"a visitor who registers knows no {', '.join(numbers)}")
    row = KINDS[kind](tx, {**rest, "addresses": [_home(home, rest)] if home else []})
    entity = database.kind_of(row["pk"])
    made = {"kind": kind, "entity": entity, "key": text_key(entity, row), "uid": row["uid"]}
    owned = database.children(tx.db, entity, ADDRESSES, row["pk"])
    made["addresses"] = [text_key("Address", found) for found in owned]
    if form.get("contact"):
        made["contact"] = register(tx, {"kind": "contact", "unit": row["uid"], **form["contact"]})
    return made


def _company(tx: Transaction, form: Form) -> Row:
    """A unit; its uid is made of the name unless the form has one."""
    number = tx.next_number("registration", FIRST_UNIT)
    uid = form.get("uid") or own_uid(_needed(form, "name"), number)
    return users.create(tx, "B2BUnit", {**form, "uid": _unused(tx, "B2BUnit", uid)})


def _contact(tx: Transaction, form: Form) -> Row:
    """A contact person of the unit `unit`, who signs in with the e-mail address."""
    mail, unit = _needed(form, "email"), _needed(form, "unit")
    values = {
        "uid": _unused(tx, "B2BCustomer", mail.lower()),
        "name": _full_name(form),
        "defaultB2BUnit": unit,
        "groups": ["b2bcustomergroup"],
        **_without(form, "first_name", "last_name", "unit"),
    }
    return users.create(tx, "B2BCustomer", {"customerID": str(uuid.uuid4()), **values})


def _consumer(tx: Transaction, form: Form) -> Row:
    """A private customer; the e-mail address is the uid."""
    values = {
        "uid": _unused(tx, "Customer", _needed(form, "email").lower()),
        "name": _full_name(form),
        "l2cFirstName": form.get("first_name"),
        "l2cLastName": form.get("last_name"),
        "l2cEmail": form["email"],
        **_without(form, "first_name", "last_name", "email"),
    }
    return users.create(tx, "Customer", {"customerID": str(uuid.uuid4()), **values})


KINDS: Mapping[str, Callable[[Transaction, Form], Row]] = {
    "company": _company,
    "contact": _contact,
    "consumer": _consumer,
}


def _home(address: Form, form: Form) -> dict[str, Any]:
    """The address of a registration, used for everything, with the name of who registers."""
    names = {"company": form.get("name")}
    if "first_name" in form or "last_name" in form:
        names = {"firstname": form.get("first_name"), "lastname": form.get("last_name")}
    return {"billingAddress": True, "shippingAddress": True, **names, **address}


def _full_name(form: Form) -> str:
    name = " ".join(filter(None, (form.get("first_name"), form.get("last_name"))))
    return name or _needed(form, "name")


def _needed(form: Form, name: str) -> str:
    value = form.get(name)
    if not value or not isinstance(value, str):
        raise ValueError(f"'{name}' is missing")
    return value


def _unused(tx: Transaction, entity: str, uid: str) -> str:
    if database.find(tx.db, entity, {"uid": uid}) is not None:
        raise ValueError(f"'{uid}' is already registered")
    return uid


def _without(form: Form, *names: str) -> dict[str, Any]:
    return {name: value for name, value in form.items() if name not in names}
