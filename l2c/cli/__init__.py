"""The command `l2c`."""

from l2c.cli.app import app, main

__all__ = ["app", "main"]
