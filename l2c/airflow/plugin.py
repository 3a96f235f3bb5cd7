"""The hub's Airflow plugin: one read-only page in the navigation."""

from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/hub"


def _icon(colour: str) -> str:
    """A hub with three spokes, as a data address: the navigation shows it without another request."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" stroke-width="2">'
        '<circle cx="12" cy="12" r="3.5"/><circle cx="12" cy="3.5" r="2"/><circle cx="4.5" cy="18" r="2"/>'
        '<circle cx="19.5" cy="18" r="2"/><path d="M12 5.5v3M6.2 16.9l2.9-2.6M17.8 16.9l-2.9-2.6"/></svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"


class HubPlugin(AirflowPlugin):  # type: ignore[misc]  # airflow ships no types for mypy to follow
    """Adds *Hub* to the navigation.

    Every task process loads the plugins too, so the page (FastAPI, templates) is imported only by the part that serves it:
    reading `fastapi_apps` is what builds it.
    """

    name = "l2c_hub"
    external_views: ClassVar[list[dict[str, Any]]] = [
        {
            "name": "Hub",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "url_route": "hub",
            "nav_top_level": True,
            "icon": _icon("#d97706"),  # seen on the light bar and on the dark mark of the page one is on
            "icon_dark_mode": _icon("#fbbf24"),
        },
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """The page's application, as Airflow mounts it."""
        from l2c.airflow.page import build_app

        return [{"app": build_app(), "url_prefix": PREFIX, "name": "Lead-to-Cash Hub"}]
