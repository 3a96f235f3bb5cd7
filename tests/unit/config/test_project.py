"""The project: systems, flows, overlay, and what is kept between two looks."""

from pathlib import Path

import pytest

from l2c.config import Project
from l2c.errors import ConfigError

SYSTEMS = """
systems:
  s4hana: {kind: s4hana, connection: s4, settings: {client: "100"}}
  commerce: {kind: commerce, connection: shop}
"""
ENTITY = "entity: product\nfields:\n  code: {type: text, length: 40}\n  price: {type: amount}\n"
FLOW = """
flow: product
capture:
  s4hana: {schedule: "*/15 * * * *"}
distribute:
  commerce: {}
"""


def write(home: Path, files: dict[str, str]) -> Project:
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    overlay = Path("config/demo") if any(name.startswith("config/demo/") for name in files) else None
    return Project(home, overlay=overlay)


@pytest.fixture
def files() -> dict[str, str]:
    return {
        "config/systems.yaml": SYSTEMS,
        "config/flows/product.yaml": FLOW,
        "mappings/canonical/product.yaml": ENTITY,
    }


def mistakes(project: Project, flow: str = "product") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        project.flow(flow)
    return list(caught.value.mistakes)


def test_a_project_shows_its_systems_and_flows(tmp_path, files):
    project = write(tmp_path, files)
    assert project.flow_names == ["product"]
    assert project.systems["s4hana"].settings == {"client": "100"}
    assert project.systems["s4hana"].name == "s4hana"
    flow = project.flow("product")
    assert flow.capture["s4hana"].page_size == 200
    assert (flow.retries.attempts, flow.timezone, flow.keep) == (5, "UTC", "all")


def test_a_system_switched_off_leaves_the_flow_silently(tmp_path, files):
    files["config/systems.yaml"] = SYSTEMS.replace("connection: shop", "connection: shop, enabled: false")
    project = write(tmp_path, files)
    flow = project.flow("product")
    assert project.disabled == {"commerce"}
    assert "commerce" not in project.systems
    assert list(flow.active_distribute()) == []
    assert list(flow.active_capture()) == ["s4hana"]
    with pytest.raises(ConfigError, match="switched off"):
        project.system("commerce")


def test_the_overlay_is_merged_key_by_key_and_its_lists_replace(tmp_path, files):
    files["config/flows/product.yaml"] = FLOW + "alert: [a, b]\n"
    files["config/demo/flows/product.yaml"] = "capture:\n  s4hana: {schedule: {every: PT10S}}\nalert: [c]\n"
    files["config/demo/systems.yaml"] = "systems:\n  s4hana: {settings: {language: DE}}\n"
    project = write(tmp_path, files)
    flow = project.flow("product")
    assert str(flow.capture["s4hana"].schedule) == "every 10 s"
    assert flow.alert == ("c",)
    assert list(flow.distribute) == ["commerce"]
    assert project.systems["s4hana"].settings == {"client": "100", "language": "DE"}
    assert "every: PT10S" in project.flow_text("product")


def test_a_mistake_in_the_overlay_is_told_at_its_place_there(tmp_path, files):
    files["config/demo/flows/product.yaml"] = 'capture:\n  s4hana: {schedule: "61 * * * *"}\n'
    assert mistakes(write(tmp_path, files)) == [
        "config/demo/flows/product.yaml:2:23: cron '61 * * * *': minute '61' is not between 0 and 59"
    ]


def test_all_mistakes_of_a_flow_are_told_at_once_each_with_its_place(tmp_path, files):
    files["config/flows/product.yaml"] = (
        "flow: product\ncapture:\n  s4hanna: {schedule: '* * * * *'}\nfirst: commerce\nmatch: [[kode]]\n"
        "owners: {'*': s4hana, prise: nobody}\n"
    )
    assert mistakes(write(tmp_path, files)) == [
        "config/flows/product.yaml:3:3: unknown system 's4hanna'; did you mean 's4hana'?",
        "config/flows/product.yaml:4:8: 'commerce' is not captured by this flow",
        "config/flows/product.yaml:5:10: unknown field 'kode'; did you mean 'code'?",
        "config/flows/product.yaml:6:23: unknown field 'prise'; did you mean 'price'?",
        "config/flows/product.yaml:6:30: unknown owner 'nobody' (known: 'commerce', 'each', 'newest', 's4hana')",
    ]


@pytest.mark.parametrize(
    "key", ["flow", "capture", "distribute", "first", "match", "owners", "retries", "alert", "filter"]
)
@pytest.mark.parametrize("value", ["[]", "{x: y}", "5", "true", "[[{}]]", "{x: [{}]}", "null"])
def test_a_value_of_any_other_shape_is_told_not_stumbled_over(tmp_path, files, key, value):
    files["config/flows/product.yaml"] = f"flow: product\n{key}: {value}\n" if key != "flow" else f"flow: {value}\n"
    project = write(tmp_path, files)
    try:
        told = [f"config/flows/product.yaml: {project.flow('product').flow}"]
    except ConfigError as error:
        told = list(error.mistakes)
    assert told
    assert all(line.startswith("config/flows/product.yaml:") for line in told)


def test_a_flow_that_does_not_load_does_not_hide_the_others(tmp_path, files):
    files["config/flows/broken.yaml"] = "flow: [\n"
    project = write(tmp_path, files)
    assert project.flow_names == ["broken", "product"]
    assert project.flow("product").flow == "product"
    with pytest.raises(ConfigError, match=r"config/flows/broken\.yaml"):
        project.flow("broken")


def test_unknown_names_come_with_the_near_miss(tmp_path, files):
    project = write(tmp_path, files)
    with pytest.raises(ConfigError, match="no such flow; did you mean 'product'"):
        project.flow("produkt")
    with pytest.raises(ConfigError, match="unknown system 'comerce'; did you mean 'commerce'"):
        project.system("comerce")
    with pytest.raises(ConfigError, match="unknown entity 'prduct'; did you mean 'product'"):
        project.entity("prduct")


def test_a_file_is_read_again_when_it_changes_and_kept_while_it_does_not(tmp_path, files):
    project = write(tmp_path, files)
    assert project.block("mappings/canonical/product.yaml") is project.block("mappings/canonical/product.yaml")
    assert project.entity("product") is project.entity("product")
    (tmp_path / "mappings/canonical/product.yaml").write_text(ENTITY + "  name: {type: text}\n", encoding="utf-8")
    assert "name" in project.entity("product").fields


def test_the_project_comes_from_the_environment(tmp_path, files):
    files["config/demo/systems.yaml"] = "systems:\n  commerce: {enabled: false}\n"
    write(tmp_path, files)
    assert Project.from_env({"L2C_HOME": str(tmp_path)}).disabled == frozenset()
    assert Project.from_env({"L2C_HOME": str(tmp_path), "L2C_OVERLAY": "config/demo"}).disabled == {"commerce"}
    with pytest.raises(ConfigError, match=r"L2C_HOME .* is not a folder"):
        Project.from_env({"L2C_HOME": str(tmp_path / "nowhere")})
    with pytest.raises(ConfigError, match="L2C_OVERLAY 'nowhere' is not a folder"):
        Project.from_env({"L2C_HOME": str(tmp_path), "L2C_OVERLAY": "nowhere"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("systems:\n  S4: {kind: a, connection: b}\n", "system name 'S4' must be lower case letters"),
        ("systems:\n  s4: {kind: ../a, connection: b}\n", "2:14: kind name '../a' must be lower case letters"),
        ("systems:\n  s4: {kind: a, connection: b, settings: {password: x}}\n", "looks like a secret"),
        ("systems:\n  s4: {kind: a, conection: b}\n", "2:17: unknown key 'conection'; did you mean 'connection'?"),
        ("systems:\n  s4: {kind: a}\n", "2:7: key 'connection' is missing"),
        (
            "systems:\n  s4: {kind: a, connection: 5}\n",
            "2:29: 'connection': expected text (put it in quotes), found '5'",
        ),
        ("systems:\n  s4: {kind: a, connection: b, enabled: on}\n", "'enabled': expected true or false, found 'on'"),
        ("systems:\n  s4: {kind: a, connection: b, time_zone: Mars}\n", "unknown time zone 'Mars'"),
        ("systems: []\n", "'systems': expected keys and values, found a list"),
    ],
)
def test_systems_yaml_is_checked_strictly(tmp_path, files, text, told):
    files["config/systems.yaml"] = text
    project = write(tmp_path, files)
    with pytest.raises(ConfigError) as caught:
        _ = project.systems
    assert told in str(caught.value)
    assert str(caught.value).startswith("config/systems.yaml:")


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("{type: txt}", "'txt' is not allowed; did you mean 'text'?"),
        ("{length: 5}", "'type' is missing"),
        ("{type: text, fields: {a: {type: text}}}", "'type' and 'fields' exclude each other"),
        ("{list_by: b, fields: {a: {type: text}}}", "'list_by': unknown field 'b'"),
        ("{type: text, values: [a]}", "'values' belong to type 'code'"),
        ("{type: text, length: 0}", "expected a larger number, found '0'"),
        ("{type: text, length: '40'}", "expected a whole number, found '40'"),
        ("{fields: {class: {type: text}}}", "field name 'class' is a word of the expression language"),
        ("{fields: {_a: {type: text}}}", "must be lower case letters"),
    ],
)
def test_canonical_entities_are_checked_strictly(tmp_path, files, field, told):
    files["mappings/canonical/product.yaml"] = f"entity: product\nfields:\n  x: {field}\n"
    with pytest.raises(ConfigError) as caught:
        write(tmp_path, files).entity("product")
    assert told in str(caught.value)


def test_a_file_says_the_name_it_has(tmp_path, files):
    files["mappings/canonical/product.yaml"] = ENTITY.replace("product", "products")
    with pytest.raises(ConfigError, match=r"product\.yaml:1:9: 'products' stands in a file named 'product\.yaml'"):
        write(tmp_path, files).entity("product")


def test_the_shipped_configuration_loads():
    project = Project(Path(__file__).parents[3])
    for name in project.flow_names:
        flow = project.flow(name)
        assert flow.capture
        assert flow.distribute
