"""The data phase: the retransmission queue, loss recovery, congestion control and acknowledgments.

Theory of operation
-------------------

Everything here works on one connection, a ``Tcb``. Its data-phase variables are made when first needed, so that a
connection that sends no data carries none: ``Sent``, ``Rack``, ``Undo``, ``Ecn`` and ``DelayedAcks`` (variables.py),
``Congestion`` (congestion.py), an RTT estimator (rto.py), ``Reassembly``, ``SendTimes`` (tcp_info.py). The functions of
a topic stand in its module. Nothing here keeps a clock or a timer of its own: ``now`` is an argument, and a timer is a
deadline in ``tcb.deadlines``.

**Sending.** ``SEND`` appends to the send buffer (send_buffer.py), which begins at SND.UNA: it holds what is sent and
unacknowledged, and behind it what is unsent. ``output`` (../output.py) cuts segments from it while the peer's and the
congestion window allow, and appends a ``Sent`` for each to the retransmission queue (queue.py), which also knows a FIN.
A ``Sent`` holds no bytes: a retransmission takes them from the send buffer again. tso.py decides which segments carry
PSH because Linux hands several to the interface at once.

**An ACK arrives** (../segment_arrives/ack.py), and the order of the calls is the order of the effects:

1. ``rack.newly_acked`` looks at the segments that the ACK covers, while they are still queued (in recovery only).
2. ``queue.acknowledge`` removes them from queue and buffer, moves SND.UNA and returns an RTT sample.
3. ``undo.check_undo`` asks whether loss recovery was spurious (Eifel, D-SACK, F-RTO), and if so restores the windows.
4. ``queue.update_rto`` gives the sample to the estimator (rto.py); ``queue.restart_timers`` restarts the RTO, or the
   tail loss probe that comes before it.
5. ``Congestion.ack_arrives`` grows the window, by its ``CongestionControl``: Reno, or CUBIC (cubic.py).
6. ``scoreboard.sack_recovery`` marks what the SACK blocks cover. A loss, found by the SACK rule of RFC 6675 or by RACK
   (rack.py), begins recovery; in recovery, it retransmits as much as ssthresh or PRR (prr.py) allows. Without SACK, the
   third duplicate ACK does that (``Congestion.duplicate_ack``).
7. When the segment has been processed, the stack calls ``output``, which uses the room that the window now has.

**A timer expires** (../timeouts.py). The RTO marks segments lost (``rack.mark_lost_by_timeout``), reduces the window
(``Congestion.timeout``), doubles itself and retransmits the first segment; the ACKs that follow let ``output``
retransmit the other lost ones. The slot PROBE is the tail loss probe while nothing is selectively acknowledged, and
RACK's reordering timer otherwise.

**Receiving.** Data behind a gap is kept in ``Reassembly`` (reassembly.py); sack.py turns it into the SACK blocks of the
next segment, with a D-SACK for data that was received before. In-order data makes an ACK due: at least for every second
full segment by the RFC's fixed timer (../segment_arrives/data.py), or as delayed_ack.py decides where the timer is
adaptive. An ACK is a flag (``tcb.ack_wanted``) until the event has been processed, so that data can carry it.

**ECN** (ecn.py) is negotiated by the SYNs; an ECE reduces the window once per window of data, without retransmission.
"""
