"""What users do to partners that no field alone shows: marking for archiving, merging a duplicate into another."""

from sandbox.core import Handler, Request, Response, Transaction, json_response
from sandbox.s4hana import tables
from sandbox.s4hana.change import change_record
from sandbox.s4hana.context import Context
from sandbox.s4hana.create import create_record
from sandbox.s4hana.service import Service
from sandbox.s4hana.tables import Row

PERSON = "MILLER"
"""Who makes the changes of the control address, and holds the locks."""
MERGED = "ZMERGE"
"""The customer's own identification type under which a merged partner names the one that stays."""
ARCHIVED = {"IsMarkedForArchiving": True}
MERGE = {**ARCHIVED, "BusinessPartnerIsBlocked": True}


class Users:
    """The addresses `/_control/archive` and `/_control/merge`."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def controls(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each."""
        return [("POST", "/archive", self._archive), ("POST", "/merge", self._merge)]

    def _archive(self, request: Request) -> Response:
        key = request.json()["key"]
        with self.service.app.store.write(request.id, "user") as tx:
            context, row = self._partner(tx, key)
            change_record(context, context.model["A_BusinessPartner"], row, ARCHIVED)
        return json_response({"key": key})

    def _merge(self, request: Request) -> Response:
        content = request.json()
        loser, winner, kind = content["loser"], content["winner"], content.get("type", MERGED)
        with self.service.app.store.write(request.id, "user") as tx:
            context, row = self._partner(tx, loser)
            _, other = self._partner(tx, winner)
            self._check(context, row, other, kind)
            if all(row.get(name) is value for name, value in MERGE.items()):
                # nothing of the partner's own changes, but a merge shows in its stamp
                context.stamp(row, {})
            change_record(context, context.model["A_BusinessPartner"], row, MERGE)
            identification = {
                "BusinessPartner": row["BusinessPartner"],
                "BPIdentificationType": kind,
                "BPIdentificationNumber": other["BusinessPartner"],
                "BPIdentificationEntryDate": context.today(),
            }
            create_record(context, context.model["A_BuPaIdentification"], identification)
        return json_response({"loser": row["BusinessPartner"], "winner": other["BusinessPartner"]})

    def _partner(self, tx: Transaction, key: str) -> tuple[Context, Row]:
        context = self.service.context(tx, strict=False, user=PERSON)
        entity = context.model["A_BusinessPartner"]
        row = tables.get(tx.db, entity, tables.parse_key(entity, key))
        if row is None:
            raise KeyError(f"A_BusinessPartner '{key}'")
        return context, row

    def _check(self, context: Context, loser: Row, winner: Row, kind: str) -> None:
        if loser["BusinessPartner"] == winner["BusinessPartner"]:
            raise ValueError("a partner cannot be merged into itself")
        for row in (loser, winner):
            wanted = {"BusinessPartner": row["BusinessPartner"], "BPIdentificationType": kind}
            if context.find(context.model["A_BuPaIdentification"], wanted):
                raise ValueError(f"partner '{row['BusinessPartner']}' was merged already")
