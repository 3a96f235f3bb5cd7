"""Webhooks of the shop: what was saved, as a CloudEvent in binary form (all that matters stands in headers)."""

from collections.abc import Mapping

from connectors.commerce.entities import KEY, Entity
from connectors.commerce.keys import joined, understood
from l2c.contract import Message, Received
from l2c.errors import ProtocolError

TYPE = "sap.cx.commerce.<integration object>.<operation>.v1"


def received(entities: Mapping[str, Entity], message: Message, system: str) -> Received:
    """The record a webhook names; ProtocolError, without its key, for what is none or tells of an object we do not know.

    The body is not read: webhooks overtake each other, so what the shop holds now is fetched instead.
    """
    number, kind, subject = (_header(message, name, system) for name in ("ce-id", "ce-type", "ce-subject"))
    entity = _entity(entities, kind, message.headers.get("ce-source", ""), system)
    values = understood(subject)
    if entity.key == KEY:
        return Received(number, ((entity.name, joined(values)),))
    if len(values) != 1 or not values[0]:
        text = f"header 'ce-subject' has {len(values)} segments, and the key of {entity.name} is '{entity.key}' alone"
        raise ProtocolError(f"system '{system}': a webhook's {text}", system=system, entity=entity.name)
    return Received(number, ((entity.name, values[0]),))


def _header(message: Message, name: str, system: str) -> str:
    value = message.headers.get(name, "").strip()
    if not value:
        raise ProtocolError(
            f"system '{system}': a message without the header '{name}': not a webhook of SAP Commerce", system=system
        )
    return value


def _entity(entities: Mapping[str, Entity], kind: str, source: str, system: str) -> Entity:
    """The entity whose integration object the type names, or the source where a shop has types of its own."""
    named = {*kind.split("."), *source.split("/")}
    found = [entity for entity in entities.values() if entity.object in named]
    if len(found) != 1:
        known = ", ".join(entity.object for entity in entities.values())
        text = f"a webhook of type '{kind[:120]}' names no integration object of the settings ({known})"
        raise ProtocolError(f"system '{system}': {text}; expected '{TYPE}'", system=system)
    return found[0]
