"""What users do at the control address: marking for archiving and merging."""

import pytest
import requests


def stamp(s4, number: str) -> tuple[str, ...]:
    record = s4.record(f"A_BusinessPartner('{number}')")
    return record["LastChangeDate"], record["LastChangeTime"], record["ETag"]


def flags(s4, number: str) -> tuple[bool, bool]:
    record = s4.record(f"A_BusinessPartner('{number}')")
    return record["IsMarkedForArchiving"], record["BusinessPartnerIsBlocked"]


def identifications(s4, number: str) -> list[tuple[str, str]]:
    rows = s4.rows(f"A_BusinessPartner('{number}')/to_BuPaIdentification")
    return [(row["BPIdentificationType"], row["BPIdentificationNumber"]) for row in rows]


@pytest.fixture
def two(s4) -> tuple[str, str]:
    """The numbers of two partners."""
    first, second = (s4.new_partner()["BusinessPartner"] for _ in range(2))
    return first, second


def test_an_archived_partner_shows_the_mark_and_moves_its_stamp(s4, s4_process, two):
    before, after = stamp(s4, two[0]), s4_process.log_end()
    assert s4_process.tell("/archive", key=two[0]) == {"key": two[0]}
    assert (flags(s4, two[0]), stamp(s4, two[0]) != before) == ((True, False), True)
    entries = s4_process.log(after, origin="user")
    assert [(e["entity"], e["key"], e["action"]) for e in entries] == [("A_BusinessPartner", two[0], "updated")]


def test_a_merged_partner_names_the_one_that_stays_and_is_blocked(s4, s4_process, two):
    before, after = [stamp(s4, number) for number in two], s4_process.log_end()
    assert s4_process.tell("/merge", loser=two[0], winner=two[1]) == {"loser": two[0], "winner": two[1]}
    assert flags(s4, two[0]) == (True, True)
    assert identifications(s4, two[0]) == [("ZMERGE", two[1])]
    assert stamp(s4, two[0]) != before[0]
    assert (stamp(s4, two[1]), flags(s4, two[1]), identifications(s4, two[1])) == (before[1], (False, False), [])
    assert s4_process.log(after) == []
    assert {(e["entity"], e["key"]) for e in s4_process.log(after, origin="user")} == {
        ("A_BusinessPartner", two[0]),
        ("A_BuPaIdentification", f"{two[0]}/ZMERGE/{two[1]}"),
    }


def test_a_merge_of_an_archived_and_blocked_partner_still_moves_its_stamp(s4, s4_process, two):
    s4_process.tell(
        "/change",
        entity="A_BusinessPartner",
        key=two[0],
        set={"IsMarkedForArchiving": True, "BusinessPartnerIsBlocked": True},
    )
    before = stamp(s4, two[0])
    s4_process.tell("/merge", loser=two[0], winner=two[1], type="ZDUP")
    assert stamp(s4, two[0]) != before
    assert identifications(s4, two[0]) == [("ZDUP", two[1])]


def test_impossible_merges_are_refused(s4, s4_process, two):
    def refused(**content: str) -> tuple[int, str]:
        answer = requests.post(s4_process.control + "/merge", json=content, timeout=20)
        return answer.status_code, answer.json()["error"]

    assert refused(loser=two[0], winner=two[0]) == (400, "a partner cannot be merged into itself")
    assert refused(loser="nobody", winner=two[0]) == (404, "not found: A_BusinessPartner 'nobody'")
    s4_process.tell("/merge", loser=two[0], winner=two[1])
    assert refused(loser=two[0], winner=two[1]) == (400, f"partner '{two[0]}' was merged already")
    assert identifications(s4, two[0]) == [("ZMERGE", two[1])]
