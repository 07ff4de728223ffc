"""Passive OPEN: the LISTEN state, the SYN queue and what defends it (RFC 9293 3.10.7.2)."""
