"""Packet captures: pcapng and pcap. A trace is written to a file, and a file is read as a trace.

This package is empty: it reserves the place between ``trace``, which it reads and writes, and ``sim``, which does not
know it.
"""
