"""Installations for the tests of this folder: those of the integration tests."""

from tests.integration.conftest import sqlite_url, start_world

__all__ = ["sqlite_url", "start_world"]
