"""The static check against the schema a system shows."""

from pathlib import Path

import pytest

from l2c.config import Project
from l2c.contract import EntitySchema, FieldSchema
from l2c.errors import ConfigError, RecordRejected, TransientError
from l2c.mapping import Env, check_flow, check_mapping
from tests.unit.mapping.small import both, made

TEXT = "Edm.String"
NATIVE = EntitySchema(
    key="Key",
    fields={
        "Key": FieldSchema(TEXT, 10, nullable=False),
        "Name": FieldSchema(TEXT, 8),
        "Long": FieldSchema(TEXT, 40),
        "On": FieldSchema("Edm.Boolean"),
        "Count": FieldSchema("Edm.Int32"),
        "Price": FieldSchema("Edm.Decimal", precision=5, scale=2),
        "Fixed": FieldSchema(TEXT, 10, creatable=False, updatable=False),
        "a": FieldSchema("Other"),
        "a.City": FieldSchema(TEXT, 40),
        "to_P": FieldSchema("P", many=True),
        "to_P.No": FieldSchema(TEXT, 10),
    },
    safe_by="key",
)


def found(home: Path, text: str, direction: str = "read", native: EntitySchema = NATIVE) -> list[str]:
    return [f"{one.severity}: {one.text}" for one in check_mapping(made(home, text, direction=direction), native)]


def test_a_mapping_that_fits_has_no_findings(tmp_path):
    text = (
        "fields: {name: Name, on: On, place: {fields: {city: a.City}}, parts: {for_each: to_P, fields: {number: No}}}"
    )
    assert found(tmp_path, text) == []
    assert (
        found(
            tmp_path,
            "fields: {Name: 'truncate(name, 8)', On: on, a.City: place.city, to_P: {for_each: parts, fields: {No: number}}}",
            "write",
        )
        == []
    )


@pytest.mark.fault("S1")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fields: {name: Nmae}", "error: unknown name 'Nmae' in sys/Thing; did you mean 'Name'?"),
        ("fields: {place: {fields: {city: a.Town}}}", "error: unknown name 'Town' in sys/Thing (a) (known: 'City')"),
        ("fields: {parts: {for_each: to_P, fields: {number: Nr}}}", "error: unknown name 'Nr' in sys/Thing (to_P)"),
        (
            "fields: {parts: {for_each: to_Q, fields: {number: No}}}",
            "error: unknown name 'to_Q' in sys/Thing; did you mean 'to_P'?",
        ),
        ("fields: {parts: {for_each: Name, fields: {number: No}}}", "error: 'Name' is no list"),
        ("fields: {name: to_P.No}", "error: 'to_P' is a list; use for_each"),
        ("fields: {name: a}", "error: 'a' is a nested record; name one of its fields"),
        ("fields: {name: upper(On)}", "error: upper() needs text, found boolean; use text(…)"),
        ("fields: {on: Count}", "error: 'on' is boolean, but the rule gives number"),
        ("fields: {name: Long}", "warning: 'name': up to 40 characters may come, but it holds 8"),
        ("fields: {name: \"join(' ', Name, Name)\"}", "warning: 'name': up to 17 characters may come, but it holds 8"),
    ],
)
def test_what_a_read_mapping_expects_and_the_system_does_not_show_is_told(tmp_path, text, told):
    lines = found(tmp_path, text)
    assert any(line.startswith(told) for line in lines), lines


@pytest.mark.fault("S1", "S2")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fields: {Nmae: name}", "error: unknown field 'Nmae' in sys/Thing; did you mean 'Name'?"),
        ("fields: {a.Town: name}", "error: unknown field 'Town' in sys/Thing (a) (known: 'City')"),
        ("fields: {On: name}", "error: 'On' is Edm.Boolean, but the rule gives text; convert it"),
        ("fields: {Name: count}", "error: 'Name' is Edm.String, but the rule gives number; convert it"),
        (
            "fields: {Name: place.city}",
            "error: 'Name': up to 40 characters may come, but sys/Thing holds 8; use truncate(…)",
        ),
        (
            "fields: {Name: \"join('-', name, key)\"}",
            "error: 'Name': up to 19 characters may come, but sys/Thing holds 8; use truncate(…)",
        ),
        ("fields: {Name: {value: far too long}}", "error: 'Name': value 'far too long' is longer than 8"),
        ("fields: {Fixed: key}", "error: 'Fixed' of sys/Thing cannot be written"),
        ("fields: {to_P: name}", "error: 'to_P' needs for_each: it is a list"),
        (
            "value_maps: {k: {small: S}}\nfields: {Long: {expr: kind, value_map: k}}",
            "error: 'Long': value map 'k' has no entry for 'large'",
        ),
        (
            "value_maps: {k: {small: S, large: far too long}}\nfields: {Name: {expr: kind, value_map: k}}",
            "error: 'Name': value map 'k' gives 'far too long', which is longer than 8",
        ),
        ("actions: [{do: x, when: on}]\nfields: {Key: key}", "warning: 'actions' are checked, but not carried out yet"),
    ],
)
def test_what_a_write_mapping_gives_and_the_target_does_not_take_is_told(tmp_path, text, told):
    lines = found(tmp_path, text, "write")
    assert any(line.startswith(told) for line in lines), lines


@pytest.mark.fault("S2")
def test_a_planted_wrong_length_is_found_where_the_target_shortened_a_field(tmp_path):
    shorter = EntitySchema(key="Key", fields={**NATIVE.fields, "Name": FieldSchema(TEXT, 7)}, safe_by="key")
    text = "fields: {Name: name}"
    assert found(tmp_path, text, "write") == []
    assert found(tmp_path, text, "write", shorter) == [
        "error: 'Name': up to 8 characters may come, but sys/Thing holds 7; use truncate(…)"
    ]


def test_a_create_that_cannot_be_looked_up_needs_a_person(tmp_path):
    bare = EntitySchema(key="Key", fields=NATIVE.fields, safe_by="none")
    assert "cannot be looked up; write 'on_unknown: ask'" in found(tmp_path, "fields: {Key: key}", "write", bare)[0]
    assert found(tmp_path, "on_unknown: ask\nfields: {Key: key}", "write", bare) == []
    marked = EntitySchema(key="Key", fields=NATIVE.fields, safe_by="lookup")
    assert "name its mark by 'safe_by" in found(tmp_path, "fields: {Key: key}", "write", marked)[0]
    assert found(tmp_path, "safe_by: {lookup: settings.mark}\nfields: {Key: key}", "write", marked) == []


@pytest.mark.fault("S2", "D4")
def test_lengths_of_the_target_are_checked_record_by_record(tmp_path):
    text = "fields: {Name: settings.name, Price: price, Count: count, Long: name}"
    mapper = made(tmp_path, text, direction="write").with_schema(NATIVE)
    env = Env(settings={"name": "short"})
    assert both(mapper, {"price": "1.5", "count": 3, "name": "n"}, env) == {
        "Name": "short",
        "Price": "1.50",
        "Count": 3,
        "Long": "n",
    }
    with pytest.raises(RecordRejected) as caught:
        mapper.map({"price": "1000", "count": 3, "name": "n"}, Env(settings={"name": "𠮷𠮷𠮷𠮷x"}))
    assert [text.partition(" [")[0] for _, text in caught.value.reasons] == [
        "9 characters, limit 8",
        "expected at most 5 digits, 2 of them decimals, not '1000'",
    ]


def test_a_schema_changes_no_version(tmp_path):
    mapper = made(tmp_path, "fields: {Name: 'truncate(name, 8)'}", direction="write")
    assert mapper.with_schema(NATIVE).version == mapper.version
    assert mapper.with_schema(NATIVE).bundle == mapper.bundle


@pytest.mark.fault("S1")
def test_a_schema_that_does_not_fit_refuses_the_mapping(tmp_path):
    with pytest.raises(ConfigError, match="unknown field 'Nmae'"):
        made(tmp_path, "fields: {Nmae: name}", direction="write").with_schema(NATIVE)


FLOW = "flow: thing\ncapture:\n  sys: {schedule: '* * * * *', watch: {Child: '5 * * * *'}}\ndistribute: {sys: {}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made(tmp_path, "fields: {name: Name}")
    made(tmp_path, "fields: {Name: name}", direction="write")
    for name, text in {"systems": "systems:\n  sys: {kind: sys, connection: c}\n", "flows/thing": FLOW}.items():
        path = tmp_path / "config" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Project(tmp_path)


def schemas(system: str, entity: str) -> EntitySchema:
    if entity == "Thing":
        return NATIVE
    if entity == "Child":
        return EntitySchema(key="Id", fields={}, parent="Key")
    raise ConfigError(f"system '{system}': unknown entity '{entity}'")


def texts(project: Project, flow: str | None = None, live: bool = True) -> list[str]:
    if flow is not None:
        (project.home / "config/flows/thing.yaml").write_text(flow, encoding="utf-8")
    return [str(one) for one in check_flow(project, "thing", schemas if live else None)]


def test_a_flow_is_checked_with_its_mappings_against_the_systems(project):
    assert texts(project) == []
    made(project.home, "fields: {Nmae: name}", direction="write")
    assert texts(project) == [
        "mappings/sys/thing.write.yaml:4:10: unknown field 'Nmae' in sys/Thing; did you mean 'Name'?"
    ]
    assert texts(project, live=False) == [], "names of the target are known only to the target"


def test_conditions_watches_and_missing_files_of_a_flow_are_checked(project):
    flow = FLOW.replace("Child", "Kid") + "filter: nam == 'x'\nowners: {name: [{sys: kindd == 'small'}]}\n"
    assert texts(project, flow) == [
        "config/flows/thing.yaml:3:46: watch 'Kid': system 'sys': unknown entity 'Kid'",
        "config/flows/thing.yaml:5:9: 'filter' is checked, but not carried out yet",
        "config/flows/thing.yaml:5:9: unknown name 'nam' in canonical/thing; did you mean 'name'?",
        "config/flows/thing.yaml:6:23: unknown name 'kindd' in canonical/thing; did you mean 'kind'?",
    ]
    (project.home / "mappings/sys/thing.write.yaml").unlink()
    assert "there is no mappings/sys/thing.write.yaml for system 'sys'" in texts(project, FLOW)[0]


@pytest.mark.parametrize(
    ("owners", "told"),
    [
        ("{'*': sys, name: [sys]}", []),
        ("{'*': shop}", ["5:15: owner 'shop' of '*' is not captured by this flow"]),
        ("{name: [shop, sys]}", ["5:17: owner 'shop' of 'name' is not captured by this flow"]),
        ("{count: sys}", ["5:17: owner 'sys' of 'count': its read mapping has no rule for 'count'"]),
        (
            "{name: each}",
            ["5:16: owner 'each' of 'name': only elements of a list with 'list_by' have owners of their own"],
        ),
        ("{parts: each, name: newest}", []),
        ("{nme: newest}", ["5:10: unknown field 'nme'; did you mean 'name'?"]),
    ],
)
def test_an_owner_is_captured_and_shows_what_it_owns(project, owners, told):
    add_shop(project)
    assert texts(project, FLOW + f"owners: {owners}\n") == [f"config/flows/thing.yaml:{line}" for line in told]


def test_an_owner_that_is_switched_off_or_has_a_bad_mapping_is_told_once(project):
    add_shop(project, enabled="false")
    flow = FLOW.replace("capture:\n", "capture:\n  shop: {schedule: '* * * * *'}\n") + "owners: {count: [shop, sys]}\n"
    assert texts(project, flow) == [
        "config/flows/thing.yaml:6:24: owner 'sys' of 'count': its read mapping has no rule for 'count'"
    ]
    rel = "mappings/sys/thing.read.yaml"
    (project.home / rel).write_text((project.home / rel).read_text().replace("name: Name", "nam: Name"))
    assert texts(project, flow) == [f"{rel}:5:10: unknown field 'nam' in canonical/thing; did you mean 'name'?"]


def test_how_records_of_two_sources_meet_is_checked(project):
    add_shop(project)
    two = FLOW.replace("capture:\n", "capture:\n  shop: {schedule: '* * * * *'}\n")
    assert texts(project, two + "owners: {'*': sys}\nfirst: sys\nmatch: [[name]]\n") == []
    assert texts(project, two + "owners: {'*': sys}\nmatch: [[name, parts]]\n") == [
        "config/flows/thing.yaml:7:16: 'match': 'parts' holds no value to compare; name a field of it"
    ]
    assert texts(project, two) == [
        (
            "config/flows/thing.yaml:3:3: several systems are read and nobody owns a field: every edit counts; "
            "write owners: {'*': <system>}"
        )
    ]


def add_shop(project: Project, *, enabled: str = "true") -> None:
    """A second system of the same kind, `shop`."""
    path = project.home / "config/systems.yaml"
    path.write_text(path.read_text() + f"  shop: {{kind: sys, connection: d, enabled: {enabled}}}\n", encoding="utf-8")


def test_a_watched_set_that_does_not_name_its_parent_is_told(project):
    assert "do not name their parent" in texts(project, FLOW.replace("Child", "Thing"))[0]


def test_a_reference_to_an_entity_that_is_not_there_is_told(project):
    made(project.home, "fields: {name: Name, owner: {expr: Long, reference: busines_partner/customer}}")
    assert "reference 'busines_partner/customer'" in texts(project)[0]


def test_a_system_that_does_not_answer_is_no_finding(project):
    def away(system: str, entity: str) -> EntitySchema:
        raise TransientError("away", system=system, entity=entity)

    with pytest.raises(TransientError):
        check_flow(project, "thing", away)
