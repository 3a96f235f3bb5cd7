"""The state of the hub: its own database, one module a concern; the only SQL in the project."""
