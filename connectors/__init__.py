"""Connectors of the Lead-to-Cash Hub, one folder per kind of system."""
