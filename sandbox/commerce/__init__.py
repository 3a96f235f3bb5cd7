"""Simulated SAP Commerce: the Integration API (OData v2) over B2B units and their addresses, with OAuth 2."""
