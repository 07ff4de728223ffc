"""A simulated exchange written as a packetdrill script.

``endpoint`` selects the events of one connection from a trace, ``host_settings`` writes the host's configuration as
sysctl commands and socket options, ``writer`` writes the events as the lines of a script.
"""
