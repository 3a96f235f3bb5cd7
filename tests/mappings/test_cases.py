"""Golden cases of every mapping: a record under `given`, what becomes of it under `expect`, one file a case.

Beside them a case may name `today`, `settings`, `references` (by reference, key → key on the other side), `key`, `other_keys`,
`due_again`, `passes`, or `rejected` (the message of each mistake, without the place in the mapping file) or `waits_for` (the
reference that is missing and its key).
"""

import re
from datetime import date
from pathlib import Path

import pytest

from l2c.config import Project, Row, load_file
from l2c.errors import RecordRejected, ReferenceMissing
from l2c.mapping import Env, Mapper, decode, encode, load_bundle, load_mapper

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = sorted(HERE.rglob("*.yaml"))
KEYS = {
    "given",
    "expect",
    "today",
    "settings",
    "key",
    "other_keys",
    "due_again",
    "passes",
    "rejected",
    "references",
    "waits_for",
}
PLACE = re.compile(r" \[mappings/[\w./]+:\d+\]$")


def plain(value):
    """Blocks and rows as the dicts and lists a connector would give."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, (Row, list)) else value


def mapper_of(path: Path) -> Mapper:
    kind, name = path.parent.relative_to(HERE).parts
    return load_mapper(Project(ROOT), f"mappings/{kind}/{name}.yaml")


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(HERE).with_suffix("")))
def test_the_case_maps_as_it_says(path: Path):
    case = plain(load_file(path, name=path.name))
    assert case.keys() <= KEYS, f"unknown keys: {case.keys() - KEYS}"
    mapper = mapper_of(path)
    today = date.fromisoformat(case["today"]) if "today" in case else None
    references = case.get("references", {})
    env = Env(case.get("settings", {}), today, resolve=lambda path, key: references.get(path, {}).get(key))
    if "rejected" in case:
        with pytest.raises(RecordRejected) as caught:
            mapper.map(case["given"], env)
        assert [f"{where}: {PLACE.sub('', what)}" for where, what in caught.value.reasons] == case["rejected"]
        assert all(PLACE.search(what) for _, what in caught.value.reasons)
        return
    if "waits_for" in case:
        with pytest.raises(ReferenceMissing) as missing:
            mapper.map(case["given"], env)
        assert [missing.value.entity_path, missing.value.native_key] == case["waits_for"]
        return
    given = plain(case["given"])
    mapped = mapper.map(given, env)
    assert mapped.data == case["expect"]
    assert mapped.passes == case.get("passes", True)
    assert given == case["given"], "a mapping never changes its input"
    assert mapped.key == case.get("key", mapped.key)
    assert mapped.other_keys == case.get("other_keys", mapped.other_keys)
    assert mapped.due_again == (date.fromisoformat(case["due_again"]) if "due_again" in case else None)
    assert decode(encode(mapped.data)) == mapped.data
    assert load_bundle(mapper.bundle).map(given, env) == mapped, "an old version maps as it did"


@pytest.mark.parametrize("file", sorted((ROOT / "mappings").glob("*/*.[rw]*.yaml")), ids=lambda file: file.name)
def test_every_mapping_has_cases(file: Path):
    if file.parent.name in ("canonical", "value_maps"):
        return
    assert list((HERE / file.parent.name / file.stem).glob("*.yaml")), f"no case for {file.name}"
