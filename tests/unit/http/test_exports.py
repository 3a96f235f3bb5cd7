"""What the kit shows of itself is what it names."""

import ast
from pathlib import Path

import l2c.http


def test_all_names_exactly_what_the_package_imports():
    tree = ast.parse(Path(l2c.http.__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(l2c.http.__all__) == names
    assert list(l2c.http.__all__) == sorted(l2c.http.__all__)
    assert all(hasattr(l2c.http, name) for name in names)


def test_the_kit_is_imported_without_pyodata_and_zeep():
    import subprocess
    import sys

    code = "import sys, l2c.http; print([m for m in ('pyodata', 'zeep', 'lxml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
