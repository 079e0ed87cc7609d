"""Requests on their way: HTTP, connections, retries, rates and keys' last step. No wire format is known here."""
