"""The import rules of pyproject.toml hold, and breaking any of them is noticed."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in CONFIG["contracts"]}

# For each rule: modules that import what they must not.
BREACHES = {
    "connectors-apart": [("connectors.s4hana", "l2c.state.store")],
    "connectors-independent": [("connectors.commerce", "connectors.s4hana")],
    "sandbox-apart": [("sandbox", "l2c.errors"), ("sandbox.core", "connectors.commerce")],
    "sandbox-unknown": [("l2c.http", "sandbox"), ("connectors.s4hana", "sandbox")],
    "airflow-at-the-edge": [("l2c.hub", "airflow"), ("l2c.state", "airflow"), ("connectors.commerce", "airflow")],
}


def _layers():
    return [[name.strip() for name in layer.split("|")] for layer in CONTRACTS["layers"]["layers"]]


def _upward_imports():
    """Every module of a layer with every module of the layer above it, and with its neighbours."""
    layers = _layers()
    for above, layer in zip([[], *layers], layers, strict=False):
        for module in layer:
            yield from ((module, other) for other in above)
            yield from ((module, other) for other in layer if other != module)


@pytest.fixture
def copy(tmp_path):
    for package in CONFIG["root_packages"]:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "*.csv"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _plant(copy, module, imported):
    place = copy / Path(*module.split("."))
    target = place / "planted.py" if place.is_dir() else place.with_suffix(".py")
    with target.open("a", encoding="utf-8") as file:
        file.write(f"\nimport {imported}\n")


def _lint(copy, *contracts):
    only = [word for contract in contracts for word in ("--contract", contract)]
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", *only]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


def test_the_code_as_it_is_keeps_every_rule(copy):
    done = _lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


def test_every_rule_has_a_breach_to_try():
    assert {"layers", *BREACHES} == set(CONTRACTS)


@pytest.mark.parametrize("contract", BREACHES)
def test_breaking_a_rule_is_reported(copy, contract):
    for module, imported in BREACHES[contract]:
        _plant(copy, module, imported)
    done = _lint(copy, contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{CONTRACTS[contract]['name']} BROKEN" in done.stdout
    for module, imported in BREACHES[contract]:
        assert f"{module}" in done.stdout.replace(".planted", "")
        assert imported in done.stdout


def test_importing_from_the_layer_above_or_beside_is_reported(copy):
    breaches = list(_upward_imports())
    assert len(breaches) > len(_layers())
    for module, imported in breaches:
        _plant(copy, module, imported)
    done = _lint(copy, "layers")
    assert done.returncode == 1, done.stdout + done.stderr
    for module, imported in breaches:
        assert f"{module} is not allowed to import {imported}:" in done.stdout, f"{module} -> {imported} passed"
