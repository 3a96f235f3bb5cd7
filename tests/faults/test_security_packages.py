"""What `make check` says about vulnerable packages: an open one fails, one with a reason is told, no network is told."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def audit():
    spec = importlib.util.spec_from_file_location("l2c_ci_audit", ROOT / ".ci" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ADVISORY = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": [], "description": "x"}
PACKAGES = [{"name": "a", "version": "1", "vulns": [ADVISORY]}, {"name": "b", "version": "2", "vulns": []}]


def test_a_vulnerability_without_a_reason_fails_the_check(audit, capsys):
    assert audit.verdict(PACKAGES, 2, {}) == 1
    assert "a 1: PYSEC-1 (no fix yet)" in capsys.readouterr().out


def test_a_vulnerability_with_a_reason_is_told_and_passes(audit, capsys):
    assert audit.verdict(PACKAGES, 3, {"CVE-1": "the function is not called"}) == 0
    said = capsys.readouterr().out
    assert "CVE-1 (no fix yet); stays: the function is not called" in said
    assert "2 packages audited, 1 could not be, 0 open" in said


def test_a_reason_nobody_needs_any_more_is_told(audit, capsys):
    assert audit.verdict(PACKAGES[1:], 1, {"CVE-1": "x"}) == 0
    assert "take it out of" in capsys.readouterr().out


def test_without_a_network_one_line_says_that_nothing_was_audited(audit, capsys):
    assert audit.no_answer("Traceback …\nrequests.exceptions.ConnectionError: pypi") == 0
    assert "no advisories could be had (no network): nothing was audited" in capsys.readouterr().out
    assert audit.no_answer("usage: pip-audit: unknown option --x") == 1
