"""Every fault is told so that somebody can repair it: which flow, which record, which field, by which line, and what to do next."""

import os
import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from l2c.state.results import DeadLetter
from tests.conftest import Clock
from tests.faults.told import CHANGES, MAPS, RECORDS, VALUE_MAPS, Fault, unit
from tests.faults.told_files import MISTAKES, TROUBLES, Mistake, Trouble
from tests.integration.installation import Installation, change, compare, running
from tests.integration.world import FLOW, SOURCE, TARGET

GOLDEN = Path(__file__).parent / "golden"
SEED = int(os.environ.get("L2C_TOLD_SEED") or random.SystemRandom().randrange(10**6))
PLACE = re.compile(r"\[([\w./]+\.yaml):(\d+)[],]")


@dataclass
class Planted:
    """An installation in which every fault of `RECORDS` was planted and met, and the key each record was given."""

    installation: Installation
    keys: dict[str, str]
    letters: dict[tuple[str, str, str], DeadLetter]

    def letter(self, fault: Fault) -> DeadLetter:
        return self.letters[fault.system, fault.kind, self.keys[fault.name]]

    def told(self, fault: Fault) -> str:
        """What is told of it, without what differs from one time to the next."""
        text = self.letter(fault).message.replace(self.keys[fault.name], "KEY")
        text = re.sub(r"(\.yaml):\d+", r"\1:LINE", text)
        return re.sub(r"#\d+|record \d+", "#N", text)


def plant(made: Installation, fault: Fault) -> str:
    """Make the record in the system it comes from, and have its target refuse it; its key."""
    s4, shop = made.world.s4, made.world.shop
    if fault.origin == TARGET:
        key = str(shop.tell("register", **fault.values)["uid"])
    else:
        key = s4.create("A_BusinessPartner", fault.values)
    if fault.rival:
        shop.tell("register", **unit(key))
    if fault.refusal is not None:
        match = {"inner": True, "body": fault.marked_by or f'"uid":"{key}"'}
        {SOURCE: s4, TARGET: shop}[fault.system].tell("faults", match=match, times=None, **fault.refusal)
    return key


def lay_out(home: Path) -> None:
    """The rules of this installation, and a flow that sets a record aside at the first refusal."""
    for path, old, new in CHANGES:
        change(home, path, (old, new))
    for name, text in MAPS.items():
        (home / VALUE_MAPS / f"{name}.yaml").write_text(text, encoding="utf-8")
    change(home, f"config/flows/{FLOW}.yaml", ("attempts: 5", "attempts: 1"))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """All faults of records in one installation, in an order the seed gives, met in one run of each kind."""
    print(f"L2C_TOLD_SEED={SEED}")
    with running(tmp_path_factory.mktemp("told"), "--partners", "3", two_way=True) as made:
        lay_out(made.world.home)
        order = random.Random(SEED).sample(RECORDS, len(RECORDS))
        keys = {fault.name: plant(made, fault) for fault in order}
        with made.world.hub(clock=Clock(datetime.now(UTC))) as hub:
            for system in (SOURCE, TARGET):
                hub.capture(FLOW, system)
            for system in (TARGET, SOURCE):
                hub.distribute(FLOW, system)
            letters = {(one.system, one.direction, one.key): one for one in hub.dead_letters(limit=None)}
        yield Planted(made, keys, letters)


@pytest.mark.parametrize("fault", RECORDS, ids=lambda fault: fault.name)
def test_a_fault_of_a_record_is_told_with_all_that_its_repair_needs(planted: Planted, fault: Fault):
    letter = planted.letter(fault)
    message, key = letter.message, planted.keys[fault.name]
    assert fault.says in message
    assert message.startswith(f"{FLOW} {key}: "), "flow and key"
    assert f"l2c redrive {FLOW} {fault.system}" in message.rpartition("; ")[2], "what to do next, at the end"
    assert bool(fault.path) is ("field" in fault.parts)
    assert not fault.path or f" {fault.path}: " in message
    places = PLACE.findall(message)
    assert bool(places) is ("line" in fault.parts)
    for path, line in places:
        assert path == fault.at
        text = (planted.installation.world.home / path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert fault.line in text, f"{path}:{line} is {text!r}"


def test_faults_of_records_are_told_in_these_words(planted: Planted):
    lines = [f"{fault.name}\n  {planted.told(fault)}\n" for fault in sorted(RECORDS, key=lambda fault: fault.name)]
    compare("\n".join(lines), GOLDEN / "records.txt")
    unasked = set(planted.letters) - {(fault.system, fault.kind, planted.keys[fault.name]) for fault in RECORDS}
    assert unasked == set(), "every dead letter is of a fault planted here"


@pytest.fixture(scope="module")
def findings(planted: Planted) -> list[tuple[str, str]]:
    """What lint says of all mistakes of mappings at once, then of all of flows, each finding with the line it points to."""
    made, found = planted.installation, []
    for part in ("mappings/", "config/"):
        with made.files() as home:
            for one in MISTAKES:
                if one.file.startswith(part):
                    change(home, one.file, (one.old, one.new))
            *lines, total = made.say("lint", "--offline", expect=1).splitlines()
            assert total == f"findings: {len(lines)}"
            found += [(line, line_of(home, line)) for line in lines]
    return found


def line_of(home: Path, finding: str) -> str:
    """The line of a file a finding points to; the column it names is in it."""
    file, line, column = finding.partition(": ")[0].split(":")
    text = (home / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    assert 1 <= int(column) <= len(text)
    return text


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_of_a_file_is_told_with_its_place_and_what_is_right(
    findings: list[tuple[str, str]], mistake: Mistake
):
    [(told, line)] = [(told, line) for told, line in findings if mistake.says in told]
    assert told.startswith(f"{mistake.file}:")
    assert mistake.line in line
    assert mistake.todo in told


def test_mistakes_of_files_are_told_in_these_words(findings: list[tuple[str, str]]):
    text = "\n".join(told for told, _ in findings)
    compare(re.sub(r"(\.yaml):\d+:\d+", r"\1:LINE", text) + "\n", GOLDEN / "files.txt")
    assert len(findings) == len(MISTAKES)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_a_system_that_does_not_answer_as_it_should_is_named_with_what_to_look_at(planted: Planted, trouble: Trouble):
    made = planted.installation
    made.said.clear()
    with ExitStack() as wrong:
        if trouble.connection:
            wrong.enter_context(made.connected(trouble.system, **trouble.connection))
        if trouble.page:
            wrong.enter_context(made.fault(trouble.page))
        told = made.say(*trouble.words, expect=trouble.expect)
    assert trouble.system in told
    assert trouble.says in told
    assert trouble.todo in told
    made.golden(trouble.name, GOLDEN)


def test_there_are_forty_faults_and_twenty_five_are_told_with_every_part():
    assert len({fault.name for fault in RECORDS}) == len(RECORDS)
    assert len(RECORDS) >= 40
    assert sum(fault.parts == frozenset({"flow", "key", "field", "line", "next"}) for fault in RECORDS) >= 25


def test_every_golden_file_belongs_to_a_fault():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {"records", "files", *(one.name for one in TROUBLES)}
