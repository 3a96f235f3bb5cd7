"""Installations for the tests of this folder."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.integration.control import Control
from tests.integration.world import World, make_world

StartWorld = Callable[..., World]


@pytest.fixture
def start_world(tmp_path: Path, start_sandbox: Any) -> Iterator[StartWorld]:
    """Starts both simulated systems and lays out a home folder: `start_world(database_url, partners=60)`."""
    made: list[World] = []

    def start(
        database_url: str,
        *,
        overlay: str = "",
        two_way: bool = False,
        shop_options: Mapping[str, Any] = MappingProxyType({}),
        **options: Any,
    ) -> World:
        s4, shop = start_sandbox("s4hana", **options), start_sandbox("commerce", **shop_options)
        made_of = (tmp_path, Control(s4.url), Control(shop.url), database_url)
        world = make_world(*made_of, overlay=overlay, two_way=two_way)
        made.append(world)
        return world

    yield start
    for world in made:
        world.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty SQLite store."""
    return f"sqlite:///{tmp_path / 'state.db'}"
