"""One change in progress: what it knows, finds wrong and may ask the store."""

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.core import Transaction
from sandbox.s4hana import derive, tables
from sandbox.s4hana.errors import Message
from sandbox.s4hana.filters import bind, expression
from sandbox.s4hana.model import Entity, Model
from sandbox.s4hana.tables import Row


@dataclass(slots=True)
class Context:
    """One change in progress: its transaction, who makes it, and what was found wrong or remarkable so far.

    `strict` is the API's way (fields it may not set and business mistakes are refused); a user at the control address
    may set everything that fits the field. `open_fields`: fields the OData service fills itself are accepted although
    the business checks apply, as replication needs it. `born` holds the numbers of partners created in this very change.
    """

    model: Model
    tx: Transaction
    user: str
    strict: bool
    now: datetime
    found: list[Message] = field(default_factory=list)
    warnings: list[Message] = field(default_factory=list)
    born: set[str] = field(default_factory=set)
    open_fields: bool = False

    def get(self, entity: str, **key: str) -> Row | None:
        """One stored record by its key fields."""
        return tables.get(self.tx.db, self.model[entity], key)

    def partner(self, row: Row, name: str = "BusinessPartner") -> Row:
        """The partner a record names in a field; one that does not exist is a mistake, and empty."""
        number = row.get(name) or ""
        owner = self.get("A_BusinessPartner", BusinessPartner=number) if number else None
        if owner is None:
            self.complain("R1/120", f"Business partner '{number}' does not exist", name)
        return owner or {}

    def complain(self, code: str, text: str, target: str) -> None:
        """Note a mistake."""
        self.found.append(Message(code, text, target))

    def stamp(self, row: Row, given: Row) -> None:
        """Move a partner's change stamp; a user at the control address may name another one (`given`)."""
        derive.stamp(row, self.now, self.user, self.tx.next_number("etag"))
        row.update({name: given[name] for name in derive.STAMP if name in given})

    def today(self) -> str:
        """The system's day, as a point in time at its beginning."""
        return f"{self.now:%Y-%m-%d}T00:00:00"

    @property
    def guarded(self) -> bool:
        """Whether fields the OData service fills itself are refused."""
        return self.strict and not self.open_fields

    def next_part(self, entity: Entity, owner: Row, part: str) -> int:
        """The number behind the highest one a key part has among the records that have the values of `owner`."""
        where, values = self._where(entity, owner)
        sql = f'SELECT max(CAST("{part}" AS INTEGER)) FROM "{entity.name}" WHERE {where}'
        return (self.tx.db.execute(sql, values).fetchone()[0] or 0) + 1

    def count(self, entity: Entity, owner: Row) -> int:
        """How many records of a set have the values of `owner`."""
        where, values = self._where(entity, owner)
        return int(self.tx.db.execute(f'SELECT count(*) FROM "{entity.name}" WHERE {where}', values).fetchone()[0])

    def find(self, entity: Entity, owner: Row) -> list[Row]:
        """The records of a set that have the values of `owner`, in no particular order."""
        where, values = self._where(entity, owner)
        found = self.tx.db.execute(f'SELECT data FROM "{entity.name}" WHERE {where}', values).fetchall()
        return [tables.decode(data) for (data,) in found]

    def _where(self, entity: Entity, owner: Row) -> tuple[str, list[object]]:
        props = [entity.properties[name] for name in owner]
        where = " AND ".join(f"{expression(prop)} = ?" for prop in props)
        return where, [bind(prop, owner[prop.name]) for prop in props]
