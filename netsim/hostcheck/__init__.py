"""What the settings of a host amount to: its limits, and the settings that do not do what people expect.

No simulation runs here. A ``HostSettings`` is a ``TcpConfig`` plus the few settings that a TCP core does not have (the
backlog of listen(), ``tcp_tw_reuse``, ``tcp_max_tw_buckets``). From it

- ``limits.limits`` computes, in closed form, how many connections the queues hold, for how long a SYN-RECEIVED entry
  lives, which rate of SYNs keeps the SYN queue full, and how many connections per second the local ports allow;
- ``pitfalls.pitfalls`` compares the settings with common misunderstandings and says what holds instead;
- ``pitfalls.listener_warnings`` does so for a listener's ``TcpConfig`` alone; the study of SYN floods prints them.

Numbers come from the configuration and from the listener's own functions, so that they cannot differ from what a
simulated host does. Linux's rules are those of 6.18: net/ipv4/tcp_input.c (tcp_conn_request),
net/ipv4/inet_connection_sock.c (reqsk_timer_handler), include/net/sock.h (sk_acceptq_is_full). ``netsim explain``
prints all of this.
"""
