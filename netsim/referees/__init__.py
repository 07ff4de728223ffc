"""Referees: judgements on the TCP core that come from outside of this project.

A referee is a source of truth that others have made. There are two:

``packetdrill``
    The test scripts of the field. A script says which segments arrive and which the host must send; it is played
    against the TCP core on a virtual clock, and the verdict is pass, fail or unsupported.
``recordings``
    Exchanges recorded between two real Linux hosts. Each is simulated with the same settings, application steps and
    link faults, and every packet, result and state is compared.

The referees use the core, the simulator and the trace, and nothing below them knows the referees: only the command line
(``netsim packetdrill``, ``netsim compare``) and the tests call them. ``recordings`` takes the layout of TCP options and
the names of errors from ``packetdrill``.
"""
