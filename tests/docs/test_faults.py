"""Every row of the fault catalogue has a test or a reason, and the page says so."""

import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _generator():
    return runpy.run_path(str(ROOT / "docs" / "generate_faults.py"))


def test_every_row_has_a_test_or_a_reason_and_the_page_is_current():
    command = [sys.executable, "docs/generate_faults.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    assert done.returncode == 0


def test_the_catalogue_is_numbered_without_gaps():
    generator = _generator()
    ids = [row.id for row in generator["ROWS"]]
    for letter in generator["GROUPS"]:
        mine = [int(name[1:]) for name in ids if name[0] == letter]
        assert mine == list(range(1, len(mine) + 1)), letter
    assert len(ids) == len(set(ids)) == 96


def test_a_row_without_a_test_and_a_mark_without_a_row_are_told():
    generator = _generator()
    found = generator["marks"]()
    without = [mark for mark in found if mark.row != "T1"]
    assert "row T1 has neither a test nor a reason" in generator["mistakes"](without)
    stray = generator["Mark"]("Q9", "tests/faults/test_reading.py", "test_it")
    assert any("'Q9'" in line for line in generator["mistakes"]([*found, stray]))


def test_a_result_that_changes_does_not_make_the_page_old_but_another_test_does():
    generator = _generator()
    found = generator["marks"]()
    plain = generator["_without_results"]
    one = generator["page"](found, {})
    passed = generator["page"](found, {mark.node: "passed" for mark in found})
    assert one != passed
    assert plain(one) == plain(passed)
    assert plain(generator["page"](found[1:], {})) != plain(one)
