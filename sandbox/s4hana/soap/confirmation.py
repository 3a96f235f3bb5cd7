"""The confirmation of a request: what became of each of its partners, with keys and log."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.s4hana.errors import Message
from sandbox.s4hana.model import Model
from sandbox.s4hana.soap.fields import padded
from sandbox.s4hana.soap.partner import listed
from sandbox.s4hana.soap.tree import Tree
from sandbox.s4hana.tables import Row

SYSTEM = "S4H_100"
"""The name of this system in message headers: system and client."""
SEVERITIES = {"info": "1", "warning": "2", "error": "3"}
DONE, FAILED = "3", "5"
"""Result codes: processed, not processed."""
LATE = "CON.LRC"
"""The category of a log item about a request that came too late."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one partner of a request.

    `header` and `node` are those of its message; `row` is the stored partner, None when there is none; `addresses` are its
    stored addresses; `category` is that of the log items.
    """

    header: Tree
    node: Tree
    row: Row | None
    addresses: Sequence[Row]
    messages: Sequence[Message]
    category: str = ""


def header(now: datetime, *, recipient: str = "", answered: Tree | None = None) -> Tree:
    """A message header with keys of its own, which names the message it answers."""
    key = uuid.uuid4()
    made = {
        "ID": key.hex,
        "UUID": str(key),
        "CreationDateTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "SenderBusinessSystemID": SYSTEM,
    }
    if recipient:
        made["RecipientBusinessSystemID"] = recipient
    for name in ("ID", "UUID"):
        if answered and answered.get(name):
            made[f"Reference{name}"] = answered[name]
    return made


def build(model: Model, request: Tree, outcomes: Sequence[Outcome], now: datetime) -> Tree:
    """The bulk confirmation of a request."""
    sender = request["MessageHeader"].get("SenderBusinessSystemID", "")
    return {
        "MessageHeader": header(now, recipient=sender, answered=request["MessageHeader"]),
        "BusinessPartnerSUITEReplicateConfirmationMessage": [
            {
                "MessageHeader": header(now, recipient=sender, answered=outcome.header),
                "BusinessPartner": _partner(model, outcome),
                "Log": _log(outcome),
            }
            for outcome in outcomes
        ],
    }


def _partner(model: Model, outcome: Outcome) -> Tree:
    sent, row = outcome.node, outcome.row
    made: Tree = {name: sent[name] for name in ("UUID", "InternalID", "ExternalID") if sent.get(name)}
    if row is None:
        return made
    made["ReceiverUUID"] = row["BusinessPartnerUUID"]
    made["ReceiverInternalID"] = padded(model["A_BusinessPartner"], "BusinessPartner", row["BusinessPartner"])
    if row.get("Customer"):
        customer = {"ReceiverInternalID": padded(model["A_Customer"], "Customer", row["Customer"])}
        if sent.get("Customer", {}).get("InternalID"):
            customer["InternalID"] = sent["Customer"]["InternalID"]
        made["Customer"] = customer
    addresses = [_address(node, outcome.addresses) for node in listed(sent, "AddressInformation")]
    made["AddressInformation"] = [address for address in addresses if address]
    return made


def _address(node: Tree, stored: Sequence[Row]) -> Tree | None:
    """The keys of an address that was sent, when it is there."""
    keys = {(node.get("ReceiverUUID") or "").lower(), (node.get("UUID") or "").lower()} - {""}
    external = node.get("ExternalAddressID")
    for row in stored:
        if row["AddressUUID"] in keys or (external and row.get("AddressIDByExternalSystem") == external):
            made = {"ReceiverUUID": row["AddressUUID"]}
            return made | {name: node[name] for name in ("UUID", "ExternalAddressID") if node.get(name)}
    return None


def _log(outcome: Outcome) -> Tree:
    highest = max(SEVERITIES[message.severity] for message in outcome.messages)
    failed = highest == SEVERITIES["error"] or outcome.category == LATE
    return {
        "BusinessDocumentProcessingResultCode": FAILED if failed else DONE,
        "MaximumLogItemSeverityCode": highest,
        "Item": [_item(message, outcome.category) for message in outcome.messages],
    }


def _item(message: Message, category: str) -> Tree:
    group, _, number = message.code.rpartition("/")
    made = {
        "TypeID": f"{number}({group})"[:40],
        "SeverityCode": SEVERITIES[message.severity],
        "Note": message.text[:200],
    }
    return made | ({"CategoryCode": category} if category else {})
