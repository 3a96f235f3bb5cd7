"""A simulated SAP S/4HANA that serves API_BUSINESS_PARTNER (OData v2) the way the real one does."""
