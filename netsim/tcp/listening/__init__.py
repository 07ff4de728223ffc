"""Passive OPEN: how a SYN becomes a connection that the user can accept (RFC 9293 3.10.7.2, RFC 4987, RFC 7413).

A ``Listener`` stands for one passive OPEN and stays in LISTEN for as long as the user keeps it. It owns two queues:

- the SYN queue: connections in SYN-RECEIVED, whose SYN has arrived and whose handshake is not complete;
- the accept queue: connections that are ESTABLISHED and that the user has not accepted yet.

How a connection passes through them:

1. The stack finds no connection for a segment and hands it to the listener of the port (``Listener.segment_arrives``).
   RST, ACK, SYN and other segments are processed in the order of 3.10.7.2.
2. A SYN asks for a slot of the SYN queue. If none is free, the configuration decides: the SYN is dropped, an older
   entry is evicted (``syn_queue.py``), or the SYN-ACK carries a SYN cookie and nothing is stored (``syn_cookies.py``).
   If the accept queue is full, the SYN is dropped, because the connection could not be accepted.
3. A SYN-RECEIVED entry is an ordinary TCB in the stack's table of connections; ``tcb.listener`` is the listener that it
   came from. The SYN-ACK is sent and its retransmission timer starts. Later segments of this connection do not pass
   through the listener: the stack finds the TCB and applies the eight checks of 3.10.7.4 (``segment_arrives``).
4. The handshake's final ACK passes check five, which asks ``Listener.admit`` whether the accept queue has room. If so,
   the TCB enters ESTABLISHED. Leaving SYN-RECEIVED frees its slot (``connection.enter`` calls
   ``Listener.leaves_syn_queue``), and ``Listener.handshake_completes`` appends the TCB to the accept queue and signals
   the socket. ACCEPT takes it from there.
5. Otherwise a SYN-RECEIVED entry ends by a RST, by eviction, or when no ACK has answered as many SYN-ACKs as the
   configuration allows (``timeouts.py`` asks ``Listener.may_retransmit_synack``); the slot is freed as in step 4.

A SYN cookie skips the queue: the ACK that returns it is the first thing that the listener stores. It creates the TCB,
puts it through SYN-RECEIVED, and the ACK is processed as in step 4.

Variants: data on the SYN with a Fast Open cookie makes a connection that can be accepted while still in SYN-RECEIVED
(``fast_open.py``); TCP_DEFER_ACCEPT ignores the final ACK until data arrives (``defer_accept.py``); two-way and
four-way handshakes, which no RFC has, exist for comparison (``counterfactual.py``).

The listener owns its queues; the stack owns the table of connections; the user's socket owns the listener. What a TCB
may ask of its listener is the protocol ``tcb.PassiveOpen``, so that the connection does not depend on this package.
"""
