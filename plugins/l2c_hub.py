"""Registers the hub's page with Airflow."""

from l2c.airflow.plugin import HubPlugin

__all__ = ["HubPlugin"]
