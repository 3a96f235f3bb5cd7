"""There is one retry loop in the project, and one place that speaks HTTP."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KIT = ROOT / "l2c" / "http"


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]


def waits(node):
    """Calls that wait: `time.sleep`, `sleep`, `wait` and the like, by name."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            name = inner.func.attr if isinstance(inner.func, ast.Attribute) else getattr(inner.func, "id", "")
            if "sleep" in name.lower():
                yield inner


def retries_in_a_loop(tree):
    """Loops that sleep, or that swallow a failure of what they repeat."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While) and any(waits(node))]


@pytest.fixture(scope="module")
def sources():
    paths = sorted([*(ROOT / "l2c").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")])
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def test_there_is_something_to_look_at(sources):
    assert len(sources) > 20
    assert any(path.is_relative_to(KIT) for path, _ in sources)


@pytest.mark.parametrize("library", ["tenacity", "requests", "urllib3", "httpx", "aiohttp"])
def test_only_the_kit_knows_the_library(sources, library):
    users = [str(path) for path, tree in sources if library in set(imported(tree)) and path.parent != KIT]
    assert users == []


def test_tenacity_is_used_in_one_module(sources):
    users = [path.name for path, tree in sources if "tenacity" in set(imported(tree))]
    assert users == ["retries.py"]


def test_no_loop_sleeps(sources):
    found = [f"{path.relative_to(ROOT)}:{node.lineno}" for path, tree in sources for node in retries_in_a_loop(tree)]
    assert found == []


def test_a_planted_loop_is_found():
    planted = "import time\nfor n in range(3):\n    try:\n        f()\n    except OSError:\n        time.sleep(1)\n"
    assert len(retries_in_a_loop(ast.parse(planted))) == 1
    assert set(imported(ast.parse("from tenacity import retry\nimport requests.adapters"))) == {"tenacity", "requests"}
