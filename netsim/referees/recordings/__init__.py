"""Recorded exchanges of real hosts: read, rebuilt in a world of our own, and compared packet by packet."""
