"""SEGMENT ARRIVES: what a segment does to a connection (RFC 9293 3.10.7).

``Stack.on_segment`` finds the connection of a segment and calls one of four places, one for each part of 3.10.7:

- CLOSED (3.10.7.1), no connection and no listener: ``stack.py`` answers with a RST;
- LISTEN (3.10.7.2): ``netsim/tcp/listening``;
- SYN-SENT (3.10.7.3): ``syn_sent.py``;
- every other state (3.10.7.4): ``checks.py``, the eight checks in one function and in the RFC's order.

Check 1 is in ``sequence.py``, with what answers an unacceptable segment and with challenge ACKs; checks 2, 4 and 6
(RST, SYN, URG) in ``checks.py``; check 5 (ACK) in ``ack.py``; checks 7 and 8 (data and FIN) in ``data.py``, which
also decides whether their ACK is immediate or delayed. What real hosts do in TIME-WAIT before the eight checks, and
which SYN opens a new connection out of TIME-WAIT, is in ``time_wait.py``. ``options.py`` has the negotiation of
options and timestamps (PAWS, RFC 7323), ``established.py`` what reaching ESTABLISHED does, ``authentication.py``
TCP-AO, ``icmp.py`` ICMP errors.

A check returns whether processing goes on. It changes the TCB and may call ``end``, ``enter``, ``send_reset_for`` or
``transmit`` (a challenge ACK), which append actions to ``tcb.ctx.actions``. An ordinary ACK is not sent here: a check
sets ``tcb.ack_wanted``, or starts the delayed-ACK timer, and after the last check the stack calls ``output``, which
sends data with that ACK, or the ACK alone. A segment that had no effect is noted with the clause that says so
(``dropped``), one that had an effect likewise (``accepted``); both cost nothing unless the host is traced.
"""
