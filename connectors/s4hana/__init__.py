"""SAP S/4HANA: business partners by API_BUSINESS_PARTNER, read, created and changed."""

from connectors.s4hana.connector import S4HanaConnector
from connectors.s4hana.settings import Settings

__all__ = ["S4HanaConnector", "Settings"]
