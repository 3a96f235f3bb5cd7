"""Replication of partners by messages, as on-premise S/4HANA does it: written one-way, confirmed later to the hub's inbox."""

from connectors.s4hana.replication.inbox import received
from connectors.s4hana.replication.replication import Replication

__all__ = ["Replication", "received"]
