"""What the policies of sending mean: when text goes out, and how much of it."""

from typing import Any

from netsim.tcp.policy import policy

NAGLE_SMALL: Any = policy(
    False, "Nagle's rule looks only at small segments unacknowledged (Minshall)", "tcp_output.c: tcp_minshall_check"
)
CORK: Any = policy(False, "a segment of less than full size waits for more text, at most one RTO", "tcp(7), TCP_CORK")
NOTSENT_LOWAT: Any = policy(
    None,
    "a SEND waits while so much text is given and not sent; None: only the send buffer limits it",
    "net.ipv4.tcp_notsent_lowat; tcp(7), TCP_NOTSENT_LOWAT",
    "bytes",
    allowed=(1, 1 << 32),
)
UNDO: Any = policy(
    False,
    "a repair that proves spurious, by timestamps or by D-SACK, is undone: the windows are what they were before it",
    "RFC 4015 3; RFC 3708; net/ipv4/tcp_input.c: tcp_undo_cwnd_reduction",
)
FRTO: Any = policy(
    False,
    "after a time-out the first ACK lets new text go out, and the next one tells whether the time-out was spurious",
    "RFC 5682 2.1, 3.1; net.ipv4.tcp_frto",
)
