"""Installations as in the integration tests."""

from tests.integration.conftest import sqlite_url, start_world

__all__ = ["sqlite_url", "start_world"]
