"""What the policies of sending mean: options and buffers, when text goes out, and how much of it."""

from typing import Any

from netsim.tcp.config.policy import policy

ABORT_RST_TIMESTAMPS: Any = policy(
    False, "the RST of ABORT carries timestamps where they are agreed on", "RFC 7323 3.2: RECOMMENDED"
)
ABORT_RST_ACK: Any = policy(False, "the RST of ABORT carries ACK", "RFC 9293 3.10.5: it does not")
ZERO_WINDOW_PROBE: Any = policy(
    "one-byte", "a zero-window probe carries one byte, or none and an old number", "RFC 9293 3.8.6.1"
)
MSS: Any = policy(1460, "MSS announced, and the largest sent", "RFC 9293 3.7.1: 1500 - 40", "bytes", allowed=(1, 65535))
ANNOUNCE_MSS: Any = policy(True, "the SYN carries the MSS option", "RFC 9293 3.7.1, SHLD-5; TCP_NOOPT")
MSS_DEFAULT: Any = policy(
    536, "MSS assumed when the peer announces none", "RFC 9293 3.7.1, MUST-15", "bytes", allowed=(1, 65535)
)
WINDOW_SCALE: Any = policy(None, "shift offered on the SYN; None: option not offered", "RFC 7323 2.2", allowed=(0, 14))
SYNACK_ECHO_CHECK: Any = policy(
    False, "a SYN-ACK that echoes none of this OPEN's timestamps draws a RST", "tcp_rcv_synsent_state_process"
)
TIMESTAMPS: Any = policy(False, "offer timestamps, and PAWS with them", "RFC 7323 3")
TS_TICK: Any = policy(0.001, "tick of the timestamp clock", "RFC 7323 5.4: 1 ms to 1 s", "s", allowed=(59e-9, 1.0))
MISSING_TIMESTAMP: Any = policy(
    "drop", "a segment without the timestamp that was negotiated", "RFC 7323 3.2: SHOULD silently drop"
)
SACK: Any = policy(False, "offer SACK-permitted", "RFC 2018 2")
SACK_FIN: Any = policy(
    False, "SACK blocks count a FIN, which has a number, like text", "RFC 2018 speaks of data; Linux, tcp_input.c"
)
SACK_ENDS_WITH_FIN: Any = policy(
    False,
    "the peer's FIN ends SACK: text that came twice before it is not reported any more",
    "RFC 2883 is silent; net/ipv4/tcp_input.c: tcp_fin",
)
DSACK: Any = policy(True, "report text that came twice, where SACK is agreed on", "RFC 2883 4; net.ipv4.tcp_dsack")
RECEIVE_BUFFER: Any = policy(
    65535, "room for received text; RCV.WND when empty", "RFC 9293 3.8.6", "bytes", allowed=(1, (1 << 30) - 1)
)
BUFFER_ROUNDING: Any = policy(
    False,
    "the receive buffer is rounded up to whole segments once the peer's MSS is known",
    "RFC 9293 is silent; sys/netinet/tcp_input.c, tcp_mss",
)
RECEIVE_WINDOW: Any = policy(
    "offered",
    "RCV.WND where the buffer has more room than the header's field can say: what was offered, or all of it",
    "RFC 9293 3.8.6; sys/netinet/tcp_input.c",
)
SEND_BUFFER: Any = policy(
    1 << 20,
    "text a SEND may leave unacknowledged before it waits",
    "RFC 9293 3.10.2",
    "bytes",
    allowed=(1, 1 << 40),
)
NAGLE_MINSHALL: Any = policy(
    False, "Nagle's rule looks only at small segments unacknowledged (Minshall)", "tcp_output.c: tcp_minshall_check"
)
NAGLE: Any = policy(True, "hold back a small segment while text is unacknowledged", "RFC 9293 3.7.4, SHLD-7")
CORK: Any = policy(False, "a segment of less than full size waits for more text, at most one RTO", "tcp(7), TCP_CORK")
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
NOTSENT_LOWAT: Any = policy(
    None,
    "a SEND waits while so much text is given and not sent; None: only the send buffer limits it",
    "net.ipv4.tcp_notsent_lowat; tcp(7), TCP_NOTSENT_LOWAT",
    "bytes",
    allowed=(1, 1 << 32),
)
CONGESTION: Any = policy(
    "newreno",
    "congestion control: the window grows as Reno's or as CUBIC's, which loses less of it; or none",
    "RFC 5681, RFC 6582; RFC 9438, net/ipv4/tcp_cubic.c",
)
IDLE_RESTART: Any = policy(
    "rfc5681",
    "after an RTO without sending, the congestion window is at most the initial one; or half of it for each RTO, down "
    "to that (Linux); or as it was",
    "RFC 5681 4.1; net.ipv4.tcp_slow_start_after_idle; net/ipv4/tcp_output.c: tcp_cwnd_restart",
)
SLOW_START_GROWTH: Any = policy(
    1,
    "segments that one ACK may add in slow start; None: all that it acknowledges",
    "RFC 5681 3.1; RFC 3465 2.2",
    allowed=(1, 1 << 20),
)
LIMITED_TRANSMIT: Any = policy(True, "the first two duplicate ACKs let new text go out", "RFC 3042")
CWND_VALIDATION: Any = policy(
    False,
    "the congestion window grows only while it is used: wholly, or in slow start by half",
    "RFC 5681 is silent; RFC 7661; net/ipv4/tcp_output.c, tcp_cwnd_validate",
)
INITIAL_WINDOW_AFTER_LOSS: Any = policy(
    "rfc5681",
    "the initial window is one segment once the SYN or SYN-ACK was repeated; or, of an active OPEN, repeated twice",
    "RFC 5681 3.1; net/ipv4/tcp_input.c: tcp_init_transfer",
)
INITIAL_WINDOW: Any = policy(10, "initial congestion window", "RFC 6928 2", "segments", allowed=(1, 1 << 20))
