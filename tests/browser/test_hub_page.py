"""The Hub page as people meet it: inside Airflow, as a viewer, as nobody, in the dark."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = ["/hub/", "/hub/status.json"]
DARK, LIGHT = "rgb(18, 23, 28)", "rgb(245, 246, 247)"


@pytest.fixture
def visit(chromium, server) -> Iterator[Any]:
    """Opens a path of Airflow in a fresh browser, logged in when a user is named; nothing may be asked of other hosts."""
    opened: list[Any] = []
    foreign: list[str] = []
    said: list[str] = []

    def open_page(path: str, user: str | None = None, colours: str = "light") -> Any:
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme=colours)
        opened.append(context)
        page = context.new_page()
        page.on("request", lambda request: None if _own(request.url, server.url) else foreign.append(request.url))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        if user is not None:
            page.goto(f"{server.url}/auth/login/")
            page.fill("input[name=username]", user)
            page.fill("input[name=password]", server.passwords[user])
            page.click("button[type=submit]")
            page.wait_for_url(lambda url: "/login" not in url)
        page.goto(server.url + path)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert [url for url in foreign if "/hub" in url] == []
    assert [text for text in said if "Content Security Policy" in text] == []


def _own(url: str, server: str) -> bool:
    return url.startswith((server, "data:", "blob:"))


@pytest.mark.parametrize("path", PAGES)
def test_nobody_is_refused(server, path: str) -> None:
    assert server.ask(path)[0] == 401


@pytest.mark.parametrize("user", ["ann", "uma", "op", "admin"])
@pytest.mark.parametrize("path", PAGES)
def test_everybody_who_may_see_dags_may_read(server, path: str, user: str) -> None:
    assert server.ask(path, user)[0] == 200


def test_nothing_can_be_changed_through_the_page(server) -> None:
    for path in PAGES:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert server.ask(path, "admin", method)[0] == 405


def test_the_right_for_one_dag_does_not_open_the_page_of_all(server) -> None:
    assert server.ask("/hub/?dag_id=business_partner.capture.s4hana", "ann")[0] == 400


def test_no_script_but_the_pages_own_may_run_and_nothing_is_kept(server) -> None:
    _, body, headers = server.ask("/hub/", "ann")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert headers["cache-control"] == "no-store"
    assert "http://" not in body
    assert "https://" not in body


def test_the_figures_are_there_for_machines_too(server) -> None:
    shown = json.loads(server.ask("/hub/status.json", "ann")[1])
    assert shown["problems"] == []
    assert shown["systems"] == ["commerce", "s4hana"]
    entity, fields = shown["rows"][0]
    assert entity == "business_partner"
    halves = {half["dag_id"]: half for field in fields for half in field}
    systems = ("commerce", "s4hana")
    assert set(halves) == {f"business_partner.{way}.{name}" for way in ("capture", "distribute") for name in systems}
    assert halves["business_partner.capture.s4hana"]["sums"].startswith("12 read = ")
    assert halves["business_partner.capture.s4hana"]["sums_met"]


def test_a_viewer_finds_the_matrix_in_airflows_navigation(visit) -> None:
    page = visit("/", "ann")
    page.get_by_role("link", name="Hub", exact=True).click()
    frame = page.frame_locator("iframe")
    assert frame.locator("h1").inner_text() == "Hub"
    assert frame.locator("thead th").all_inner_texts() == ["Entity", "commerce", "s4hana"]
    assert frame.locator("tbody th").all_inner_texts() == ["business_partner", "contact"]
    cells = frame.locator("tbody td").all_inner_texts()
    assert "Distribute" in cells[0]
    assert "Capture" in cells[1]
    assert "12 read =" in cells[1]
    assert frame.locator(".tile").count() >= 5


def test_it_fits_the_frame_at_1280_pixels(visit) -> None:
    frame = visit("/plugin/hub", "ann").frame_locator("iframe")
    frame.locator("table").wait_for()
    overflow = frame.locator("body").evaluate("body => document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0


def test_nobody_is_sent_to_the_login(visit) -> None:
    page = visit("/plugin/hub")
    page.wait_for_url(lambda there: "/auth/login" in there)
    assert page.locator("iframe").count() == 0


@pytest.mark.parametrize(("colours", "ground"), [("dark", DARK), ("light", LIGHT)])
def test_it_follows_the_colours_of_the_browser(visit, colours: str, ground: str) -> None:
    frame = visit("/plugin/hub", "ann", colours).frame_locator("iframe")
    frame.locator("table").wait_for()
    assert frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == ground


def test_it_follows_airflows_own_switch(visit) -> None:
    page = visit("/plugin/hub", "ann")
    frame = page.frame_locator("iframe")
    frame.locator("table").wait_for()
    page.evaluate("document.documentElement.className = 'dark'")
    frame.locator(":root.dark").wait_for()
    assert frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == DARK


def test_a_direction_leads_to_its_dag(visit) -> None:
    page = visit("/plugin/hub", "ann")
    page.frame_locator("iframe").locator("a[href$='business_partner.capture.s4hana']").first.click()
    page.wait_for_url("**/dags/business_partner.capture.s4hana")
