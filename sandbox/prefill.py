"""Units a shop already has when it meets S/4HANA: made of the same partners, each with the truth about who it is.

The same seed, number of partners and twins give the S/4HANA side its partners; from them a share becomes units with uids and
public keys of the shop's own. Every draw is seeded, so the truth is known without asking either system.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox import generator
from sandbox.generator import PLAIN
from sandbox.twins import Partner, is_customer_organization, paired, vat_record

FIRST_PUBLIC_KEY = 8_796_093_022_231
STEP = 32_768
"""Public keys look like the shop's primary keys of addresses: far apart, the same end."""
RULES = ("customer_number", "vat", "ambiguous", "none")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make: `units` of the customers of `partners`, and of them how many are hard to recognise.

    `second_rule` is the share of units that can be matched by VAT number and country only. `ambiguous` is a share below 1 or
    a number of cases: two units with the VAT number of one customer, or one unit with that of a pair of `twins`.
    `strangers` come on top: units that no partner corresponds to.
    """

    seed: int
    partners: int
    units: int
    second_rule: float = 0.03
    ambiguous: float = 0.01
    twins: int = 0
    strangers: int = 0

    def count(self, share: float) -> int:
        """A share of the units, or the number itself where it is 1 or more."""
        return round(share * self.units if share < 1 else share)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: native values with its address, days since it last changed, and the truth about it.

    `customer` is the S/4HANA customer number or None, `rule` one of `RULES`, `candidates` the customers an ambiguous unit
    could be, `case` the number of that ambiguity.
    """

    uid: str
    values: dict[str, Any]
    age_days: float
    rule: str
    customer: str | None = None
    case: int | None = None
    candidates: tuple[str, ...] = ()


@dataclass(slots=True)
class _Roles:
    """What becomes of each partner, by its number."""

    numbered: set[str] = field(default_factory=set)
    second: set[str] = field(default_factory=set)
    doubled: dict[str, int] = field(default_factory=dict)
    twins: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)


def units(plan: Plan) -> Iterator[Unit]:
    """All units in the order of their customers. Raises ValueError when the partners are too few for the plan."""
    if plan.units <= 0:
        return
    roles = _cast(plan)
    maker = _Maker(random.Random(f"units {plan.seed}"))
    for partner in _partners(plan):
        number = partner["BusinessPartner"]
        if number in roles.numbered:
            yield maker.unit(partner, "customer_number", customer=partner["Customer"])
        elif number in roles.second:
            yield maker.unit(partner, "vat", customer=partner["Customer"])
        elif number in roles.doubled:
            for _ in range(2):
                yield maker.unit(partner, "ambiguous", case=roles.doubled[number], candidates=(partner["Customer"],))
        elif number in roles.twins:
            case, candidates = roles.twins[number]
            yield maker.unit(partner, "ambiguous", case=case, candidates=candidates)
    yield from _strangers(plan, maker)


def _partners(plan: Plan) -> Iterator[Partner]:
    return paired(generator.partners(plan.seed, plan.partners), plan.twins)


def _strangers(plan: Plan, maker: _Maker) -> Iterator[Unit]:
    """Units of another generation, without VAT numbers so that none can be one of ours by chance."""
    left = plan.strangers
    for partner in generator.partners(plan.seed + 1_000_003, 4 * left + 20):
        if left and is_customer_organization(partner):
            left -= 1
            yield maker.unit({**partner, "to_BusinessPartnerTax": []}, "none")


@dataclass(slots=True)
class _Census:
    """The customers a unit can be made of, and whose VAT numbers are shared."""

    plain: list[str] = field(default_factory=list)
    with_vat: list[str] = field(default_factory=list)
    pairs: list[tuple[tuple[str, str], ...]] = field(default_factory=list)


def _census(plan: Plan) -> _Census:
    """Two customers may have one VAT number by chance, too: they count as a pair, and nobody with a shared one as plain."""
    holders: dict[str, str] = {}
    shared: dict[str, list[tuple[str, str]]] = {}
    customers: list[tuple[str, str, str]] = []
    for partner in _partners(plan):
        number, tax = partner["BusinessPartner"], vat_record(partner)
        vat = tax["BPTaxNumber"] if tax else ""
        customer = partner["Customer"] if is_customer_organization(partner) else ""
        if customer:
            customers.append((number, customer, vat))
        if vat and vat in holders:
            shared.setdefault(vat, [])
        holders.setdefault(vat, number)
    found = _Census()
    for number, customer, vat in customers:
        if vat in shared:
            shared[vat].append((number, customer))
            continue
        found.plain.append(number)
        if vat:
            found.with_vat.append(number)
    found.pairs = [tuple(pair) for pair in shared.values() if len(pair) == 2]
    return found


def _cast(plan: Plan) -> _Roles:
    """Draw who becomes what."""
    census, draw = _census(plan), random.Random(f"prefill {plan.seed}")
    cases, second = plan.count(plan.ambiguous), plan.count(plan.second_rule)
    of_twins = draw.sample(census.pairs, min(cases // 2, len(census.pairs), plan.twins))
    doubled = cases - len(of_twins)
    numbered = plan.units - second - 2 * doubled - len(of_twins)
    hard = _sample(draw, census.with_vat, doubled + second, "customers with a VAT number of their own")
    taken = set(hard)
    rest = [number for number in census.plain if number not in taken]
    roles = _Roles(set(_sample(draw, rest, numbered, "further customers")), set(hard[doubled:]))
    roles.doubled = {number: case for case, number in enumerate(hard[:doubled], 1)}
    for case, pair in enumerate(of_twins, doubled + 1):
        roles.twins[pair[0][0]] = (case, tuple(customer for _, customer in pair))
    return roles


def _sample(draw: random.Random, choices: Sequence[str], count: int, what: str) -> list[str]:
    if not 0 <= count <= len(choices):
        raise ValueError(f"{count} {what} are needed for the units asked for, and {len(choices)} are there")
    return draw.sample(choices, count)


class _Maker:
    """The random source of small differences, and the running numbers of one shop."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.made = 0

    def unit(self, partner: Partner, rule: str, **truth: Any) -> Unit:
        """A unit as the shop's people would have entered this customer."""
        self.made += 1
        roll = self.source.random
        uid = own_uid(partner["BusinessPartnerName"], self.made)
        name = _name(partner)
        tax = vat_record(partner)
        mails = partner["to_BusinessPartnerAddress"][0]["to_EmailAddress"]
        customer = partner.get("to_Customer", {})
        values = {
            "uid": uid,
            "name": name if roll() < 0.9 else name.upper(),
            "vatID": tax["BPTaxNumber"] if tax and (rule != "customer_number" or roll() < 0.8) else None,
            "l2cCustomerNumber": partner["Customer"] if rule == "customer_number" else None,
            "l2cEmail": mails[0]["EmailAddress"] if mails else None,
            "active": not (partner["BusinessPartnerIsBlocked"] or customer.get("OrderIsBlockedForCustomer")),
            "addresses": [self.address(partner["to_BusinessPartnerAddress"][0], name)],
        }
        return Unit(uid, values, 1 + roll() * 700, rule, **truth)

    def address(self, there: Partner, company: str) -> dict[str, Any]:
        """The partner's first address under a key of the shop, now and then written otherwise."""
        roll = self.source.random
        street, phone = there["StreetName"], there["to_PhoneNumber"][0]["PhoneNumber"]
        if roll() < 0.05:
            street = street.replace("straße", "str.").replace("Street", "St.")
        if roll() < 0.15:
            phone = f"{phone[:-1]}{(int(phone[-1]) + 1) % 10}"
        mails = there["to_EmailAddress"]
        return {
            "publicKey": str(FIRST_PUBLIC_KEY + STEP * self.made),
            "duplicate": False,
            "company": company,
            "streetname": street,
            "streetnumber": there["HouseNumber"],
            "postalcode": there["PostalCode"],
            "town": there["CityName"],
            "country": there["Country"],
            "region": f"{there['Country']}-{there['Region']}",
            "pobox": there.get("POBox"),
            "phone1": phone,
            "email": mails[0]["EmailAddress"] if mails else None,
            "billingAddress": True,
            "shippingAddress": True,
        }


def _name(partner: Partner) -> str:
    return " ".join(filter(None, (partner["OrganizationBPName1"], partner["OrganizationBPName2"])))


def own_uid(name: str, number: int) -> str:
    """A uid as a shop makes it of a company's name: plain letters, a running number behind."""
    plain = "-".join(part for part in name.translate(PLAIN).lower().split("-") if part.isascii() and part)
    return f"{plain[:30].rstrip('-') or 'unit'}-{number}"
