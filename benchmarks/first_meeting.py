"""`python -m benchmarks.first_meeting [CUSTOMERS]`: both systems have their customers before they meet, the hub finds who is who.

Writes `build/reports/first_meeting.json`. Who each unit of the shop really is, the simulated shop says; what became of them is
read from the two systems and their commit logs alone, and from what `l2c matches` lists.
"""

import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.home import ENTITY, ROOT, SOURCE, TARGET
from benchmarks.plants import System
from benchmarks.reconcile import command, environment, sandbox
from benchmarks.reporting import write_report

CUSTOMERS = 10_000
SECOND_RULE, AMBIGUOUS = 0.03, 0.01
SEED = 7
PARTNER, UNIT, S4_ADDRESS = "A_BusinessPartner", "B2BUnit", "A_BusinessPartnerAddress"
WHERE = ("streetname", "streetnumber", "postalcode", "town", "pobox", "country")
OWN_MAIL, S4_MAIL, ROLE = "A_BPAddressIndependentEmail", "A_AddressEmailAddress", "A_BusinessPartnerRole"
KEY_TAKEN = "key_taken"  # how a dead letter says that another record has its key
S4_WHERE = ("StreetName", "HouseNumber", "PostalCode", "CityName", "POBox", "Country")


class Watched(System):
    """A simulated system whose commit log and knowledge are read too."""

    def ask(self, path: str, **params: Any) -> Any:
        """A GET below the control address."""
        return self._call(f"{path}?{urlencode(params)}")

    def log(self, entity: str) -> Iterator[Mapping[str, Any]]:
        """What was committed by others than its own users."""
        after = 0
        while entries := self.ask("log", entity=entity, after=after, limit=1000)["entries"]:
            yield from entries
            after = entries[-1]["seq"]


@dataclass(frozen=True, slots=True)
class Before:
    """What the two systems hold before the hub comes: who each unit really is, partner numbers, addresses of partners."""

    truth: list[Mapping[str, Any]]
    partners: Mapping[str, str]  # by customer number
    addresses: Counter[tuple[str, ...]]
    logins: Mapping[str, str]  # of each customer who is a person, by partner number: what a consumer signs in with


@dataclass(slots=True)
class Verdict:
    """What became of them; `lines` name every customer that is not as it should be."""

    figures: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def options(customers: int) -> tuple[list[str], list[str]]:
    """How the two systems are started."""
    cases = round(customers * AMBIGUOUS)
    common = ["--seed", str(SEED), "--partners", str(customers * 2), "--twins", str(max(cases // 2, 1))]
    shop = ["--prefill", str(customers), "--second-rule", str(SECOND_RULE), "--ambiguous", str(AMBIGUOUS)]
    return common, [*common, *shop]


def look(s4: Watched, shop: Watched) -> Before:
    """The state before."""
    partners = {data["Customer"]: number for number, data in s4.records(PARTNER) if data["Customer"]}
    return Before(shop.ask("truth")["units"], partners, s4_addresses(s4), s4_logins(s4))


def s4_logins(s4: Watched) -> dict[str, str]:
    """Of each customer who is a person and has an e-mail address, its own or else that of an address: this, in small letters."""
    roles = {data["BusinessPartner"] for _, data in s4.records(ROLE) if data["BusinessPartnerRole"].startswith("FLCU")}
    persons = {number for number, data in s4.records(PARTNER) if data["BusinessPartnerCategory"] == "1"} & roles
    owner = {data["AddressID"]: data["BusinessPartner"] for _, data in s4.records(S4_ADDRESS)}
    mails: dict[str, str] = {}
    for _, data in s4.records(OWN_MAIL):
        mails.setdefault(data["BusinessPartner"], data["EmailAddress"])
    for _, data in s4.records(S4_MAIL):
        mails.setdefault(owner.get(data["AddressID"], ""), data["EmailAddress"])
    return {number: mails[number].lower() for number in sorted(persons) if mails.get(number)}


def s4_addresses(s4: Watched) -> Counter[tuple[str, ...]]:
    """How often each partner has each address."""
    return Counter(
        (data["BusinessPartner"], *(str(data[name] or "") for name in S4_WHERE)) for _, data in s4.records(S4_ADDRESS)
    )


def judge(before: Before, s4: Watched, shop: Watched, listed: Mapping[str, frozenset[str]]) -> Verdict:
    """Compare what the systems hold now with the truth; `listed`: of each unit `l2c matches` names, the customers it may be."""
    units, found = dict(shop.records(UNIT)), Verdict()
    rules = Counter(one["rule"] for one in before.truth)
    right: Counter[str] = Counter()
    wrong = doubled = unlisted = 0
    for one in before.truth:
        unit, has = units.get(one["unit"], {}), units.get(one["unit"], {}).get("l2cPartnerNumber")
        if one["customer"] is not None and has == before.partners[one["customer"]]:
            right[one["rule"]] += 1
        elif has is not None or not unit:
            wrong += 1
            found.lines.append(f"wrong link: {one['unit']} ({one['rule']}) is {has}")
        if one["rule"] == "ambiguous" and not frozenset(one["candidates"]) <= listed.get(one["unit"], frozenset()):
            unlisted += 1
            found.lines.append(f"not listed: {one['unit']}")
    there = {name for one in before.truth for name in (one["customer"], *one["candidates"]) if name is not None}
    for entry in shop.log(UNIT):
        unit = units.get(entry["key"], {})
        if entry["action"] == "created" and (unit.get("l2cCustomerNumber") in there):
            doubled += 1
            found.lines.append(f"doubled in the shop: {entry['key']}")
    for entry in s4.log(PARTNER):
        if entry["action"] == "created":
            doubled += 1
            found.lines.append(f"doubled in S/4HANA: {entry['key']}")
    found.figures = {
        "customers": len(before.truth),
        "matched": sum(right.values()),
        "by_second_rule": right["vat"],
        "ambiguous": rules["ambiguous"],
        "ambiguous_listed": rules["ambiguous"] - unlisted,
        "listed_besides": len(set(listed) - {one["unit"] for one in before.truth if one["rule"] == "ambiguous"}),
        "doubled": doubled,
        "wrong_links": wrong,
        "doubled_addresses": _doubled_addresses(before, s4, units, found.lines),
        "expected": {name: rules[name] for name in ("customer_number", "vat", "ambiguous")},
    }
    return found


def judge_letters(logins: Mapping[str, str], letters: Sequence[Mapping[str, Any]], found: Verdict) -> None:
    """Of the persons who share an address to sign in with one can be a consumer: the others, and nobody else, are set aside."""
    sharing = {mail: count - 1 for mail, count in Counter(logins.values()).items() if count > 1}
    aside: Counter[str] = Counter()
    strange = 0
    for one in letters:
        mail = logins.get(one["key"], "")
        if one["code"] == KEY_TAKEN and one["system"] == TARGET and mail in sharing:
            aside[mail] += 1
        else:
            strange += 1
            found.lines.append(f"dead letter nobody expects: {one['system']} {one['key']}: {one['code']}")
    for mail in sorted(sharing):
        if aside[mail] != sharing[mail]:
            strange += abs(aside[mail] - sharing[mail])
            names = ", ".join(number for number, other in logins.items() if other == mail)
            found.lines.append(f"of {names}, who share an address, {aside[mail]} are dead letters, not {sharing[mail]}")
    found.figures["dead_letters"] = len(letters)
    found.figures["dead_letters_expected"] = sum(sharing.values())
    found.figures["dead_letters_strange"] = strange


def _doubled_addresses(before: Before, s4: Watched, units: Mapping[str, Mapping[str, Any]], lines: list[str]) -> int:
    """Addresses that stand twice, with all their words, where they stood once."""
    doubled = 0
    for key, count in s4_addresses(s4).items():
        if count > max(before.addresses[key], 1):
            doubled += 1
            lines.append(f"doubled address of partner {key[0]}")
    twice = {key for key, count in before.addresses.items() if count > 1}
    for key, unit in units.items():
        seen = Counter(tuple(str(one[name] or "") for name in WHERE) for one in unit["addresses"])
        own = {place[1:] for place in twice if place[0] == unit["l2cPartnerNumber"]}
        if any(count > 1 for count in seen.values()) and not own:
            doubled += 1
            lines.append(f"doubled address of unit {key}")
    return doubled


def listed_matches(env: dict[str, str], customers: int) -> dict[str, frozenset[str]]:
    """What `l2c matches` names: of each unit the S/4HANA customers it may be."""
    answer = json.loads(command(env, "matches", ENTITY, "--json", "--limit", str(customers + 1)))
    return {one["key"]: frozenset(possible["data"]["customer_number"] for possible in one["records"]) for one in answer}


def play(work: Path, customers: int, say: Any = print) -> Verdict:
    """Load both systems, distribute both ways until nothing is written any more, judge."""
    home = work / "home"
    for part in ("config", "mappings"):
        shutil.copytree(ROOT / part, home / part)
    with (home / "config" / "flows" / f"{ENTITY}.yaml").open("a", encoding="utf-8") as flow:
        flow.write("\nerror_budget: {share: 100, most: 1000000}\n")  # what cannot be written is counted, not stopped at
    for_s4, for_shop = options(customers)
    with sandbox("s4hana", work / "s4", *for_s4) as source, sandbox("commerce", work / "shop", *for_shop) as target:
        s4, shop = Watched(source.url), Watched(target.url)
        env, before = environment(home, work / "state.db", s4, shop), look(s4, shop)
        begun, took = time.monotonic(), {}
        for number in range(3):
            for verb, system in (
                ("capture", SOURCE),
                ("capture", TARGET),
                ("distribute", TARGET),
                ("distribute", SOURCE),
            ):
                at = time.monotonic()
                said = command(env, verb, ENTITY, system, expect=(0, 1))
                took[f"{verb}_{system}_{number + 1}"] = round(time.monotonic() - at, 1)
                say(f"{took[f'{verb}_{system}_{number + 1}']:6.1f} s  {said.strip()}")
        seconds = round(time.monotonic() - begun, 1)
        found = judge(before, s4, shop, listed_matches(env, customers))
        letters = json.loads(command(env, "dead-letters", ENTITY, "--json", "--limit", "100000", expect=(0, 1)))
    judge_letters(before.logins, letters, found)
    found.figures |= {"seconds": seconds, "seconds_by_run": took}
    return found


def passed(figures: Mapping[str, Any]) -> bool:
    """Whether nobody was doubled or linked wrongly, everybody who can be found was, the others are listed, as many are set
    aside as cannot be written."""
    expected = figures["expected"]
    return (
        figures["doubled"] == figures["wrong_links"] == figures["doubled_addresses"] == 0
        and figures["matched"] == expected["customer_number"] + expected["vat"]
        and figures["by_second_rule"] == expected["vat"] > 0
        and figures["ambiguous_listed"] == figures["ambiguous"] > 0
        and figures["listed_besides"] == figures["dead_letters_strange"] == 0
        and figures["dead_letters"] == figures["dead_letters_expected"]
    )


def main() -> int:
    """Play, write the report; 0 when it passed."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    started, begun = datetime.now(UTC), time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="l2c-first-meeting-"))
    try:
        found = play(work, customers)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    ok, seconds = passed(found.figures), time.monotonic() - begun
    write_report("first_meeting", found.figures, started=started, seconds=seconds, ok=ok)
    print(json.dumps(found.figures, indent=2))
    for line in found.lines[:50]:
        print(line)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
