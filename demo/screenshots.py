"""Takes the pictures of docs/screenshots from a running demo: `python -m demo.screenshots URL PASSWORD [FOLDER]`.

The password is that of the viewer, so that the pictures show what everybody may see.
"""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1280, "height": 800}


def main() -> None:
    """Log in and take the four pictures."""
    url, password = sys.argv[1:3]
    folder = Path(sys.argv[3] if len(sys.argv) > 3 else "docs/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
        _log_in(page, url, password)
        _shoot(page, f"{url}/dags", folder / "dag-list.png", "business_partner.capture.s4hana")
        _shoot(page, f"{url}/dags/business_partner.capture.s4hana/runs", folder / "capture-grid.png", "settle")
        _shoot(
            page,
            f"{url}/assets/{_asset(page, url)}",
            folder / "asset-graph.png",
            "business_partner.distribute.commerce",
        )
        page.goto(f"{url}/plugin/hub")
        page.frame_locator("iframe").locator("table").wait_for()
        page.wait_for_timeout(500)
        page.screenshot(path=folder / "hub-page.png")
        browser.close()


def _log_in(page: Any, url: str, password: str) -> None:
    page.goto(f"{url}/auth/login/")
    page.fill("input[name=username]", "viewer")
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda there: "/login" not in there)


def _shoot(page: Any, address: str, path: Path, wanted: str) -> None:
    page.goto(address)
    page.get_by_text(wanted).first.wait_for(timeout=20_000)
    page.wait_for_timeout(2_000)  # charts are drawn after their text
    page.screenshot(path=path)


def _asset(page: Any, url: str) -> int:
    answer = page.request.get(f"{url}/api/v2/assets")
    return int(answer.json()["assets"][0]["id"])


if __name__ == "__main__":
    main()
