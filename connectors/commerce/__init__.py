"""SAP Commerce (Cloud), spoken to through its Integration API."""

from connectors.commerce.connector import CommerceConnector
from connectors.commerce.settings import CommerceSettings

__all__ = ["CommerceConnector", "CommerceSettings"]
