"""What can be seen of a connection from outside: a view of its TCB that changes nothing."""

from netsim.tcp.segment import FourTuple
from netsim.tcp.state import State
from netsim.tcp.tcb import Tcb
from netsim.tcp.user_calls import peer_closed


class Connection:
    """One end of a connection, as it is now; after the end it keeps its last values.

    Made on demand by ``Socket.connection``, ``Host.connections`` and ``Host.connection``. Sequence numbers are integers
    modulo 2**32, as on the wire; sizes are bytes. The names are those of RFC 9293 3.3.1.
    """

    __slots__ = ("_tcb",)

    def __init__(self, tcb: Tcb) -> None:
        self._tcb = tcb

    def __repr__(self) -> str:
        src, sport, dst, dport = self.four_tuple
        return f"<Connection {self.number}: {src}:{sport} > {dst}:{dport}, {self.state}>"

    @property
    def number(self) -> int:
        """Its number at this host, from 1 in the order of opening; the trace's ``connection``."""
        return self._tcb.id

    @property
    def state(self) -> State:
        """The state (RFC 9293 3.3.2)."""
        return self._tcb.state

    @property
    def four_tuple(self) -> FourTuple:
        """Addresses and ports, this end first."""
        return self._tcb.four_tuple

    @property
    def iss(self) -> int:
        """ISS: the initial sequence number that this end sent."""
        return self._tcb.iss

    @property
    def irs(self) -> int:
        """IRS: the initial sequence number that this end received."""
        return self._tcb.irs

    @property
    def snd_una(self) -> int:
        """SND.UNA: the oldest number that the peer has not acknowledged."""
        return self._tcb.snd_una

    @property
    def snd_nxt(self) -> int:
        """SND.NXT: the next number to send."""
        return self._tcb.snd_nxt

    @property
    def max_snd_wnd(self) -> int:
        """MAX.SND.WND (RFC 5961 5.2): the largest window that the peer has offered."""
        return self._tcb.max_snd_wnd

    @property
    def rcv_nxt(self) -> int:
        """RCV.NXT: the next number to receive, the left edge of the receive window."""
        return self._tcb.rcv_nxt

    @property
    def rcv_wnd(self) -> int:
        """RCV.WND: the size of the receive window."""
        return self._tcb.rcv_wnd

    @property
    def syn_transmissions(self) -> int:
        """How often the SYN or SYN-ACK was sent by the OPEN and by its timer."""
        return self._tcb.transmissions

    @property
    def window_scaling(self) -> bool:
        """Whether both ends offered window scaling (RFC 7323 2.2)."""
        return self._tcb.scaling

    @property
    def buffered_bytes(self) -> int:
        """Data that this end holds: to be sent or acknowledged, received in order and not read, or taken from a SYN."""
        tcb = self._tcb
        return len(tcb.syn_data) + len(tcb.rcv_buffer or b"") + len(tcb.snd_buffer or b"")

    @property
    def out_of_order(self) -> bool:
        """Whether data beyond a gap has been received."""
        return self._tcb.reassembly is not None

    @property
    def peer_closed(self) -> bool:
        """Whether the peer's FIN was taken: after the received data comes the end of the stream."""
        return peer_closed(self._tcb)
