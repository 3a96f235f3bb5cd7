"""First data of a shop that has customers already, and the truth about them."""

from __future__ import annotations

import json
from typing import Any

from sandbox import prefill
from sandbox.commerce import database
from sandbox.commerce.database import Row
from sandbox.commerce.typesystem import DEFAULTS, STAMP
from sandbox.core import Store, Transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS truth (
    unit TEXT PRIMARY KEY, customer TEXT, rule TEXT NOT NULL, ambiguity INTEGER, candidates TEXT NOT NULL);
"""
DAY_MS = 86_400_000


def load(store: Store, plan: prefill.Plan) -> None:
    """Store the units of a plan once; no row of the commit log is written, because nobody did this."""
    store.script(SCHEMA)
    if store.meta("prefilled") is not None:
        return
    with store.write("load", "load") as tx:
        codes = {kind: _codes(tx, kind) for kind in ("Country", "Region")}
        number = 0
        for number, unit in enumerate(prefill.units(plan), 1):  # noqa: B007  # counts while it streams
            _insert(tx, unit, codes)
        tx.db.execute("INSERT INTO meta VALUES ('prefilled', ?)", (str(number),))


def _codes(tx: Transaction, kind: str) -> dict[str, int]:
    return {row["isocode"]: row["pk"] for row in database.rows(tx.db, kind)}


def _insert(tx: Transaction, unit: prefill.Unit, codes: dict[str, dict[str, int]]) -> None:
    stamp = database.now_ms(tx) - int(unit.age_days * DAY_MS)
    values: Row = {**DEFAULTS["B2BUnit"], **unit.values, STAMP: stamp, "locName": {}}
    homes = values.pop("addresses")
    owner = database.insert(tx, "B2BUnit", values)
    for home in homes:
        places = {"country": codes["Country"][home["country"]], "region": codes["Region"].get(home["region"])}
        database.insert(tx, "Address", {**DEFAULTS["Address"], **home, **places, "owner": owner, STAMP: stamp})
    told = (unit.uid, unit.customer, unit.rule, unit.case, json.dumps(unit.candidates))
    tx.db.execute("INSERT INTO truth VALUES (?, ?, ?, ?, ?)", told)


def truth(store: Store) -> dict[str, Any]:
    """Every prefilled unit with the customer it really is, and how many there are of each rule."""
    with store.read() as db:
        found = db.execute("SELECT unit, customer, rule, ambiguity, candidates FROM truth ORDER BY rowid").fetchall()
    units = [
        {"unit": unit, "customer": customer, "rule": rule, "case": case, "candidates": json.loads(candidates)}
        for unit, customer, rule, case, candidates in found
    ]
    sums = {rule: sum(entry["rule"] == rule for entry in units) for rule in prefill.RULES}
    cases = len({entry["case"] for entry in units} - {None})
    return {"units": units, "sums": {**sums, "cases": cases}}
