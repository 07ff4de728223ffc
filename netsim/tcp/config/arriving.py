"""What the policies of arriving segments and ICMP messages mean: what is taken, what is answered, how often."""

from typing import Any

from netsim.tcp.config.policy import policy, seconds

RST_POLICY: Any = policy(
    "rfc5961", "RST in the window: exact match and challenge ACK, or any", "RFC 9293 3.10.7.4; RFC 5961 3"
)
SYN_POLICY: Any = policy(
    "rfc5961", "SYN on a synchronized connection: challenge ACK, or reset", "RFC 9293 3.10.7.4; RFC 5961 4"
)
SYN_RESET: Any = policy(
    "answer",
    "the RST for a SYN in the window (rfc793): numbered as an answer to the SYN, or as ABORT would send it",
    "RFC 793 3.4, reset generation; sys/netinet/tcp_input.c",
)
RESET_ERRORS: Any = policy(
    "rfc9293",
    "what a RST tells the user: refused in SYN-RECEIVED and nothing after CLOSE-WAIT's FIN (rfc9293), refused in "
    "SYN-RECEIVED and reset in all later states (bsd), reset in all and a broken pipe in CLOSE-WAIT (linux)",
    "RFC 9293 3.10.7.4, second: RST; sys/netinet/tcp_input.c; net/ipv4/tcp_input.c, tcp_reset",
)
FUTURE_ACK: Any = policy(
    "answer",
    "an ACK of what was not sent yet is answered; or it draws nothing in ESTABLISHED, a challenge ACK later (silent)",
    "RFC 9293 3.10.7.4, fifth: ACK; net/ipv4/tcp_input.c: tcp_rcv_established, tcp_rcv_state_process",
)
TS_RECENT_UPDATE: Any = policy(
    "window",
    "TS.Recent is taken from a segment in the window, or only if its ACK is acceptable too",
    "RFC 7323 4.3; net/ipv4/tcp_input.c: tcp_ack",
)
ACK_POLICY: Any = policy(
    "rfc5961", "old ACKs: bounded by MAX.SND.WND, or ignored", "RFC 9293 3.10.7.4, MAY-12; RFC 5961 5"
)
WINDOW_EDGE: Any = policy(
    "rfc9293", "SEG.SEQ = RCV.NXT+RCV.WND lies outside the window, or inside (inclusive)", "RFC 9293 3.10.7.4"
)
OLD_SEGMENT: Any = policy(
    "discard",
    "a segment all of which lies before the window: discarded once it is answered, or its ACK field still counts",
    "RFC 9293 3.10.7.4, first: sequence number; sys/netinet/tcp_input.c",
)
ICMP_OPENING: Any = policy(
    "hard",
    "ICMP errors that end an OPEN: hard ones; these, or the second soft one after three SYNs (bsd); any; none",
    "RFC 9293 3.9.2.2, SHLD-26; sys/netinet/tcp_subr.c; net/ipv4/tcp_ipv4.c, tcp_v4_err",
)
ICMP_SYNCHRONIZED: Any = policy(
    "hard",
    "ICMP errors that end a synchronized connection: hard ones, or none, and they only explain a time-out",
    "RFC 9293 3.9.2.2, SHLD-26; RFC 5927 5.2",
)
ICMP_HARD: Any = policy(
    "rfc9293",
    "which ICMP errors are hard: protocol and port unreachable; bsd adds those of filters and an exceeded TTL",
    "RFC 9293 3.9.2.2; sys/netinet/tcp_subr.c, tcp_ctlinput",
)
PMTU_DISCOVERY: Any = policy(True, "smaller segments when ICMP says that one was too large", "RFC 9293 3.7.2; RFC 1191")
CHALLENGE_ACK_LIMIT: Any = policy((10, 5.0), "challenge ACKs: (count, seconds); None: no limit", "RFC 5961 7")
INVALID_RATELIMIT: Any = seconds(
    0.0, "least time between ACKs that answer unacceptable segments", "net.ipv4.tcp_invalid_ratelimit"
)
SYNACK_RATELIMIT: Any = seconds(
    0.0, "least time between SYN-ACKs that answer repeated SYNs", "net.ipv4.tcp_invalid_ratelimit"
)
AUTHENTICATION_KEY: Any = policy(
    None, "key of authenticated segments; None: segments carry no MAC", "RFC 5925 (TCP-AO)"
)
