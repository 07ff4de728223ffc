"""Referees from outside: packetdrill scripts and recordings of a real kernel."""
