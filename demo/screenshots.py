"""Takes the pictures of docs/screenshots from a running demo: `python -m demo.screenshots URL PASSWORD FOLDER [NAME …]`.

The password is that of the viewer, so that the pictures show what everybody may see.
"""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1280, "height": 800}
SETTLED_MS = 2_500  # charts are drawn after their text
CAPTURE = "business_partner.capture.s4hana"


def main() -> None:
    """Log in and take the pictures: all of them, or those named."""
    url, password, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
        _log_in(page, url, password)
        for name in sys.argv[4:] or PICTURES:
            PICTURES[name](page, url)
            page.wait_for_timeout(SETTLED_MS)
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


def _dag_list(page: Any, url: str) -> None:
    page.goto(f"{url}/dags")
    page.get_by_text(CAPTURE).first.wait_for()


def _capture_grid(page: Any, url: str) -> None:
    """The newest run that journaled something, and so rang the bell."""
    events = page.request.get(f"{url}/api/v2/assets/events?limit=100&order_by=-timestamp").json()["asset_events"]
    event = next(one for one in events if one["source_dag_id"] == CAPTURE)  # webhooks ring, too
    page.goto(f"{url}/dags/{event['source_dag_id']}/runs/{quote(event['source_run_id'])}")
    page.get_by_text("settle").first.wait_for()


def _asset_graph(page: Any, url: str) -> None:
    assets = page.request.get(f"{url}/api/v2/assets?limit=100").json()["assets"]
    bell = next(one for one in assets if one["name"] == "business_partner")
    page.goto(f"{url}/assets/{bell['id']}")
    page.get_by_text("business_partner.distribute.commerce").first.wait_for()


def _hub_page(page: Any, url: str) -> None:
    page.goto(f"{url}/plugin/hub")
    page.frame_locator("iframe").locator("table").wait_for()


PICTURES = {"dag-list": _dag_list, "capture-grid": _capture_grid, "asset-graph": _asset_graph, "hub-page": _hub_page}


def _log_in(page: Any, url: str, password: str) -> None:
    page.goto(f"{url}/auth/login/")
    page.fill("input[name=username]", "viewer")
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda there: "/login" not in there)


if __name__ == "__main__":
    main()
