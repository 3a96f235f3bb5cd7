"""Counting records, each once in every system and once as a whole."""

from l2c.reconcile import results
from l2c.reconcile.tally import Tally
from l2c.reconcile.verdict import verdict


def told(counts):
    return {name: count for name, count in counts.items() if count}


def test_of_several_verdicts_on_one_record_in_one_system_the_worst_counts():
    tally = Tally(["shop"])
    for name in (results.EQUAL, results.UNEXPLAINED, results.FILTERED):
        tally.add("shop", 7, verdict(name))
    assert told(tally.systems()["shop"]) == {"unexplained": 1}


def test_the_last_word_replaces_what_was_said_before():
    tally = Tally(["shop"])
    tally.add("shop", 7, verdict(results.UNEXPLAINED))
    tally.settle("shop", 7, verdict(results.EQUAL))
    tally.settle("shop", 8, verdict(results.IN_FLIGHT))
    tally.settle("shop", 8, None)
    assert told(tally.systems()["shop"]) == {"equal": 1}


def test_a_record_counts_as_a_whole_by_what_it_is_beyond_its_birthplace():
    tally = Tally(["s4hana", "shop"])
    for record, beyond in ((1, results.EQUAL), (2, results.FILTERED), (3, None)):
        tally.born("s4hana", record)
        tally.add("s4hana", record, verdict(results.EQUAL))
        if beyond is not None:
            tally.add("shop", record, verdict(beyond))
    assert told(tally.records()) == {"equal": 2, "filtered": 1}


def test_as_a_whole_the_worst_of_all_systems_counts():
    tally = Tally(["s4hana", "shop"])
    tally.born("s4hana", 1)
    tally.add("s4hana", 1, verdict(results.UNEXPLAINED))
    tally.add("shop", 1, verdict(results.EQUAL))
    tally.stranger("shop", verdict(results.MISSING_LEFT))
    assert told(tally.records()) == {"unexplained": 1, "missing_left": 1}


def test_native_entities_that_have_shown_a_record_are_remembered_one_by_one():
    tally = Tally(["shop"])
    tally.see("shop", 100_000, 1)
    assert tally.unseen("shop", 100_000, 3) == [0, 2]
    assert tally.unseen("shop", 2_000_000, 2) == [0, 1]
