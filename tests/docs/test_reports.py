"""Every figure the demo writes has its line in `docs/reference/reports.md`, and no other has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLAYED = sorted({path.name for path in (ROOT / "demo").glob("*.py")} - {"latency.py"})  # which has a report of its own


def figures_of(tree: ast.AST) -> Iterator[str]:
    """Names assigned in or given to `figures`: `figures["a"] = …`, `x.figures.update(a=…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _is_figures(node.value):
            yield ast.literal_eval(node.slice)
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr == "update" and _is_figures(called.value):
            yield from (word.arg for word in node.keywords if word.arg)


def _is_figures(node: ast.AST) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) == "figures"


def test_the_page_names_what_the_demo_writes():
    written = {
        name for file in PLAYED for name in figures_of(ast.parse((ROOT / "demo" / file).read_text(encoding="utf-8")))
    }
    page = (ROOT / "docs" / "reference" / "reports.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## demo\.json$(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    listed = {
        name for line in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", line)
    }
    assert len(written) >= 10
    assert listed == written
