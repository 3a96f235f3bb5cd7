"""Replication of business partners by SOAP: requests taken and sent, confirmations sent later."""
