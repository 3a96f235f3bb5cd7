"""The addresses `/_control/price` and `/_control/prices`: what an item costs by the condition records of this moment."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.core import App, Handler, Request, Response, json_response
from sandbox.s4hana.model import Model
from sandbox.s4hana.sales.lookup import Lookup
from sandbox.s4hana.sales.pricing import Price, per_unit, price
from sandbox.s4hana.settings import Settings


class Prices:
    """Answers what the system would charge.

    An enquiry has `material`, and may have `customer`, `date` (today), `quantity` (1), `unit` (the base unit),
    `sales_organization` (1010), `distribution_channel` (10), `division` (00).
    """

    def __init__(self, app: App, model: Model, settings: Settings) -> None:
        self.app = app
        self.model = model
        self.settings = settings

    def controls(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each."""
        return [("GET", "/price", self._one), ("POST", "/prices", self._many)]

    def _one(self, request: Request) -> Response:
        with self.app.store.read() as db:
            return json_response(self._answer(Lookup(db, self.model), request.params))

    def _many(self, request: Request) -> Response:
        """A list `items` of enquiries; one that cannot be answered has `error` in its place."""
        with self.app.store.read() as db:
            lookup = Lookup(db, self.model)
            return json_response({"items": [_told(self._answer, lookup, item) for item in request.json()["items"]]})

    def _answer(self, lookup: Lookup, wanted: Mapping[str, Any]) -> dict[str, Any]:
        enquiry = lookup.enquiry(wanted, self.app.clock.now().date())
        found = price(enquiry, lookup.candidates(enquiry), remaining=self.settings.discount_base == "remaining")
        asked = {"date": enquiry.day.isoformat(), "quantity": str(enquiry.quantity), "unit": enquiry.unit}
        if found is None:
            return {**asked, "found": False}
        return {**asked, "found": True, **_shown(found), "net_price": str(per_unit(found, enquiry.quantity))}


def _shown(found: Price) -> dict[str, Any]:
    steps = [
        {
            "record": step.condition.record,
            "type": step.condition.type,
            "table": step.condition.table,
            "rate": str(step.rate),
            "unit": step.condition.unit,
            "amount": str(step.amount),
        }
        for step in found.steps
    ]
    return {"currency": found.currency, "gross": str(found.gross), "net": str(found.net), "conditions": steps}


def _told(
    answer: Callable[[Lookup, Mapping[str, Any]], dict[str, Any]], lookup: Lookup, item: Mapping[str, Any]
) -> dict[str, Any]:
    """One answer of many; what is wrong with one does not stop the others."""
    try:
        return answer(lookup, item)
    except KeyError as error:
        return {"error": f"not found: {error.args[0]}"}
    except (ValueError, TypeError, ArithmeticError) as error:
        return {"error": str(error)}
