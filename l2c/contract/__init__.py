"""The contract between hub and connectors."""

from l2c.contract.connector import (
    Actions,
    Confirmations,
    Connection,
    Connector,
    Files,
    Partitions,
    System,
    utc_now,
)
from l2c.contract.records import (
    Call,
    Change,
    EntitySchema,
    FieldSchema,
    Health,
    Outcome,
    Page,
    Prepared,
    Record,
    Request,
    Status,
)

__all__ = [
    "Actions",
    "Call",
    "Change",
    "Confirmations",
    "Connection",
    "Connector",
    "EntitySchema",
    "FieldSchema",
    "Files",
    "Health",
    "Outcome",
    "Page",
    "Partitions",
    "Prepared",
    "Record",
    "Request",
    "Status",
    "System",
    "utc_now",
]
