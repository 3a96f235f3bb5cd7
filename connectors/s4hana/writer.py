"""Changes as requests: a create is one deep insert, a change is a PATCH of the partner and one request for each child.

Nothing is sent here. A partner is read first when its state is not known well enough: without an ETag, without `before`,
or when lists are to be written (only the system knows the numbers of addresses and e-mails).
"""

from collections.abc import Iterable, Mapping, Sequence

from connectors.s4hana.bodies import Mistakes, body_bytes, deep, differing, flat, same
from connectors.s4hana.entities import (
    CUSTOMER,
    ENTITIES,
    FLAGS,
    MARK,
    PARTNER,
    PARTNER_LISTS,
    Entity,
    alpha,
)
from connectors.s4hana.lists import Below, Draft, Element
from connectors.s4hana.marks import mark_text
from connectors.s4hana.reader import Reader
from connectors.s4hana.service import Service
from l2c.contract import Change, Outcome, Prepared, Record, Request, Status
from l2c.errors import ConfigError
from l2c.http import EntityType, Metadata, entity_path


class Writer:
    """Turns changes of partners into requests."""

    def __init__(self, service: Service, reader: Reader) -> None:
        self._service = service
        self._reader = reader

    def prepare(self, entity: Entity, changes: Sequence[Change]) -> list[Prepared]:
        """One Prepared for each change, in order."""
        if entity.name != PARTNER:
            text = f"system '{self._service.system.name}': '{entity.name}' is not written by itself; write '{PARTNER}'"
            raise ConfigError(text, system=self._service.system.name, entity=entity.name)
        if not changes:
            return []
        metadata = self._service.metadata()
        targets = self._targets(metadata, changes)
        return [self._one(metadata, change, targets.get(change.record.key)) for change in changes]

    def _targets(self, metadata: Metadata, changes: Sequence[Change]) -> dict[str, Record]:
        """The present state of the partners that have to be looked at, by key as the change names it."""
        kind = metadata.sets[PARTNER]
        wanted: dict[str, None] = {}
        paths: dict[str, None] = {}
        for change in changes:
            if not change.record.key or change.record.deleted or not _needs_reading(kind, change):
                continue
            wanted[change.record.key] = None
            for data in (change.record.data, change.before or {}):
                paths.update(dict.fromkeys(_paths(metadata, kind, data)))
        if not wanted:
            return {}
        fields = [*paths] or ["BusinessPartner"]
        found = {alpha(record.key): record for record in self._reader.fetch(ENTITIES[PARTNER], list(wanted), fields)}
        return {key: found[alpha(key)] for key in wanted}

    def _one(self, metadata: Metadata, change: Change, target: Record | None) -> Prepared:
        if change.record.deleted:
            text = "S/4HANA deletes no partner through this API: block it instead"
            return _settled(change, Status.REJECTED, "not_deletable", text)
        if not change.record.key:
            return self._create(metadata, change)
        if target is not None and target.deleted:
            return _settled(change, Status.CONFLICT, "not_found", f"partner '{change.record.key}' does not exist")
        return self._change(metadata, change, target)

    def _create(self, metadata: Metadata, change: Change) -> Prepared:
        mistakes: Mistakes = []
        body = deep(metadata, metadata.sets[PARTNER], change.record.data, mistakes)
        if mistakes:
            return _rejected(change, mistakes)
        if change.mark is not None:
            body[MARK] = mark_text(change.mark)
        grouping = self._service.settings.partner_grouping
        if grouping is not None:
            body.setdefault("BusinessPartnerGrouping", grouping)
        return Prepared(change, (Request("POST", PARTNER, body_bytes(body)),))

    def _change(self, metadata: Metadata, change: Change, target: Record | None) -> Prepared:
        kind, data, key = metadata.sets[PARTNER], change.record.data, change.record.key
        present = target.data if target else change.before or {}
        etag = (target.etag if target else None) or change.etag
        if target and change.etag and target.etag and change.etag != target.etag:
            return _settled(change, Status.CONFLICT, "moved", f"partner '{key}' was changed since it was read")
        if target and change.etag is None and change.before is not None:
            moved = _moved(kind, change.before, target.data)
            if moved:
                text = f"partner '{key}' no longer shows what was last read: {', '.join(moved)}"
                return _settled(change, Status.CONFLICT, "moved", text)
        draft = Draft()
        path = entity_path(PARTNER, {"BusinessPartner": key})
        body = flat(kind, differing(kind, data, present), draft.mistakes, creating=False)
        if body:
            draft.patched.append(Request("PATCH", path, body_bytes(body), {"If-Match": etag} if etag else {}))
        below = Below(metadata, draft)
        for child in PARTNER_LISTS:
            if child.navigation in data:
                below.compare(child, path, data, present, change.before)
        if CUSTOMER in data:
            below.customer(data, present, change.before)
        if draft.mistakes:
            return _rejected(change, draft.mistakes)
        if draft.moved:
            return _settled(change, Status.CONFLICT, "moved", f"partner '{key}': {'; '.join(draft.moved)}")
        requests = draft.requests()
        if not requests:
            return Prepared(change, (), Outcome(Status.UNCHANGED, key, etag))
        return Prepared(change, requests)


def _needs_reading(kind: EntityType, change: Change) -> bool:
    nested = any(name in kind.navigations for name in change.record.data)
    return nested or change.etag is None or change.before is None


def _paths(metadata: Metadata, kind: EntityType, data: Element, prefix: str = "") -> Iterable[str]:
    """The dotted paths of everything `data` holds, with the key fields of every list."""
    for name, value in data.items():
        target = metadata.target(kind, name)
        if target is None:
            if name in kind.fields:
                yield prefix + name
            continue
        yield from (f"{prefix}{name}.{key}" for key in (*target.keys, *FLAGS.get(name, ())))
        elements = [value] if isinstance(value, Mapping) else value or ()
        for element in elements:
            yield from _paths(metadata, target, element, f"{prefix}{name}.")


def _settled(change: Change, status: Status, code: str, message: str) -> Prepared:
    return Prepared(change, (), Outcome(status, change.record.key or None, code=code, message=message))


def _rejected(change: Change, mistakes: Mistakes) -> Prepared:
    return _settled(change, Status.REJECTED, "invalid", "; ".join(f"{path}: {what}" for path, what in mistakes))


def _moved(kind: EntityType, before: Element, present: Element) -> list[str]:
    """The fields of a partner itself that show another value than `before`."""
    return [
        name
        for name, value in before.items()
        if name in kind.fields and name in present and not same(value, present[name], kind.fields[name])
    ]
