"""Migrations of the state schema (alembic), packaged with the engine."""
