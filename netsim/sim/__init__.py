"""The SimPy shell: worlds, hosts, sockets, attacks. The only package that imports simpy.

Theory of operation
-------------------

``netsim.tcp`` is sans I/O: events and the time are arguments, actions are results. This package gives it a clock, links
and applications. From the bottom to the top, each module knows those before it:

- ``clock``: SimPy's environment with integer nanoseconds, and queue entries that call a function.
- ``network``: what the hosts of one world share: the clock, the seed, the observer, the order of simultaneous events.
- ``processor``: the time that a host takes to process what arrives.
- ``pump``: between the clock, the links and one host's TCP stack.
- ``socket``: socket calls as SimPy events; ``connection``: a read-only view of a TCB.
- ``host``: the public face of a pump; ``attacks``: hosts that send forged segments, and floods.
- ``world``: makes hosts and links, and runs them.

**The pump.** Three kinds of input reach a stack: a segment arrives, a wake-up is due, an application makes a call. Each
returns a list of actions, and the pump performs them in order: ``Transmit`` sends a segment through the path to its
destination, which says when its copies arrive; ``Signal`` retries the calls that wait on a socket; all others are
decisions that only observers see. What a retried call causes is sent after the actions that woke it.

**Wake-ups are never cancelled.** A timer is a deadline in the core. The stack asks for a wake-up at a connection's
earliest deadline (``set_wakeup``), and the pump adds an entry to the queue. If the deadline moves later, the entry
stays: it finds nothing due, and the stack asks for another one. SimPy cannot cancel a timeout, and this way a timer
that is moved with each segment costs nothing. So ``world.now`` at the end of a run may be later than the last event.

**Simultaneous events** have a defined order: timers, then arrivals, then applications, each in the order in which they
were scheduled. It is part of the model: with constant delays and equal timeouts they do occur, and they change results.
``World(tie_break=...)`` swaps the first two, or draws the order.

**Applications are processes**, generators that yield events; links and hosts are callbacks, since a process for each
packet would cost three times as much. A socket call returns an event: of the past if it need not wait, and one that a
signal triggers otherwise. Errors are raised where the event is yielded, with the names of RFC 9293.

**Observers** are called with every event of the trace (``netsim.trace.events``). With one, segments travel in a
``Packet`` that knows its sender, its incarnation, and whether it is forged; no TCP reads it. Without one, none of that
is made.
"""

from netsim.sim.connection import Connection
from netsim.sim.host import Host
from netsim.sim.socket import Socket
from netsim.sim.world import World

__all__ = ["Connection", "Host", "Socket", "World"]
