"""Partners and their contact persons together: what the tests of both flows share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from l2c.hub import Hub
from tests.conftest import Clock
from tests.integration.world import FLOW, SOURCE, TARGET, World

CONTACT = "contact"
RELATIONSHIP, PARTNER, FUNCTION = "A_BusinessPartnerContact", "A_BusinessPartner", "A_BPContactToFuncAndDept"
COMPANY = {
    "name": "Orgelbau Seifert KG",
    "vatID": "DE811234567",
    "l2cEmail": "werkstatt@orgelbau-seifert.example",
    "address": {"streetname": "Pfeifenweg", "postalcode": "89073", "town": "Ulm", "country": "DE"},
}


class Both:
    """Both flows of one installation, run round by round; time passes between rounds."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = Clock(datetime.now(UTC))

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        """The façade at this moment."""
        with self.world.hub(clock=self.clock) as hub:
            yield hub

    def round(self, *entities: str, kind: str = "capture") -> dict[str, dict[str, int]]:
        """Both systems are read, then both are written; the counts of each distribution by `entity.system`."""
        done: dict[str, dict[str, int]] = {}
        with self.hub() as hub:
            for entity in entities or (FLOW, CONTACT):
                for system in (SOURCE, TARGET):
                    assert hub.capture(entity, system, kind=kind).status in ("done", "nothing")
                for system in (TARGET, SOURCE):
                    done[f"{entity}.{system}"] = dict(hub.distribute(entity, system).counts)
        self.clock.forward(minutes=2)
        return done

    def settle(self, *, at_most: int = 8) -> int:
        """Rounds until nothing is written any more; how many it took."""
        for number in range(at_most):
            written = {name: counts.get("written", 0) for name, counts in self.round().items()}
            if not any(written.values()) and number:
                with self.hub() as hub:
                    assert [letter.message for letter in hub.dead_letters()] == []
                return number
        raise AssertionError(f"not quiet after {at_most} rounds: {written}")

    def states(self, entity: str, key: str, target: str) -> list[Mapping[str, Any]]:
        """The states of one record in a target."""
        with self.hub() as hub:
            view = hub.show(entity, key)
        assert view is not None
        return [one for one in view.distributions if one["target"] == target]

    # S/4HANA

    def company(self, name: str = "Nord Maschinenbau GmbH", **fields: Any) -> str:
        """A customer organization, made by a user of S/4HANA; its number."""
        return self._customer("2", OrganizationBPName1=name, **fields)

    def consumer(self, first: str, last: str, mail: str) -> str:
        """A person who is a customer; the number."""
        return self._customer("1", mail, FirstName=first, LastName=last)

    def _customer(self, category: str, mail: str = "post@nord.example", **fields: Any) -> str:
        place = {"StreetName": "Hafenweg", "PostalCode": "20457", "CityName": "Hamburg", "Country": "DE"}
        values = {
            "BusinessPartnerCategory": category,
            "BusinessPartnerGrouping": "BP02",
            "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}],
            "to_BusinessPartnerAddress": [{**place, "to_EmailAddress": [{"EmailAddress": mail}]}],
            **fields,
        }
        return self.world.s4.create(PARTNER, values)

    def person(self, first: str, last: str) -> str:
        """A person without a role; the number."""
        values = {"BusinessPartnerCategory": "1", "BusinessPartnerGrouping": "BP02"}
        return self.world.s4.create(PARTNER, {**values, "FirstName": first, "LastName": last})

    def relationship(self, company: str, person: str, mail: str, **fields: Any) -> str:
        """A person becomes the contact of a company; the key of the relationship at the control address."""
        function = {"ContactPersonFunction": "0001", "EmailAddress": mail, "PhoneNumber": "040 5550"}
        values = {"BusinessPartnerCompany": company, "BusinessPartnerPerson": person}
        return self.world.s4.create(RELATIONSHIP, {**values, "to_ContactRelationship": {**function, **fields}})

    def relationships(self) -> list[dict[str, Any]]:
        """Every relationship S/4HANA has."""
        return [row for _, row in self.world.s4.records(RELATIONSHIP)]

    def partner(self, number: str) -> dict[str, Any]:
        """A partner of S/4HANA."""
        found = self.world.s4.record(PARTNER, number)
        assert found is not None
        return found

    def see_children(self, entity: str = FLOW) -> None:
        """What a change of children needs to be seen: every watch of S/4HANA."""
        with self.hub() as hub:
            for source in hub.project.flow(entity).active_capture()[SOURCE].watch:
                hub.capture(entity, SOURCE, kind="watch", watch=source)

    # The shop

    def register(self, kind: str, **form: Any) -> dict[str, Any]:
        """A registration at the storefront; its answer."""
        answer: dict[str, Any] = self.world.shop.tell("register", kind=kind, **form)
        return answer

    def unit(self, number: str) -> dict[str, Any]:
        """The unit of a partner."""
        found = [row for _, row in self.world.shop.records("B2BUnit") if row["l2cPartnerNumber"] == number]
        assert len(found) == 1, f"partner {number} has {len(found)} units"
        return found[0]

    def customers(self) -> dict[str, dict[str, Any]]:
        """The contact persons of the shop by e-mail address."""
        found = [row for _, row in self.world.shop.records("B2BCustomer")]
        by_mail = {row["email"]: row for row in found}
        assert len(by_mail) == len(found), "one e-mail address stands twice"
        return by_mail

    def customer(self, key: str) -> dict[str, Any]:
        """A contact person of the shop by its key."""
        found = self.world.shop.record("B2BCustomer", key)
        assert found is not None
        return found
