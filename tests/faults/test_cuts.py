"""Answers cut at many places, and parts answered, refused or missing: nothing is settled by what is not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.registrations.systems import Control, sandbox
from benchmarks.rig_model.cuts import Cut, cut_batches, cut_pages, every_outcome, part_ends
from benchmarks.rig_model.settled import settle_cut_pages, settle_parts
from connectors.s4hana import reader, sender
from l2c.errors import HubError
from l2c.http import Answer, Part, RawPage, paging, split_page

STRIDE = 83  # bytes; `make rig-model` cuts at each


@pytest.fixture(scope="module")
def s4(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    folder: Path = tmp_path_factory.mktemp("s4")
    with sandbox("s4hana", folder, "--partners", "6") as control:
        yield control


@pytest.mark.fault("R14")
def test_no_record_of_a_cut_page_is_given_out(s4: Control):
    cut = Cut()
    cut_pages(s4, cut, every=STRIDE)
    assert cut.partial == []
    assert cut.cuts > 100


@pytest.mark.fault("T4")
def test_no_part_of_a_cut_batch_answer_is_settled_but_by_its_own_bytes(s4: Control):
    cut = Cut()
    cut_batches(s4, cut, every=STRIDE)
    assert cut.partial == []
    assert cut.cuts > 100


@pytest.mark.fault("T4")
def test_every_combination_of_parts_ends_in_the_right_outcomes(s4: Control):
    cut = Cut()
    every_outcome(s4, cut)
    assert cut.partial == []
    assert cut.part_outcomes == 2 * sum(3**n for n in range(1, 7))


@pytest.mark.slow
@pytest.mark.fault("R14", "T4")
def test_the_hub_settles_no_cut_page_and_each_part_of_a_batch_as_it_ended():
    cut = Cut()
    settle_cut_pages(cut, every=3000)
    settle_parts(cut, most=3, mixed=2)
    assert cut.partial == []
    assert cut.cuts > 10
    assert cut.part_outcomes == 3 + 9 + 8


def test_parts_taken_by_order_alone_are_found_wrong(s4: Control, monkeypatch: pytest.MonkeyPatch):
    def by_order(kind: str, body: bytes, sizes: list[int]) -> list[tuple[Part, ...] | None]:
        found = [parts for parts in sender_read(kind, body, sizes) if parts is not None]
        return [*found, *([None] * (len(sizes) - len(found)))]

    sender_read = sender.read_batch
    monkeypatch.setattr(sender, "read_batch", by_order)
    cut = Cut()
    every_outcome(s4, cut, most=3)
    assert cut.partial


def test_a_cut_page_taken_for_an_empty_one_is_found_wrong(s4: Control, monkeypatch: pytest.MonkeyPatch):
    def lenient(answer: Answer) -> RawPage:
        try:
            return split_page(answer)
        except HubError:
            return RawPage((), None, None)

    for module in (reader, paging):
        monkeypatch.setattr(module, "split_page", lenient)
    cut = Cut()
    cut_pages(s4, cut, every=500)
    assert cut.partial


def test_where_the_parts_of_an_answer_end_is_told_by_their_lengths():
    body = b"--b\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}\r\n--b--"
    [end] = part_ends(body)
    assert body[:end].endswith(b"{}")
