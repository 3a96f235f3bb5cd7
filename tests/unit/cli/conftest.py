"""Installations as in the integration tests, and golden files of what the command prints."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import sqlite_url, start_world
from tests.integration.world import World

__all__ = ["call", "golden", "sqlite_url", "start_world"]

VARYING = (  # what differs from run to run
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", "MOMENT"),
    (r"\b[0-9a-f]{16}\b", "VERSION"),
    (r"\b\d+ ms\b", "N ms"),
    (r"[+-]\d s\b", "+N s"),
    (r" {2,}", "  "),
)


@pytest.fixture
def call() -> Callable[..., str]:
    """Calls the command and tells it as a person sees it on a screen, with what varies replaced."""

    def shown(world: World, *words: str, expect: int = 0) -> str:
        text = f"$ l2c {' '.join(words)}\n{world.run(*words, expect=expect)}exit code {expect}\n"
        text = text.replace(str(world.home), "HOME")
        for pattern, word in VARYING:
            text = re.sub(pattern, word, text)
        return text

    return shown


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compares what was shown with `golden/<test>.txt`; L2C_WRITE_GOLDEN=1 writes it instead."""

    def compare(*shown: str) -> None:
        text = "\n".join(shown)
        path = Path(__file__).parent / "golden" / f"{request.node.name.removeprefix('test_')}.txt"
        if os.environ.get("L2C_WRITE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare
