"""The configuration of a host's TCP: what differs from host to host, and what each value means.

**One table.** ``config.TcpConfig`` is a frozen dataclass. Each field is declared once, by ``netsim.fields.field``, with
its default, meaning, unit, source and range; ``netsim list tcp`` prints this table. The defaults are RFC 9293. Fields
are of two kinds. A constant is a number (``rto_min``, ``syn_retries``). A policy chooses between behaviours, where the
RFC allows several or where real kernels differ from it (``duplicate_syn="ack"`` or ``"synack"``). The name of a value
says what happens, not who does it: any host may be given any behaviour.

**Four policies are objects**, because they have parameters or compute something: ``backoff.BackOff`` (how long to wait
after each SYN or SYN-ACK), ``isn`` (initial sequence numbers), ``ports.Ports`` (local ports) and ``syn_cookie``
(layouts of SYN cookies). They have no state: the time, the host's secret and its random numbers are arguments of their
methods.

**Profiles.** ``profiles`` holds real hosts, as the fields in which they differ from RFC 9293, each value with its
source; ``sources("linux")`` gives them. A value without a source is marked unverified.
``linux().replace(syn_retries=3)`` is a variant; ``sysctl.configure(linux(), {"net.ipv4.tcp_syn_retries": 3})`` is the
same by the host's own name and unit.

**How the core uses it.** A host has one configuration and each of its sockets may have its own; a connection keeps that
of its socket in ``tcb.config`` and reads a field where it decides something. Durations are float seconds in the fields.
The core counts integer nanoseconds: ``config.ns`` has the same durations in that form, computed once. Since a
configuration is frozen and contains no state, hosts share it, and two equal ones are the same point of a sweep.

**Where a value is decided.** To find the code behind a field, search for ``config.NAME`` in ``netsim/tcp`` (for a
duration, ``config.ns.NAME``). A policy is read where its behaviours part, beside the sentence of the RFC that it is
about.
"""
