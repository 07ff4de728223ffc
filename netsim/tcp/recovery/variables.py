"""The variables of the data phase that a connection holds (``Tcb``), each made when the connection first needs it.

They name no ``Tcb``, so that ``tcb.py`` may name them. The functions that work on them stand in the module of their
topic: queue.py, rack.py, undo.py, ecn.py, delayed_ack.py.
"""

from dataclasses import dataclass
from typing import Final

from netsim.tcp.segment import HALF, MASK

DUPTHRESH: Final = 3  # segments selectively acknowledged: no reordering window (RFC 8985 6.2, step 4)
_PERSIST: Final = 16  # recoveries after which a wider reordering window is reset (RFC 8985 6.2, step 4)
_MAX_REORDERING: Final = 300  # segments; net.ipv4.tcp_max_reordering
_MSS_DEFAULT: Final = 536  # bytes; TCP_MSS_DEFAULT, the first guess at the size of the peer's segments


@dataclass(slots=True)
class Sent:
    """A segment on the retransmission queue: ``length`` counts FIN, ``sent_at`` is its last transmission (ns).

    ``ends_burst``: it was the last segment of a TSO burst (tso.py).
    """

    seq: int
    length: int
    flags: int
    sent_at: int
    transmissions: int = 1
    lost: bool = False
    sacked: bool = False
    ends_burst: bool = False


@dataclass(slots=True)
class Rack:
    """RACK's variables (RFC 8985 6.1); times in ns.

    ``xmit_ts``, ``end_seq``, ``rtt`` and ``transmissions`` are those of the segment that was sent last among those
    delivered. ``fack`` is the highest sequence number selectively acknowledged. ``reordering`` is the maximum distance
    of a reordered segment. ``reo_wnd_mult`` multiplies the reordering window, for ``reo_wnd_persist`` more recoveries;
    it grows once until SND.UNA reaches ``dsack_round``.
    """

    fack: int
    xmit_ts: int = -1
    transmissions: int = 0
    end_seq: int = 0
    rtt: int = 0
    reordering_seen: bool = False
    reordering: int = DUPTHRESH
    reo_wnd_mult: int = 1
    reo_wnd_persist: int = 0
    dsack_round: int | None = None

    def update(self, sent: Sent, now: int, minimum: int) -> None:
        """A segment was delivered (RFC 8985 6.2, steps 1 and 2).

        A retransmission younger than the ``minimum`` RTT is ignored: the ACK is for an earlier transmission.
        """
        rtt = now - sent.sent_at
        if sent.transmissions > 1 and rtt < minimum:
            return
        self.rtt = rtt
        if not self.sent_after(sent):
            self.xmit_ts, self.transmissions = sent.sent_at, sent.transmissions
            self.end_seq = (sent.seq + sent.length) & MASK

    def sent_after(self, sent: Sent) -> bool:
        """Whether the latest segment delivered was sent after this one (RFC 8985 6.2, RACK_sent_after).

        Of segments sent at the same time, retransmissions count as sent after the others.
        """
        if self.xmit_ts != sent.sent_at:
            return self.xmit_ts > sent.sent_at
        if self.transmissions != sent.transmissions:
            return self.transmissions > sent.transmissions
        return 0 < (self.end_seq - sent.seq - sent.length) & MASK < HALF

    def detect_reordering(self, segments: int) -> None:
        """A segment transmitted once was delivered after ``segments`` later ones (step 3)."""
        self.reordering_seen = True
        self.reordering = min(max(self.reordering, segments), _MAX_REORDERING)

    def dsack_arrives(self, una: int, nxt: int) -> None:
        """The peer reports a duplicate: the reordering window grows, once per round trip (step 4)."""
        if self.reordering_seen and (self.dsack_round is None or (una - self.dsack_round) & MASK < HALF):
            self.dsack_round = nxt
            self.reo_wnd_mult, self.reo_wnd_persist = min(self.reo_wnd_mult + 1, 255), _PERSIST

    def recovery_ends(self) -> None:
        """A recovery is over: after 16 of them the reordering window is reset (step 4)."""
        self.reo_wnd_persist = max(self.reo_wnd_persist - 1, 0)
        if not self.reo_wnd_persist:
            self.reo_wnd_mult = 1


@dataclass(slots=True)
class Undo:
    """One loss recovery: ``marker`` was SND.UNA, ``cwnd`` and ``ssthresh`` were the windows (bytes) when it began.

    ``retransmitted`` counts the retransmissions that the peer has not reported as duplicates; None before the first.
    ``stamp`` is the timestamp of the first retransmission, if the connection uses timestamps.
    """

    marker: int
    cwnd: int
    ssthresh: int
    retransmitted: int | None = None
    stamp: int | None = None

    def segment_retransmitted(self, stamp: int | None) -> None:
        """A segment was retransmitted with this timestamp."""
        self.retransmitted = (self.retransmitted or 0) + 1
        if self.stamp is None:
            self.stamp = stamp

    def dsack_arrives(self, end: int, una: int, segments: int) -> None:
        """The peer reports data up to ``end`` as a duplicate; SND.UNA was ``una``, so that it was acknowledged."""
        if self.retransmitted and (una - end) & MASK < HALF and 0 < (end - self.marker) & MASK < HALF:
            self.retransmitted = max(self.retransmitted - segments, 0)

    def echo_predates_retransmission(self, echo: int | None) -> bool:
        """Whether a segment sent before the first retransmission caused an ACK with this echo (RFC 3522 3.2)."""
        return bool(echo) and self.stamp is not None and 0 < (self.stamp - (echo or 0)) & MASK < HALF


@dataclass(slots=True)
class Ecn:
    """The ECN variables of a connection that has negotiated it.

    ``send_ece``: a CE mark was received, and every ACK carries ECE until the peer sends CWR. ``send_cwr``: the next new
    data carries CWR. ``recover``: the window was reduced when this was SND.NXT; an ECE for data before it is ignored.
    """

    recover: int
    send_ece: bool = False
    send_cwr: bool = False


@dataclass(slots=True)
class DelayedAcks:
    """What one connection knows about its peer's data. ``ato`` and ``data_at`` in ns, ``rcv_mss`` in bytes.

    The next ``quick`` ACKs are immediate, unless the connection is in ``pingpong`` mode. ``small``: a segment of less
    than ``rcv_mss`` waits for its ACK; ``two_small``: at least two do.
    """

    ato: int = 0
    quick: int = 0
    data_at: int = 0
    pingpong: bool = False
    rcv_mss: int = _MSS_DEFAULT
    small: bool = False
    two_small: bool = False
