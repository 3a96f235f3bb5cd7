"""The project's own files: lock file, Makefile, packaging, and words that do not belong in it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _project_files():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, timeout=60)
    if listed.returncode:
        pytest.skip("not a git checkout: what belongs to the project is not known")
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            yield name


def _make(*words, **variables):
    command = ["make", "--no-print-directory", *words, *(f"{name}={value}" for name, value in variables.items())]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, env=environment
    )


def test_the_lock_file_names_no_host_and_has_a_hash_for_every_package():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-", re.sub(r"--hash=sha256:[0-9a-f]{64}", "", text).replace("\\", ""), re.MULTILINE)
    packages = re.split(r"\n(?=\w)", text)
    assert len(packages) > 100
    for package in packages:
        assert re.match(r"[\w.-]+==\S+", package), package[:60]
        assert "--hash=sha256:" in package, package[:60]


def test_the_lock_file_holds_every_dependency_pyproject_names():
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE))
    wanted = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
    names = {re.match(r"[\w.-]+", line).group().lower().replace("_", "-") for line in wanted}
    assert names <= {name.lower().replace("_", "-") for name in locked}


def test_uv_lock_stays_out_of_the_project():
    assert "uv.lock" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert "uv.lock" not in set(_project_files())


# Written in pieces, so that this file does not name them.
FORBIDDEN = [
    "/" + "work/",
    "/" + "root/",
    "/" + "home/",
    "Clau" + "de",
    "Anthro" + "pic",
    "ChatG" + "PT",
    "Copi" + "lot",
    "language" + " model",
    "py" + "pi.org",
    "pythonhosted" + ".org",
    "Co-Authored" + "-By",
]


def test_no_file_names_a_machine_a_package_index_or_who_typed_it():
    pattern = re.compile("|".join(re.escape(word) for word in FORBIDDEN), re.IGNORECASE)
    found = []
    for name in _project_files():
        if Path(name).suffix in {".png", ".db"}:
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        found += [f"{name}:{text[: hit.start()].count(chr(10)) + 1}: {hit.group()}" for hit in pattern.finditer(text)]
    assert found == []


def test_no_code_switches_certificate_checks_off():
    off = re.compile(r"verify\s*=\s*" + "False" + "|CERT" + "_NONE")
    assert [name for name in _project_files() if name.endswith(".py") and off.search((ROOT / name).read_text())] == []


def test_nothing_a_run_writes_is_part_of_the_project():
    ours = set(_project_files())
    folders = {name.split("/")[0] for name in ours}
    assert folders.isdisjoint({".venv", ".airflow", ".demo", ".l2c", "build", "dist"})
    assert not [name for name in ours if name.endswith((".pyc", "airflow.cfg", ".sqlite", ".log"))]


def test_make_help_lists_the_commands_of_the_readme():
    shown = _make("-C", str(ROOT), "help").stdout
    for target in ("demo", "test", "check", "bench", "lock", "help"):
        assert f"make {target} " in shown
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme


@pytest.fixture
def bare(tmp_path):
    """A folder with what `make setup` looks at before it installs anything."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def _python(folder, body):
    path = folder / "python-stand-in"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def _one_line(done):
    assert done.returncode == 2
    (line,) = done.stdout.splitlines()
    return line


@pytest.mark.parametrize("version", ["3.10.13", "3.14.0", "2.7.18"])
def test_a_python_that_does_not_fit_gets_one_clear_line(bare, version):
    stand_in = _python(bare, f'case "$1" in --version) echo "Python {version}";; *) exit 1;; esac')
    line = _one_line(_make("-C", str(bare), "setup", PYTHON=stand_in))
    assert line.startswith("Python 3.11, 3.12 or 3.13 is needed")
    assert f"found: Python {version}" in line
    assert "make PYTHON=" in line


def test_a_python_without_venv_gets_one_clear_line(bare):
    stand_in = _python(bare, f'case "$2" in *ensurepip*) exit 1;; *) exec "{sys.executable}" "$@";; esac')
    line = _one_line(_make("-C", str(bare), "setup", PYTHON=stand_in))
    assert line.startswith("Python's venv module is missing")
    assert "python3-venv" in line


def test_a_second_make_installs_nothing(bare):
    ready = bare / ".venv" / ".ready"
    ready.parent.mkdir()
    ready.touch()
    pytest_stand_in = bare / ".venv" / "bin" / "pytest"
    pytest_stand_in.parent.mkdir()
    pytest_stand_in.write_text("#!/bin/sh\necho tests ran\n", encoding="utf-8")
    pytest_stand_in.chmod(0o755)
    done = _make("-C", str(bare), "test", PYTHON=_python(bare, "echo python was called >&2; exit 1"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "tests ran\n", "")


def test_python_versions_agree_between_makefile_and_packaging():
    assert PYPROJECT["project"]["requires-python"] == ">=3.11,<3.14"
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_licence_is_apache_2_0_and_is_shipped():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert PYPROJECT["project"]["license-files"] == ["LICENSE", "NOTICE"]
    assert "psycopg" in (ROOT / "NOTICE").read_text(encoding="utf-8")
