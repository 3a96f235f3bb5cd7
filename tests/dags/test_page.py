"""The Hub page: what it writes, and who may ask."""

from datetime import UTC, datetime

import pytest

from l2c.airflow.matrix import matrix
from l2c.state.messages import MessageRow
from l2c.state.results import Cell, RunSummary

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
EVIL = "<script>alert(1)</script>"
pytestmark = pytest.mark.filterwarnings("default")  # airflow and its libraries warn of one another


def rendered(cells: list[Cell], problems: tuple[str, ...] = ()) -> str:
    from jinja2 import Environment, PackageLoader

    template = Environment(loader=PackageLoader("l2c.airflow", "templates"), autoescape=True).get_template("hub.html")
    return template.render(matrix=matrix(cells, NOW), problems=problems, nonce="n", base="/af", now="now")


@pytest.mark.fault("D11")
def test_no_text_of_a_system_becomes_markup() -> None:
    run = RunSummary(1, EVIL, "capture", EVIL, "failed", {}, False, NOW, NOW, EVIL)
    page = rendered([Cell(EVIL, EVIL, "capture", run, dead_letters=1, note=EVIL)], (EVIL,))
    assert EVIL not in page
    assert page.count("&lt;script&gt;alert(1)") >= 4


@pytest.mark.fault("D11")
def test_a_message_that_was_not_understood_is_told_with_its_reason_and_never_as_markup() -> None:
    from jinja2 import Environment, PackageLoader

    template = Environment(loader=PackageLoader("l2c.airflow", "templates"), autoescape=True).get_template("hub.html")
    row = MessageRow(7, "crm", None, NOW, "failed", EVIL, 3)
    shown = matrix([Cell("thing", "erp", "capture", None)], NOW, messages={"crm": {"failed": 1}}, refused=[row])
    page = template.render(matrix=shown, problems=(), nonce="n", base="", now="now")
    assert "<b>crm</b> message 7, 2026-03-02 08:00:00 UTC: &lt;script&gt;" in page
    assert EVIL not in page


def test_links_start_where_airflow_is_served() -> None:
    page = rendered([Cell("thing", "erp", "capture", None, dead_letters=2)])
    assert page.count('href="/af/dags/thing.capture.erp"') == 2


def test_without_a_flow_the_page_says_what_to_do() -> None:
    assert "add one to config/flows" in rendered([])


def test_a_flow_that_does_not_load_is_told_above_the_others() -> None:
    page = rendered([Cell("thing", "erp", "capture", None)], ("config/flows/bad.yaml:1:1: unknown key",))
    assert "config/flows/bad.yaml:1:1" in page
    assert "thing.capture.erp" in page


def test_a_flow_that_does_not_load_does_not_hide_the_others(home, monkeypatch) -> None:
    from l2c.airflow import page

    home.write("config/flows/bad.yaml", "flow: bad\nfoo: 1\n")
    home.write("mappings/canonical/bad.yaml", "entity: bad\nfields: {number: {type: text, length: 10}}\n")
    shown, problems = page.read_matrix()
    assert shown is not None
    assert any("config/flows/bad.yaml:2:1: unknown key 'foo'" in problem for problem in problems)


def test_every_page_asks_airflow_who_may_see_dags_and_nothing_but_the_inbox_stands_beside_them() -> None:
    from fastapi.routing import APIRoute

    from l2c.airflow.page import build_app

    pages, inbox = {"/", "/status.json"}, {"/inbox/token", "/inbox/{system}"}
    routes = build_app().routes
    assert {route.path for route in routes} == pages | inbox
    for route in routes:
        assert isinstance(route, APIRoute)
        assert route.methods == ({"GET"} if route.path in pages else {"POST"})
        asked = {getattr(need.call, "__qualname__", "") for need in route.dependant.dependencies}
        assert ("requires_access_dag.<locals>.inner" in asked) == (route.path in pages)


def test_the_plugin_names_itself_and_builds_the_page_only_when_asked() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from l2c.airflow.plugin import HubPlugin; p = HubPlugin(); p.validate();"
        "assert 'l2c.airflow.page' not in sys.modules; p.fastapi_apps; assert 'l2c.airflow.page' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
