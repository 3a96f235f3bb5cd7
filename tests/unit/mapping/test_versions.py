"""Versions: what a mapping does, not how its file looks."""

from pathlib import Path

from l2c.config import Project
from l2c.mapping import Env, load_bundle, load_mapper, read_mappers, write_mappers
from tests.unit.mapping.small import ENTITY, made

TEXT = "fields:\n  name: N\n  kind: {expr: K, value_map: shared}\n"
MAP = "value_map: shared\nvalues: {S: small, L: large}\n"


def version(home: Path, text: str = TEXT, **options) -> str:
    return made(home, text, **{"maps": MAP, **options}).version


def test_comments_layout_and_descriptions_change_no_version(tmp_path):
    first = version(tmp_path)
    assert len(first) == 16
    assert version(tmp_path, "# a comment\n" + TEXT.replace("name: N", 'name:   "N"  # why')) == first
    assert version(tmp_path, "description: what it is for\n" + TEXT) == first
    assert version(tmp_path, entity=ENTITY.replace("length: 8,", "length: 8, description: d,")) == first


def test_a_field_of_the_entity_the_mapping_does_not_touch_changes_no_version(tmp_path):
    assert version(tmp_path, entity=ENTITY + "  more: {type: text}\n") == version(tmp_path)


def test_whatever_changes_the_result_changes_the_version(tmp_path):
    texts = [TEXT, TEXT.replace("name: N", "name: M"), TEXT + "  count: C\n"]
    found = {version(tmp_path, text) for text in texts}
    found.add(version(tmp_path, maps=MAP.replace("small", "large")))
    found.add(version(tmp_path, maps=MAP + "unmapped: keep\n"))
    found.add(version(tmp_path, entity=ENTITY.replace("length: 8", "length: 9")))
    assert len(found) == 6


def test_a_bundle_maps_as_its_files_did_when_they_are_gone(tmp_path):
    mapper = made(tmp_path, TEXT, maps=MAP)
    old = load_bundle(mapper.bundle)
    made(tmp_path, TEXT.replace("name: N", "name: M"), maps=MAP.replace("S: small", "S: large"))
    record = {"Key": "1", "N": "n", "M": "m", "K": "S"}
    assert old.map(record, Env()).data == {"name": "n", "kind": "small"}
    assert (old.version, old.bundle, old.name, old.fields) == (
        mapper.version,
        mapper.bundle,
        mapper.name,
        mapper.fields,
    )
    assert load_bundle(old.bundle).version == mapper.version


def test_a_mapper_is_compiled_once_while_its_files_stay_the_same(tmp_path):
    made(tmp_path, TEXT, maps=MAP)
    project = Project(tmp_path)
    first = load_mapper(project, "mappings/sys/thing.read.yaml")
    assert load_mapper(project, "mappings/sys/thing.read.yaml") is first
    (tmp_path / "mappings/value_maps/shared.yaml").write_text(MAP.replace("S:", "T:"), encoding="utf-8")
    assert load_mapper(project, "mappings/sys/thing.read.yaml") is not first


def test_a_mapping_of_one_system_overrides_that_of_its_kind(tmp_path):
    made(tmp_path, "fields: {name: N}")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/systems.yaml").write_text(
        "systems:\n  mine: {kind: sys, connection: c}\n  yours: {kind: sys, connection: d}\n", encoding="utf-8"
    )
    own = tmp_path / "mappings/mine/thing.read.yaml"
    own.parent.mkdir()
    own.write_text(
        (tmp_path / "mappings/sys/thing.read.yaml").read_text().replace("name: N", "name: M"), encoding="utf-8"
    )
    project = Project(tmp_path)
    assert read_mappers(project, project.system("mine"), "thing")[0].fields == {"Key", "M"}
    assert read_mappers(project, project.system("yours"), "thing")[0].fields == {"Key", "N"}


def test_write_mappings_come_with_all_variants_in_order(tmp_path):
    made(tmp_path, "fields: {a: key}", direction="write")
    text = "mapping: sys.thing.{}.write\nfrom: canonical/thing\nto: sys/Thing\nfields: {{a: key}}\n"
    for variant in ("second", "first"):
        (tmp_path / f"mappings/sys/thing.{variant}.write.yaml").write_text(text.format(variant), encoding="utf-8")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/systems.yaml").write_text("systems:\n  sys: {kind: sys, connection: c}\n", encoding="utf-8")
    project = Project(tmp_path)
    found = write_mappers(project, project.system("sys"), "thing")
    assert [(mapper.name, mapper.variant) for mapper in found] == [
        ("sys.thing.first.write", "first"),
        ("sys.thing.second.write", "second"),
        ("sys.thing.write", ""),
    ]
