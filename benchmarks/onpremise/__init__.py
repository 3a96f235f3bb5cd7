"""Partners written by replication messages: confirmations are lost, late, doubled, out of order, or never come."""
