"""The mobile number of a contact person: the person's own, or one of a workplace; changed where it stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.s4hana.bodies import Mistakes, body_bytes, deep, flat
from connectors.s4hana.contacts import OWN_MOBILE, PERSON
from connectors.s4hana.entities import PARTNER
from l2c.contract import Change, Request
from l2c.http import Metadata, entity_path

Data = Mapping[str, Any]

OWN = "A_BPAddressIndependentMobile"
WORKPLACES, AT_WORK = "to_ContactAddress", "to_MobilePhoneNumber"
LINES = "A_AddressPhoneNumber"
_NUMBER = {OWN: "MobilePhoneNumber", LINES: "PhoneNumber"}
_EXTENSION = "PhoneNumberExtension"


def concerned(changes: Sequence[Change]) -> bool:
    """Whether any of these changes speaks of a mobile number."""
    return any(OWN_MOBILE in (change.record.data.get(PERSON) or {}) for change in changes)


def paths(metadata: Metadata) -> Iterator[str]:
    """What has to be read to know where a number stands."""
    for name in (*metadata.sets[OWN].keys, _NUMBER[OWN], _EXTENSION):
        yield f"{PERSON}.{OWN_MOBILE}.{name}"
    for name in (*metadata.sets[LINES].keys, _NUMBER[LINES], _EXTENSION):
        yield f"{WORKPLACES}.{AT_WORK}.{name}"


def requests(
    metadata: Metadata, wanted: Data, known: Data | None, person: Data, mistakes: Mistakes
) -> Iterable[Request]:
    """What makes the number the wanted one: changed or removed wherever the known one stands, else added to the person.

    `wanted` and `known` are persons as the mapping writes them; `person` is the one SAP shows, with the contact's workplaces.
    """
    new, old = _first(wanted), _first(known or {})
    if _said(OWN, new) == _said(OWN, old):
        return
    there = [(OWN, row) for row in person.get(OWN_MOBILE) or ()]
    for place in person.get(WORKPLACES) or ():
        there += [(LINES, row) for row in place.get(AT_WORK) or ()]
    standing = [(entity, row) for entity, row in there if old and _said(entity, row) == _said(OWN, old)]
    if standing:
        for entity, row in standing:
            yield from _changed(metadata, entity, row, new, mistakes)
    elif new and not any(_said(entity, row) == _said(OWN, new) for entity, row in there):
        body = deep(metadata, metadata.sets[OWN], new, mistakes, f"{PERSON}.{OWN_MOBILE}.")
        path = entity_path(PARTNER, {"BusinessPartner": person["BusinessPartner"]})
        yield Request("POST", f"{path}/{OWN_MOBILE}", body_bytes(body))


def _changed(metadata: Metadata, entity: str, row: Data, new: Data, mistakes: Mistakes) -> Iterable[Request]:
    kind = metadata.sets[entity]
    types = {name: schema.type for name, schema in kind.fields.items()}
    path = entity_path(entity, {name: row[name] for name in kind.keys}, types)
    if not new:
        yield Request("DELETE", path)
        return
    values = {_NUMBER[entity]: new.get(_NUMBER[OWN]), _EXTENSION: new.get(_EXTENSION)}
    yield Request(
        "PATCH", path, body_bytes(flat(kind, values, mistakes, prefix=f"{PERSON}.{OWN_MOBILE}.", creating=False))
    )


def _first(person: Data) -> Data:
    return next(iter(person.get(OWN_MOBILE) or ()), {})


def _said(entity: str, row: Data) -> str:
    """A number with its extension, which may stand in one field or in two."""
    return "-".join(str(row[name]) for name in (_NUMBER[entity], _EXTENSION) if row.get(name))
