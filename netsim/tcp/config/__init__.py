"""The policies and constants of an endpoint."""
