"""TCP of one host, without input and output: a pure core that a simulator, a script player or a test drives (RFC 9293).

Who owns whom. A ``Stack`` is the TCP of one host. It owns the listeners and a ``HostContext``, which holds what all
connections of the host share: the table of connections, counters, secrets, random streams, the list of actions. A
connection is a ``Tcb`` (``tcb.py``): all its variables and no behaviour. Functions in the modules of this package
change it. The user has a ``Socket``, which owns a TCB or a listener and offers the calls of the sockets API.

The driver. The core knows no clock, no network and no event queue. The driver calls the stack when something happens,
and passes the time, an integer number of nanoseconds:

- a segment arrives: ``Stack.on_segment`` (RFC 9293 3.10.7: ``segment_arrives``, and ``listening`` for LISTEN);
- the user calls: OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS (3.10.1 to 3.10.6: ``user_calls.py``, ``socket.py``);
- a timer expires: ``Stack.on_wakeup`` or ``Stack.on_timer`` (3.10.8: ``timeouts.py``);
- an ICMP error arrives: ``Stack.on_icmp`` (3.9.2: ``segment_arrives/icmp.py``).

Each of these inputs returns a list of actions (``actions.py``), and the driver performs them in order: ``Transmit`` a
segment, ``Signal`` a socket that its connection has changed. The other actions report to a trace what happened and by
which rule (``clauses.py``); they are emitted only if ``HostContext.tracing`` is set.

How a connection lives.

1. It is created by an active OPEN (``user_calls.open_active``), or by a SYN for a listener (``listening``); both use
   ``connection.allocate``, which chooses the initial sequence number and enters the TCB in the table.
2. Every change of its state goes through ``connection.enter``, which checks it against ``state.TRANSITIONS``: the
   table of all legal edges, each with its clause, from which the state diagram is drawn as well.
3. A segment for it passes through the eight checks of 3.10.7.4. They set variables, for instance ``ack_wanted``. At
   the end of each input ``output.output`` sends what has become due: new data within both windows, a FIN, or a bare
   ACK.
4. Data that was sent stays in the retransmission queue until it is acknowledged. Timeouts, congestion control and loss
   recovery are in ``recovery``.
5. It ends by ``connection.end`` or, for a passive OPEN that returns to LISTEN, ``connection.release``: the TCB leaves
   the table and its timers stop. In TIME-WAIT it stays in the table until the TIME_WAIT timer (2MSL) expires, or until
   a new SYN or an active OPEN replaces it (``segment_arrives/time_wait.py``).

How timers work without cancelling. A connection has a short list of deadlines (``timers.py``), one for each timer. A
timer is armed by writing its deadline, restarted by writing a later one, and stopped by writing ``NEVER``.
``Tcb.wake`` is not later than any of these deadlines. After each input the stack asks the driver for a wake-up at
``Tcb.wake`` if the one that is pending (``Tcb.scheduled``) comes later. A wake-up is never cancelled: if it finds that
no timer has expired, it sets the next one and does nothing else.

What may differ between hosts is a field of ``TcpConfig`` (``config``), whose profiles describe RFC 9293, Linux, FreeBSD
and Windows. Modules import only modules below them: ``segment``, ``state``, ``clauses``, ``errors``, ``timers``,
``config`` at the bottom; then ``tcb``, ``connection``, ``recovery`` and ``output``; then ``segment_arrives`` and
``listening``; then ``user_calls``, ``timeouts``, ``stack`` and ``socket``. One module stands lower than its folder:
``segment_arrives/authentication.py`` (TCP-AO), because ``output`` signs segments with it.
"""
